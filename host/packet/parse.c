/* SPDX-License-Identifier: MIT */
/* Walks a hostile packet once, from the outside in, and writes down which layers fit. */
#include "host/packet/parse.h"

#include "host/packet/options.h"
#include "host/packet/wire.h"

enum { EXTENSIONS_MAX = 8, OPTIONS_MAX = 32 };

/* A header that was found whole, and what follows it. */
struct step {
	size_t offset;	/* where the next header starts */
	size_t end;	/* where what encloses it ends */
	uint16_t proto; /* what the next header is: EtherType or IP protocol */
};

static void malformed(struct packet *p, enum malformed_reason reason, size_t offset)
{
	p->malformed = (uint8_t)reason;
	p->malformed_at = (uint32_t)offset;
}

static bool layer_add(struct packet *p, enum layer_id id, size_t offset, size_t length)
{
	if (packet_layer_add(p, id, offset, length))
		return true;
	malformed(p, MALFORMED_depth, offset);
	return false;
}

/* `len` bytes at `offset`, inside what encloses them; else the packet is truncated there. */
static const uint8_t *header(struct packet *p, size_t offset, size_t end, size_t len)
{
	if (offset > end || len > end - offset) {
		malformed(p, MALFORMED_truncated, offset);
		return NULL;
	}
	return p->data + offset;
}

/* A layer that the transport carries, by the word of its port; one that does not fit is none. */
static void payload_add(struct packet *p, enum layer_id id, size_t offset, size_t end, size_t len)
{
	if (len <= end - offset)
		layer_add(p, id, offset, len);
	else
		malformed(p, MALFORMED_payload, offset);
}

/* RFC 2131 3: the cookie says that options follow; BOOTP had none. */
static void parse_dhcp(struct packet *p, size_t offset, size_t end)
{
	const uint8_t *cookie = p->data + offset + BOOTP_HEADER;
	bool has_options = end - offset >= BOOTP_HEADER + 4 && load_be32(cookie) == DHCP_COOKIE;

	payload_add(p, LAYER_dhcp, offset, end, has_options ? BOOTP_HEADER + 4 : BOOTP_HEADER);
}

static void parse_ports(struct packet *p, const uint8_t *udp, size_t offset, size_t end)
{
	uint16_t src = load_be16(udp), dst = load_be16(udp + 2);

	if (dst == PORT_VXLAN)
		payload_add(p, LAYER_vxlan, offset, end, VXLAN_HEADER);
	else if (src == PORT_DNS || dst == PORT_DNS || src == PORT_MDNS || dst == PORT_MDNS)
		payload_add(p, LAYER_dns, offset, end, DNS_HEADER);
	else if (dst == PORT_DHCP_SERVER || dst == PORT_DHCP_CLIENT || src == PORT_DHCP_SERVER ||
		 src == PORT_DHCP_CLIENT)
		parse_dhcp(p, offset, end);
}

/* RFC 1122 4.1.3.4 and RFC 768: the length counts header and data. */
static void parse_udp(struct packet *p, size_t offset, size_t end)
{
	const uint8_t *udp = header(p, offset, end, UDP_HEADER);

	if (!udp)
		return;
	size_t length = load_be16(udp + UDP_LENGTH);

	if (length < UDP_HEADER || (length > end - offset && !(p->traits & TRAIT_FRAGMENT))) {
		malformed(p, MALFORMED_udp_length, offset);
		return;
	}
	if (layer_add(p, LAYER_udp, offset, UDP_HEADER))
		parse_ports(
			p, udp, offset + UDP_HEADER, length < end - offset ? offset + length : end);
}

static void parse_tcp(struct packet *p, size_t offset, size_t end)
{
	const uint8_t *tcp = header(p, offset, end, TCP_HEADER);

	if (!tcp)
		return;
	size_t length = (size_t)(tcp[TCP_OFFSET] >> 4) * 4;

	if (length < TCP_HEADER || length > end - offset) {
		malformed(p, MALFORMED_header_length, offset);
		return;
	}
	layer_add(p, LAYER_tcp, offset, length);
}

/* RFC 2784 2.1: other versions, and the source routes of RFC 1701, are not followed. */
static void parse_gre(struct packet *p, size_t offset, size_t end)
{
	const uint8_t *gre = header(p, offset, end, GRE_HEADER);

	if (!gre)
		return;
	uint16_t flags = load_be16(gre);
	size_t length = GRE_HEADER;

	if ((flags & GRE_VERSION) > 1 || (flags & GRE_HAS_ROUTING))
		return;
	length += flags & GRE_HAS_CHECKSUM ? 4 : 0;
	length += flags & GRE_HAS_KEY ? 4 : 0;
	length += flags & GRE_HAS_SEQ ? 4 : 0;
	length += (flags & GRE_VERSION) == 1 && (flags & GRE_HAS_ACK) ? 4 : 0;
	if (header(p, offset, end, length))
		layer_add(p, LAYER_gre, offset, length);
}

static void parse_transport(struct packet *p, size_t offset, size_t end)
{
	switch (p->proto) {
	case PROTO_ICMP:
		if (packet_layer(p, LAYER_ip) && header(p, offset, end, ICMP_HEADER))
			layer_add(p, LAYER_icmp, offset, ICMP_HEADER);
		break;
	case PROTO_ICMPV6:
		if (packet_layer(p, LAYER_ipv6) && header(p, offset, end, 4))
			layer_add(p, LAYER_icmpv6, offset, end - offset < 8 ? 4 : 8);
		break;
	case PROTO_UDP:
		parse_udp(p, offset, end);
		break;
	case PROTO_TCP:
		parse_tcp(p, offset, end);
		break;
	case PROTO_SCTP:
		if (header(p, offset, end, SCTP_HEADER))
			layer_add(p, LAYER_sctp, offset, SCTP_HEADER);
		break;
	case PROTO_GRE:
		parse_gre(p, offset, end);
		break;
	}
}

static void parse_ip4_options(struct packet *p, size_t offset, size_t len)
{
	unsigned found = options_scan(p->data + offset, len);

	p->traits |= TRAIT_OPTIONS;
	if (found & OPTIONS_SOURCE_ROUTE)
		p->traits |= TRAIT_ROUTED;
	if (found & OPTIONS_RECORD)
		p->traits |= TRAIT_RECORD;
	if (found & OPTIONS_LIE)
		malformed(p, MALFORMED_options, offset);
}

/* RFC 791 3.1. */
static void parse_ip4(struct packet *p, size_t offset)
{
	size_t left = packet_length(p);
	const uint8_t *ip = header(p, offset, left, IP_HEADER);

	if (!ip)
		return;
	size_t length = (size_t)(ip[0] & 0xf) * 4;
	size_t total = load_be16(ip + IP_LEN);

	if (ip[0] >> 4 != 4) {
		malformed(p, MALFORMED_version, offset);
		return;
	}
	if (length < IP_HEADER || length > left - offset) {
		malformed(p, MALFORMED_header_length, offset);
		return;
	}
	p->proto = ip[IP_PROTO];
	if (total < length || total > left - offset) {
		malformed(p, MALFORMED_total_length, offset);
		return;
	}
	p->datagram_end = (uint32_t)(offset + total);
	if (length > IP_HEADER)
		parse_ip4_options(p, offset + IP_HEADER, length - IP_HEADER);
	uint16_t frag = load_be16(ip + IP_FRAG);
	size_t frag_offset = (size_t)(frag & IP_FRAG_OFFSET) * 8;

	if (frag & (IP_FRAG_MORE | IP_FRAG_OFFSET))
		p->traits |= TRAIT_FRAGMENT;
	if (frag_offset)
		p->traits |= TRAIT_LATER;
	if (!layer_add(p, LAYER_ip, offset, length))
		return;
	if (frag_offset + total - length > 65535 - length)
		malformed(p, MALFORMED_fragment, offset);
	else if (!frag_offset)
		parse_transport(p, offset + length, p->datagram_end);
}

/* RFC 8200 4.2: walks TLV options; false if they do not fill their header exactly. */
static bool options_fit(struct packet *p, const uint8_t *options, size_t len)
{
	for (unsigned i = 0; len && i < OPTIONS_MAX; i++) {
		size_t size = options[0] == 0 ? 1 : 2;

		if (size > len)
			return false;
		if (size == 2)
			size += options[1];
		if (size > len)
			return false;
		if (options[0] >> 6)
			p->traits |= TRAIT_UNKNOWN_OPT;
		options += size;
		len -= size;
	}
	return len == 0;
}

/* RFC 8200 4.5: a fragment header; false stops the walk. */
static bool fragment_header(struct packet *p, const uint8_t *frag, const struct step *step)
{
	uint16_t field = load_be16(frag + 2);
	size_t frag_offset = field & 0xfff8;

	if (frag_offset + (step->end - step->offset - 8) > 65535) {
		malformed(p, MALFORMED_fragment, step->offset);
		return false;
	}
	p->traits |= field & 0xfff9 ? TRAIT_FRAGMENT : TRAIT_ATOMIC;
	if (frag_offset)
		p->traits |= TRAIT_LATER;
	return true;
}

static bool is_extension(uint16_t proto)
{
	return proto == PROTO_HOPOPTS || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT ||
	       proto == PROTO_DSTOPTS || proto == PROTO_AH;
}

/* One extension header (RFC 8200 4, RFC 4302 2.2 for AH); false: it lies, malformed says how. */
static bool extension(struct packet *p, struct step *step, bool is_first)
{
	const uint8_t *ext = header(p, step->offset, step->end, 8);

	if (!ext)
		return false;
	size_t length = step->proto == PROTO_FRAGMENT ? 8
			: step->proto == PROTO_AH     ? (size_t)(ext[1] + 2) * 4
						      : (size_t)(ext[1] + 1) * 8;
	bool is_fit = length <= step->end - step->offset;

	if (is_fit && step->proto == PROTO_HOPOPTS)
		is_fit = is_first && options_fit(p, ext + 2, length - 2);
	else if (is_fit && step->proto == PROTO_DSTOPTS)
		is_fit = options_fit(p, ext + 2, length - 2);
	if (!is_fit) {
		malformed(p, MALFORMED_extension_headers, step->offset);
		return false;
	}
	if (step->proto == PROTO_ROUTING && (ext[2] == 0 || ext[3] != 0))
		p->traits |= TRAIT_ROUTED;
	if (step->proto == PROTO_AH) /* RFC 4302 3.4.2: without an association it is discarded */
		p->traits |= TRAIT_UNKNOWN_OPT;
	if (step->proto == PROTO_FRAGMENT && !fragment_header(p, ext, step))
		return false;
	step->proto = ext[0];
	step->offset += length;
	return true;
}

/* RFC 8200 3 and 4: the header and a bounded walk along what extends it. */
static void parse_ip6(struct packet *p, size_t offset)
{
	size_t left = packet_length(p);
	const uint8_t *ip = header(p, offset, left, IPV6_HEADER);

	if (!ip)
		return;
	size_t payload = load_be16(ip + IPV6_PLEN);

	if (ip[0] >> 4 != 6) {
		malformed(p, MALFORMED_version, offset);
		return;
	}
	if (payload > left - offset - IPV6_HEADER) {
		malformed(p, MALFORMED_total_length, offset);
		return;
	}
	struct step step = { offset + IPV6_HEADER, offset + IPV6_HEADER + payload, ip[IPV6_NXT] };
	bool is_whole = true;

	p->datagram_end = (uint32_t)step.end;
	for (unsigned i = 0; is_extension(step.proto) && is_whole && !(p->traits & TRAIT_LATER);
		i++) {
		if (i == EXTENSIONS_MAX) {
			malformed(p, MALFORMED_extension_headers, step.offset);
			is_whole = false;
			break;
		}
		p->traits |= TRAIT_OPTIONS;
		is_whole = extension(p, &step, i == 0);
	}
	p->proto = (uint8_t)step.proto;
	if (layer_add(p, LAYER_ipv6, offset, step.offset - offset) && is_whole &&
		!(p->traits & TRAIT_LATER))
		parse_transport(p, step.offset, step.end);
}

/* RFC 826, for the one kind there is. */
static void parse_arp(struct packet *p, size_t offset)
{
	const uint8_t *arp = header(p, offset, packet_length(p), ARP_HEADER);

	if (!arp)
		return;
	if (load_be16(arp) != 1 || load_be16(arp + 2) != ETH_TYPE_IP4 || arp[4] != 6 ||
		arp[5] != 4) {
		malformed(p, MALFORMED_hardware, offset);
		return;
	}
	layer_add(p, LAYER_arp, offset, ARP_HEADER);
}

static void parse_network(struct packet *p, size_t offset, uint16_t type)
{
	switch (type) {
	case ETH_TYPE_IP4:
		parse_ip4(p, offset);
		break;
	case ETH_TYPE_IP6:
		parse_ip6(p, offset);
		break;
	case ETH_TYPE_ARP:
		parse_arp(p, offset);
		break;
	}
}

/* IEEE 802.3 and 802.1Q: the EtherType, or up to two tags before it. */
static void parse_eth(struct packet *p)
{
	size_t end = packet_length(p);
	const uint8_t *eth = header(p, 0, end, ETH_HEADER);
	size_t offset = ETH_HEADER;

	if (!eth)
		return;
	uint16_t type = load_be16(eth + 12);

	layer_add(p, LAYER_eth, 0, ETH_HEADER);
	for (unsigned i = 0; i < 2 && (type == ETH_TYPE_8021Q || type == ETH_TYPE_8021AD); i++) {
		const uint8_t *tag = header(p, offset, end, VLAN_HEADER);

		if (!tag)
			return;
		layer_add(p, i ? LAYER_vlan2 : LAYER_vlan, offset, VLAN_HEADER);
		type = load_be16(tag + 2);
		offset += VLAN_HEADER;
	}
	parse_network(p, offset, type);
}

void parse(struct packet *p)
{
	packet_layers_keep(p, 0);
	p->traits = 0;
	p->proto = 0;
	p->malformed = MALFORMED_none;
	p->malformed_at = 0;
	p->datagram_end = (uint32_t)packet_length(p);
	if (p->first == LAYER_eth) {
		parse_eth(p);
		return;
	}
	const uint8_t *ip = header(p, 0, packet_length(p), 1);

	if (!ip)
		return;
	if (ip[0] >> 4 == 4)
		parse_ip4(p, 0);
	else if (ip[0] >> 4 == 6)
		parse_ip6(p, 0);
	else
		malformed(p, MALFORMED_version, 0);
}
