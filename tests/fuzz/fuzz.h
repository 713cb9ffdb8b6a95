/* SPDX-License-Identifier: MIT */
/* What the fuzzers share: a packet from hostile bytes, and checks that do not trust what is
 * checked. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/field.h"
#include "host/packet/packet.h"
#include "host/packet/parse.h"
#include "host/packet/wire.h"

/* Says which property does not hold, and ends the run. */
#define CHECK(property) ((property) ? (void)0 : check_failed(#property, __FILE__, __LINE__))

static inline void check_failed(const char *property, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
	abort();
}

/* The first byte of every input that holds a packet. */
enum fuzz_flag {
	FUZZ_ETH = 1 << 0,  /* the first layer is Ethernet, not IP */
	FUZZ_SUMS = 1 << 1, /* make the checksums right first: no fuzzer guesses them */
	FUZZ_ROOM = 1 << 2, /* leave some tailroom */
	FUZZ_LEFT = 3,	    /* bits from here on belong to the target */
};

static inline uint16_t naive_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* RFC 9260 appendix A: CRC-32C, bit by bit, the checksum itself as zeros. */
static inline bool sctp_verifies(const uint8_t *sctp, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= i / 4 == SCTP_CHECKSUM / 4 ? 0 : sctp[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	crc = ~crc;
	for (unsigned i = 0; i < 4; i++) {
		if (sctp[SCTP_CHECKSUM + i] != (uint8_t)(crc >> i * 8))
			return false;
	}
	return true;
}

static inline const struct layer *network_layer(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	return ip ? ip : packet_layer(p, LAYER_ipv6);
}

/* The layer with a checksum after the network's, or NULL. */
static inline const struct layer *transport_layer(const struct packet *p)
{
	for (const struct layer *layer = p->layer; layer < p->layer + p->layer_count; layer++) {
		if (layer->id >= LAYER_icmp && layer->id <= LAYER_sctp)
			return layer;
	}
	return NULL;
}

/* GRE's own checksum, or NULL where it has none. */
static inline uint8_t *gre_sum(const struct packet *p)
{
	const struct layer *gre = packet_layer(p, LAYER_gre);

	return gre && (*layer_bytes(p, gre) & 0x80) ? layer_bytes(p, gre) + GRE_CHECKSUM : NULL;
}

/* Over header and payload (RFC 2784 2.3). */
static inline bool gre_verifies(const struct packet *p)
{
	const struct layer *gre = packet_layer(p, LAYER_gre);

	return naive_sum(layer_bytes(p, gre), p->datagram_end - gre->offset, 0) == 0xffff;
}

static inline bool ip_verifies(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	return !ip || naive_sum(layer_bytes(p, ip), ip->length, 0) == 0xffff;
}

/* Of a whole datagram with a transport. */
static inline bool transport_verifies(const struct packet *p)
{
	const struct layer *network = network_layer(p);
	const struct layer *transport = transport_layer(p);
	const uint8_t *ip = layer_bytes(p, network);
	const uint8_t *bytes = layer_bytes(p, transport);
	size_t len = p->datagram_end - transport->offset;
	uint32_t sum = 0;

	if (transport->id == LAYER_sctp)
		return sctp_verifies(bytes, len);
	if (transport->id == LAYER_udp) {
		len = load_be16(bytes + UDP_LENGTH);
		CHECK(len <= p->datagram_end - transport->offset);
		if (load_be16(bytes + UDP_CHECKSUM) == 0)
			return network->id == LAYER_ip;
	}
	if (network->id == LAYER_ip && transport->id != LAYER_icmp)
		sum = naive_sum(ip + IP_SRC, 8, p->proto + (uint32_t)len);
	else if (network->id == LAYER_ipv6)
		sum = naive_sum(ip + IPV6_SRC, 32, p->proto + (uint32_t)len);
	return naive_sum(bytes, len, sum) == 0xffff;
}

static inline bool is_whole(const struct packet *p)
{
	return packet_is_sound(p) && !(p->traits & TRAIT_FRAGMENT);
}

/* What parse promises: every layer lies inside the packet, behind the one before it. */
static inline void layers_check(const struct packet *p)
{
	size_t at = 0;

	CHECK(p->datagram_end <= packet_length(p));
	CHECK(p->layer_count <= PACKET_LAYERS);
	CHECK(p->malformed < MALFORMED_COUNT && p->malformed_at <= packet_length(p));
	for (unsigned i = 0; i < p->layer_count; i++) {
		const struct layer *layer = &p->layer[i];

		CHECK(layer->id > LAYER_none && layer->id < LAYER_COUNT);
		CHECK(layer->offset == at && layer->length >= layer_kinds[layer->id].min_length);
		at += layer->length;
		CHECK(at <= (layer->id >= LAYER_ip ? p->datagram_end : packet_length(p)));
	}
}

/* A parsed packet in a slab of exactly its size (and 64 bytes with FUZZ_ROOM). */
static inline struct packet *fuzz_packet(const uint8_t *bytes, size_t len, unsigned flags)
{
	size_t room = flags & FUZZ_ROOM ? 64 : 0;
	uint8_t *all = calloc(1, len + room + 1);

	memcpy(all, bytes, len);
	struct packet *p =
		packet_from_bytes(all, len + room, flags & FUZZ_ETH ? LAYER_eth : LAYER_ip);

	free(all);
	packet_trim(p, len);
	parse(p);
	layers_check(p);
	if (!(flags & FUZZ_SUMS) || !packet_is_sound(p))
		return p;
	if (packet_layer(p, LAYER_ip))
		checksum_ip_fill(p, packet_layer(p, LAYER_ip));
	if (is_whole(p) && transport_layer(p))
		checksum_transport_fill(p, network_layer(p), transport_layer(p));
	return p;
}

static inline bool same_bytes(const struct packet *a, const struct packet *b)
{
	return packet_length(a) == packet_length(b) && !memcmp(a->data, b->data, packet_length(a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
