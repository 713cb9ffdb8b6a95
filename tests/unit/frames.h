/* SPDX-License-Identifier: MIT */
/* Packets that tests make up, byte by byte, with a checksum of their own to compare with. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "host/base/prefix.h"
#include "host/packet/packet.h"
#include "host/packet/parse.h"
#include "host/packet/wire.h"

enum { FRAME_BYTES = 2048 };

struct frame {
	size_t len;
	size_t network;	  /* where the IP header starts */
	size_t transport; /* where ICMP, UDP or TCP starts; 0: there is none */
	uint8_t proto;	  /* of the transport */
	enum layer_id first;
	uint8_t bytes[FRAME_BYTES];
};

/* RFC 1071, word by word: what checksum.c is compared with. */
static inline uint16_t frame_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline uint16_t frame_pseudo(const uint8_t *ip, uint8_t proto, size_t len)
{
	if (ip[0] >> 4 == 4)
		return frame_sum(ip + IP_SRC, 8, proto + (uint32_t)len);
	return frame_sum(ip + IPV6_SRC, 32, proto + (uint32_t)len);
}

/* Appends; NULL: zeros. */
static inline uint8_t *frame_add(struct frame *f, const void *bytes, size_t len)
{
	uint8_t *at = f->bytes + f->len;

	ck_assert_uint_le(f->len + len, FRAME_BYTES);
	if (len && bytes)
		memcpy(at, bytes, len);
	else
		memset(at, 0, len);
	f->len += len;
	return at;
}

static inline void frame_addr(uint8_t *at, const char *text)
{
	struct addr addr;

	ck_assert_msg(addr_parse(&addr, text), "%s is no address", text);
	memcpy(at, addr.bytes, family_bytes(addr.family));
}

static inline void frame_eth(struct frame *f, uint16_t type)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 1 };

	f->first = LAYER_eth;
	frame_add(f, macs, sizeof(macs));
	store_be16(frame_add(f, NULL, 2), type);
}

static inline void frame_vlan(struct frame *f, uint16_t tci, uint16_t type)
{
	uint8_t *tag = frame_add(f, NULL, VLAN_HEADER);

	store_be16(tag, tci);
	store_be16(tag + 2, type);
}

/* opts_len is a multiple of 4. */
static inline void frame_ip4(struct frame *f, const char *src, const char *dst, uint8_t proto,
	const void *opts, size_t opts_len)
{
	if (!f->first)
		f->first = LAYER_ip;
	f->network = f->len;
	uint8_t *ip = frame_add(f, NULL, IP_HEADER);

	ip[0] = (uint8_t)(0x45 + opts_len / 4);
	store_be16(ip + IP_ID, 0x1234);
	ip[IP_TTL] = 61;
	ip[IP_PROTO] = proto;
	frame_addr(ip + IP_SRC, src);
	frame_addr(ip + IP_DST, dst);
	frame_add(f, opts, opts_len);
}

static inline void frame_ip6(struct frame *f, const char *src, const char *dst, uint8_t nxt)
{
	if (!f->first)
		f->first = LAYER_ip;
	f->network = f->len;
	uint8_t *ip = frame_add(f, NULL, IPV6_HEADER);

	store_be32(ip, 0x60512345);
	ip[IPV6_NXT] = nxt;
	ip[IPV6_HLIM] = 61;
	frame_addr(ip + IPV6_SRC, src);
	frame_addr(ip + IPV6_DST, dst);
}

static inline void frame_transport(struct frame *f, uint8_t proto, const void *bytes, size_t len)
{
	f->transport = f->len;
	f->proto = proto;
	frame_add(f, bytes, len);
}

static inline void frame_data(struct frame *f, size_t len)
{
	uint8_t *at = frame_add(f, NULL, len);

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i * 7 + 3);
}

static inline uint8_t *frame_checksum(struct frame *f)
{
	return f->bytes + f->transport +
	       (f->proto == PROTO_TCP	       ? TCP_CHECKSUM
		       : f->proto == PROTO_UDP ? UDP_CHECKSUM
					       : ICMP_CHECKSUM);
}

static inline void frame_ip_seal(struct frame *f)
{
	uint8_t *ip = f->bytes + f->network;
	size_t length = (size_t)(ip[0] & 0xf) * 4;

	store_be16(ip + IP_CHECKSUM, 0);
	store_be16(ip + IP_CHECKSUM, (uint16_t)~frame_sum(ip, length, 0));
}

/* Writes lengths and checksums: all is right afterwards. */
static inline void frame_seal(struct frame *f)
{
	uint8_t *ip = f->bytes + f->network;
	size_t total = f->len - f->network, len = f->len - f->transport;

	if (ip[0] >> 4 == 4) {
		store_be16(ip + IP_LEN, (uint16_t)total);
		frame_ip_seal(f);
	} else {
		store_be16(ip + IPV6_PLEN, (uint16_t)(total - IPV6_HEADER));
	}
	if (!f->transport)
		return;
	if (f->proto == PROTO_UDP)
		store_be16(f->bytes + f->transport + UDP_LENGTH, (uint16_t)len);
	store_be16(frame_checksum(f), 0);
	uint16_t pseudo = f->proto == PROTO_ICMP ? 0 : frame_pseudo(ip, f->proto, len);
	uint16_t sum = (uint16_t)~frame_sum(f->bytes + f->transport, len, pseudo);

	store_be16(frame_checksum(f), sum == 0 && f->proto == PROTO_UDP ? 0xffff : sum);
}

/* A slab of exactly these bytes, parsed. */
static inline struct packet *frame_packet(const struct frame *f)
{
	struct packet *p = packet_from_bytes(f->bytes, f->len, f->first);

	ck_assert_ptr_nonnull(p);
	parse(p);
	return p;
}

static inline uint8_t frame_family(const char *addr)
{
	return strchr(addr, ':') ? FAMILY_6 : FAMILY_4;
}

static inline void frame_echo_body(struct frame *f, uint8_t type, size_t data)
{
	const uint8_t icmp[8] = { type, 0, 0, 0, 0xbe, 0xef, 0x00, 0x05 };

	frame_transport(f, type >= 128 ? PROTO_ICMPV6 : PROTO_ICMP, icmp, sizeof(icmp));
	frame_data(f, data);
}

/* An echo request of either family on top of what f holds. */
static inline void frame_echo_on(struct frame *f, const char *src, const char *dst, size_t data)
{
	if (frame_family(dst) == FAMILY_4) {
		frame_ip4(f, src, dst, PROTO_ICMP, NULL, 0);
		frame_echo_body(f, ICMP_ECHO_REQUEST, data);
	} else {
		frame_ip6(f, src, dst, PROTO_ICMPV6);
		frame_echo_body(f, ICMPV6_ECHO_REQUEST, data);
	}
	frame_seal(f);
}

static inline struct frame frame_echo(const char *src, const char *dst, size_t data)
{
	struct frame f = { 0 };

	frame_echo_on(&f, src, dst, data);
	return f;
}

static inline void frame_udp_body(struct frame *f, size_t data)
{
	static const uint8_t udp[8] = { 0x30, 0x39, 0x00, 0x09 };

	frame_transport(f, PROTO_UDP, udp, sizeof(udp));
	frame_data(f, data);
	frame_seal(f);
}

/* To `port`, whose protocol it carries. */
static inline void frame_udp_to(struct frame *f, uint16_t port, const void *payload, size_t len)
{
	frame_transport(f, PROTO_UDP, NULL, UDP_HEADER);
	store_be16(f->bytes + f->transport, 0x3039);
	store_be16(f->bytes + f->transport + 2, port);
	frame_add(f, payload, len);
	frame_seal(f);
}

/* What a tunnel carries: an echo request, as a frame or not. */
static inline struct frame frame_carried(bool is_eth, const char *src, const char *dst)
{
	struct frame f = { 0 };

	if (is_eth)
		frame_eth(&f, frame_family(dst) == FAMILY_4 ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	frame_echo_on(&f, src, dst, 3);
	return f;
}

/* RFC 7348 5, between 10.0.0.1 and 10.0.0.7. */
static inline struct frame frame_vxlan(const struct frame *inner)
{
	static const uint8_t vxlan[8] = { 8, 0, 0, 0, 0x12, 0x34, 0x56, 0 };
	struct frame f = { 0 };
	uint8_t load[FRAME_BYTES];

	memcpy(load, vxlan, sizeof(vxlan));
	memcpy(load + sizeof(vxlan), inner->bytes, inner->len);
	frame_ip4(&f, "10.0.0.1", "10.0.0.7", PROTO_UDP, NULL, 0);
	frame_udp_to(&f, PORT_VXLAN, load, sizeof(vxlan) + inner->len);
	return f;
}

/* RFC 2784, RFC 2890: all optional words, the checksum right. */
/* RFC 9260 appendix A, bit by bit: polynomial 0x1edc6f41 reflected; as it is stored. */
static inline uint32_t frame_crc(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < 8 * len; i++) {
		/* The checksum itself counts as 0. */
		unsigned bit = i / 32 == 2 ? 0 : bytes[i / 8] >> i % 8 & 1;

		crc = crc >> 1 ^ (((crc & 1) ^ bit) ? 0x82f63b78 : 0);
	}
	crc = ~crc;
	return crc << 24 | (crc & 0xff00) << 8 | (crc >> 8 & 0xff00) | crc >> 24;
}

/* Onto a network header. */
static inline struct frame frame_sctp(const struct frame *network)
{
	static const uint8_t sctp[24] = { 0xc3, 0x50, 0, 80, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0, 4,
		0, 0, 12, 0, 1, 0, 8, 'b', 'e', 'a', 't' };
	struct frame f = *network;
	uint8_t *at = frame_add(&f, sctp, sizeof(sctp));

	store_be32(at + 8, frame_crc(at, sizeof(sctp)));
	frame_seal(&f);
	return f;
}

static inline struct frame frame_gre(const struct frame *inner, uint16_t proto)
{
	static const uint8_t gre[16] = { 0xb0, 0, 0, 0, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe, 0, 0, 0,
		9 };
	struct frame f = { 0 };

	frame_ip4(&f, "10.0.0.1", "10.0.0.7", PROTO_GRE, NULL, 0);
	uint8_t *at = frame_add(&f, gre, sizeof(gre));

	store_be16(at + GRE_PROTO, proto);
	frame_add(&f, inner->bytes, inner->len);
	store_be16(at + GRE_CHECKSUM, (uint16_t)~frame_sum(at, sizeof(gre) + inner->len, 0));
	frame_seal(&f);
	return f;
}

/* With a maximum segment size and three more options. */
static inline void frame_tcp_body(struct frame *f, size_t data)
{
	static const uint8_t tcp[28] = { 0x30, 0x39, 0x00, 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 0x70, 0x02,
		0xff, 0xff, 0, 0, 0, 9, 2, 4, 5, 0xb4, 1, 1, 4, 2 };

	frame_transport(f, PROTO_TCP, tcp, sizeof(tcp));
	frame_data(f, data);
	frame_seal(f);
}

/* IPv6 extension headers, 8 bytes each. */
static inline uint8_t *frame_ext(struct frame *f, uint8_t nxt, const uint8_t rest[7])
{
	uint8_t *at = frame_add(f, NULL, 8);

	at[0] = nxt;
	if (rest)
		memcpy(at + 1, rest, 7);
	return at;
}

static const uint8_t ext_padn[7] = { 0, 1, 4, 0, 0, 0, 0 };	      /* options: PadN */
static const uint8_t ext_alert[7] = { 0, 5, 2, 0, 0, 1, 0 };	      /* router alert, PadN */
static const uint8_t ext_atomic[7] = { 0, 0, 0, 0xca, 0xfe, 0, 1 };   /* offset 0, no more */
static const uint8_t ext_first[7] = { 0, 0, 1, 0xca, 0xfe, 0, 1 };    /* offset 0, more follow */
static const uint8_t ext_later[7] = { 0, 0, 0x10, 0xca, 0xfe, 0, 1 }; /* offset 16, the last */
static const uint8_t ext_rh0[7] = { 0, 0, 0, 0, 0, 0, 0 };	      /* routing, type 0 */
static const uint8_t ext_rh2[7] = { 0, 2, 0, 0, 0, 0, 0 };	      /* type 2, no segments left */

static inline struct frame frame_arp(void)
{
	static const uint8_t arp[ARP_HEADER] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 7 };
	struct frame f = { 0 };

	frame_eth(&f, ETH_TYPE_ARP);
	frame_add(&f, arp, sizeof(arp));
	return f;
}

/* A neighbour solicitation with a source link-layer address option. */
static inline struct frame frame_ns(void)
{
	static const uint8_t ns[8] = { ICMPV6_NS }, slla[8] = { 1, 1, 2, 0, 0, 0, 0, 1 };
	struct frame f = { 0 };

	frame_ip6(&f, "fd00::1", "ff02::1:ff00:7", PROTO_ICMPV6);
	frame_transport(&f, PROTO_ICMPV6, ns, sizeof(ns));
	frame_addr(frame_add(&f, NULL, 16), "fd00::7");
	frame_add(&f, slla, sizeof(slla));
	frame_seal(&f);
	f.bytes[f.network + IPV6_HLIM] = 255;
	return f;
}

/* A message of ICMP or ICMPv6, the whole of it. */
static inline void frame_message(struct frame *f, bool is_6, const uint8_t *bytes, size_t len)
{
	if (is_6)
		frame_ip6(f, "fe80::1", "fe80::7", PROTO_ICMPV6);
	else
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_ICMP, NULL, 0);
	frame_transport(f, is_6 ? PROTO_ICMPV6 : PROTO_ICMP, bytes, len);
	frame_seal(f);
}

/* Messages whose fields depend on their type, and options. */
static inline bool frame_sample_options(unsigned i, struct frame *f)
{
	static const uint8_t too_big[8] = { ICMP_UNREACHABLE, 4, 0, 0, 0, 0, 5, 0 };
	static const uint8_t redirect[8] = { ICMP_REDIRECT, 1, 0, 0, 10, 0, 0, 9 };
	static const uint8_t problem[8] = { ICMP_PARAMETER_PROBLEM, 0, 0, 0, 20 };
	static const uint8_t timestamp[20] = { ICMP_TIMESTAMP, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t too_big6[8] = { ICMPV6_TOO_BIG, 0, 0, 0, 0, 0, 5, 0 };
	static const uint8_t problem6[8] = { ICMPV6_PARAMETER_PROBLEM, 1, 0, 0, 0, 0, 0, 40 };
	/* RFC 4861 4.2, 4.6; RFC 8106 5.1: all options that a router advertises. */
	static const uint8_t ra[] = { ICMPV6_RA, 0, 0, 0, 64, 0xc0, 7, 8, 0, 0, 1, 2, 0, 0, 3, 4, 1,
		1, 2, 0, 0, 0, 0, 1, 5, 1, 0, 0, 0, 0, 5, 0xdc, 3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0,
		7, 8, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 3, 0, 0, 0,
		0, 0, 60, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53 };
	static const uint8_t na[] = { ICMPV6_NA, 0, 0, 0, 0xe0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 0, 0, 0, 0, 1 };
	static const uint8_t redirect6[40] = { ICMPV6_REDIRECT };
	/* Options at odd places: an edit's checksum must follow there too. */
	static const uint8_t syn[] = { 0x30, 0x39, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0xc0, 2, 0xff,
		0xff, 0, 0, 0, 0, 1, 2, 4, 5, 0xb4, 3, 3, 7, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 0,
		0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t sack[] = { 0x30, 0x39, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 16, 0xff,
		0xff, 0, 0, 0, 0, 1, 1, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	/* RFC 2132; every option that has a field. */
	static const uint8_t dhcp[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 3, 0, 50, 4, 10, 0, 0, 9, 54,
		4, 10, 0, 0, 1, 51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 7, 8, 59, 4, 0, 0, 12, 13, 1, 4,
		255, 255, 255, 0, 3, 4, 10, 0, 0, 1, 6, 4, 10, 0, 0, 2, 12, 4, 'm', 'o', 'o', 'n',
		15, 3, 'l', 'a', 'n', 60, 2, 'v', '1', 61, 7, 1, 2, 0, 0, 0, 0, 1, 55, 2, 1, 3,
		255 };
	uint8_t message[BOOTP_HEADER + sizeof(dhcp)] = { 1, 1, 6 };
	/* RFC 1035 4.1: the answer to "moon.example AAAA", with a record of each type that has a
	 * field. Names point at names. */
	static const char dns[] = "\x12\x34\x85\x80\0\1\0\2\0\1\0\2"
				  "\4moon\7example\0\0\x1c\0\1"
				  "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6"
				  "\3tap\xc0\x11"
				  "\xc0\x2a\0\x1c\0\1\0\0\0\x3c\0\x10"
				  "\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				  "\xc0\x11\0\2\0\1\0\0\0\x3c\0\2"
				  "\xc0\x2a"
				  "\xc0\x2a\0\1\0\1\0\0\0\x3c\0\4"
				  "\n\0\0\7"
				  "\xc0\x2a\0\x0c\0\1\0\0\0\x3c\0\2"
				  "\xc0\x0c";

	switch (i) {
	case 0:
		frame_message(f, false, too_big, sizeof(too_big));
		return true;
	case 1:
		frame_message(f, false, redirect, sizeof(redirect));
		return true;
	case 2:
		frame_message(f, false, problem, sizeof(problem));
		return true;
	case 3:
		frame_message(f, false, timestamp, sizeof(timestamp));
		return true;
	case 4:
		frame_message(f, true, too_big6, sizeof(too_big6));
		return true;
	case 5:
		frame_message(f, true, problem6, sizeof(problem6));
		return true;
	case 6:
		frame_message(f, true, ra, sizeof(ra));
		return true;
	case 7:
		frame_message(f, true, na, sizeof(na));
		return true;
	case 8:
		frame_message(f, true, redirect6, sizeof(redirect6));
		return true;
	case 9:
	case 10:
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_TCP, NULL, 0);
		frame_transport(
			f, PROTO_TCP, i == 9 ? syn : sack, i == 9 ? sizeof(syn) : sizeof(sack));
		frame_seal(f);
		return true;
	case 11:
		memcpy(message + BOOTP_HEADER, dhcp, sizeof(dhcp));
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_UDP, NULL, 0);
		frame_udp_to(f, PORT_DHCP_SERVER, message, sizeof(message));
		return true;
	case 12:
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_UDP, NULL, 0);
		frame_udp_to(f, PORT_DNS, dns, sizeof(dns) - 1);
		return true;
	}
	return false;
}

/* One of every kind: sealed, no padding. false: there are no more. */
static inline bool frame_sample(unsigned i, struct frame *f)
{
	static const uint8_t record_route[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	static const uint8_t alert[8] = { 148, 4, 0, 0, 1, 1, 1, 0 };
	static const uint8_t unreachable[8] = { ICMP_UNREACHABLE, 1 };
	static const uint8_t query[12] = { 0xca, 0xfe, 1, 0, 0, 1 };
	struct frame inner;

	*f = (struct frame){ 0 };
	switch (i) {
	case 0:
		frame_echo_on(f, "10.0.0.1", "10.0.0.7", 56);
		return true;
	case 1:
		frame_echo_on(f, "fd00::1", "fd00::7", 56);
		return true;
	case 2:
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_ICMP, record_route, 8);
		frame_echo_body(f, ICMP_ECHO_REQUEST, 5);
		break;
	case 3:
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_UDP, NULL, 0);
		frame_udp_body(f, 11);
		break;
	case 4:
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_TCP, NULL, 0);
		frame_tcp_body(f, 3);
		break;
	case 5:
		frame_ip6(f, "fd00::1", "fd00::7", PROTO_UDP);
		frame_udp_body(f, 11);
		break;
	case 6:
		frame_ip6(f, "fd00::1", "fd00::7", PROTO_TCP);
		frame_tcp_body(f, 3);
		break;
	case 7:
		*f = frame_ns();
		return true;
	case 8: /* all extension headers that are walked and answered: AH is not */
		frame_ip6(f, "fd00::1", "fd00::7", PROTO_HOPOPTS);
		frame_ext(f, PROTO_DSTOPTS, ext_alert);
		frame_ext(f, PROTO_ROUTING, ext_padn);
		frame_ext(f, PROTO_FRAGMENT, ext_rh2);
		frame_ext(f, PROTO_DSTOPTS, ext_atomic);
		frame_ext(f, PROTO_ICMPV6, ext_padn);
		frame_echo_body(f, ICMPV6_ECHO_REQUEST, 9);
		break;
	case 9:
		frame_eth(f, ETH_TYPE_IP4);
		frame_echo_on(f, "10.0.0.1", "10.0.0.7", 56);
		return true;
	case 10:
		frame_eth(f, ETH_TYPE_8021Q);
		frame_vlan(f, 0x7064, ETH_TYPE_IP6);
		frame_echo_on(f, "fd00::1", "fd00::7", 1);
		return true;
	case 11:
		frame_eth(f, ETH_TYPE_8021AD);
		frame_vlan(f, 0x0001, ETH_TYPE_8021Q);
		frame_vlan(f, 0x0002, ETH_TYPE_IP4);
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_UDP, alert, 8);
		frame_udp_body(f, 4);
		break;
	case 12:
		*f = frame_arp();
		return true;
	case 13: /* an error, with the start of what it is about */
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_ICMP, NULL, 0);
		frame_transport(f, PROTO_ICMP, unreachable, 8);
		frame_data(f, 28);
		break;
	case 14: /* a protocol that is not followed */
		frame_ip4(f, "10.0.0.1", "10.0.0.7", 89, NULL, 0);
		frame_data(f, 12);
		break;
	case 15:
		inner = frame_carried(true, "192.168.0.1", "192.168.0.7");
		*f = frame_vxlan(&inner);
		return true;
	case 16:
		inner = frame_carried(false, "192.168.0.1", "192.168.0.7");
		*f = frame_gre(&inner, ETH_TYPE_IP4);
		return true;
	case 17: /* RFC 1035 4.1.1: the header of a query */
		frame_ip6(f, "fd00::1", "fd00::7", PROTO_UDP);
		frame_udp_to(f, PORT_DNS, query, sizeof(query));
		return true;
	case 18: /* RFC 2131 2: a message without options */
		frame_ip4(f, "10.0.0.1", "10.0.0.7", PROTO_UDP, NULL, 0);
		frame_udp_to(f, PORT_DHCP_SERVER, NULL, BOOTP_HEADER);
		return true;
	case 19: /* RFC 9260 3.3.8: a heartbeat */
		frame_ip6(f, "fd00::1", "fd00::7", PROTO_SCTP);
		*f = frame_sctp(f);
		return true;
	default:
		return frame_sample_options(i - 20, f);
	}
	frame_seal(f);
	return true;
}

/* Do the checksums of a parsed packet verify, by a sum of our own? A UDP checksum of 0 does. */
static inline bool frame_verifies(const struct packet *p)
{
	for (unsigned i = 0; i < p->layer_count; i++) {
		const struct layer *layer = &p->layer[i];
		const uint8_t *ip = layer_bytes(p, layer);

		if (layer->id != LAYER_ip && layer->id != LAYER_ipv6)
			continue;
		if (layer->id == LAYER_ip && frame_sum(ip, layer->length, 0) != 0xffff)
			return false;
		if (i + 1 == p->layer_count)
			return true;
		const uint8_t *bytes = layer_bytes(p, layer + 1);
		size_t len = p->datagram_end - layer[1].offset;
		uint8_t proto = layer->id == LAYER_ip ? ip[IP_PROTO] : p->proto;

		if (layer[1].id == LAYER_icmp || layer[1].id == LAYER_gre)
			return frame_sum(bytes, len, 0) == 0xffff;
		if (layer[1].id == LAYER_sctp)
			return load_be32(bytes + 8) == frame_crc(bytes, len);
		if (layer[1].id == LAYER_udp && load_be16(bytes + UDP_CHECKSUM) == 0)
			return true;
		return frame_sum(bytes, len, frame_pseudo(ip, proto, len)) == 0xffff;
	}
	return true;
}
