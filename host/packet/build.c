/* SPDX-License-Identifier: MIT */
/* Writes headers from the inside out, each around what is already there. */
#include "host/packet/build.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/parse.h"
#include "host/packet/stack.h"
#include "host/packet/wire.h"

enum {
	ND_HLIM = 255, /* RFC 4861 4.1 to 4.5 */
	TCP_FLAG_SYN = 2,
	LENGTH_MAX = 65535,
};

/* What a header holds that nobody gave anything. Hosts are those of the documentation: RFC 7042
 * 2.1.1 (MAC), RFC 5737 (IPv4), RFC 3849 (IPv6): they may be answered, and are nobody's. A whole
 * datagram has DF set: then an id of 0 is legal (RFC 6864 4.1). */
static const uint8_t eth_header[] = { 0, 0, 0x5e, 0, 0x53, 2, 0, 0, 0x5e, 0, 0x53, 1, 0, 0 };
static const uint8_t vlan_header[] = { 0, 1, 0, 0 };
static const uint8_t arp_header[] = { 0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0x5e, 0, 0x53, 1, 192, 0, 2, 1,
	0, 0, 0, 0, 0, 0, 192, 0, 2, 2 };
static const uint8_t ip_header[] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 0, 0, 0, 192, 0, 2, 1, 192,
	0, 2, 2 };
static const uint8_t ipv6_header[] = { 0x60, 0, 0, 0, 0, 0, 0, 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 };
static const uint8_t icmp_header[] = { ICMP_ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t icmpv6_header[] = { ICMPV6_ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t udp_header[] = { 0xc0, 0, 0, 9, 0, 0, 0, 0 };
static const uint8_t tcp_header[] = { 0xc0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, TCP_FLAG_SYN,
	0xff, 0xff, 0, 0, 0, 0 };

static const uint8_t sctp_header[] = { 0xc0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t gre_header[] = { 0, 0, 0, 0 };
static const uint8_t vxlan_header[] = { 8, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t dns_header[] = { 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t dhcp_header[BOOTP_HEADER + 4] = { 1, 1, 6, [28] = 0, 0, 0x5e, 0, 0x53,
	1, [BOOTP_HEADER] = 0x63, 0x82, 0x53, 0x63 };

static const struct {
	const uint8_t *bytes;
	uint8_t length;
} headers[LAYER_COUNT] = {
	[LAYER_eth] = { eth_header, sizeof(eth_header) },
	[LAYER_vlan] = { vlan_header, sizeof(vlan_header) },
	[LAYER_vlan2] = { vlan_header, sizeof(vlan_header) },
	[LAYER_arp] = { arp_header, sizeof(arp_header) },
	[LAYER_ip] = { ip_header, sizeof(ip_header) },
	[LAYER_ipv6] = { ipv6_header, sizeof(ipv6_header) },
	[LAYER_icmp] = { icmp_header, sizeof(icmp_header) },
	[LAYER_icmpv6] = { icmpv6_header, sizeof(icmpv6_header) },
	[LAYER_udp] = { udp_header, sizeof(udp_header) },
	[LAYER_tcp] = { tcp_header, sizeof(tcp_header) },
	[LAYER_sctp] = { sctp_header, sizeof(sctp_header) },
	[LAYER_gre] = { gre_header, sizeof(gre_header) },
	[LAYER_vxlan] = { vxlan_header, sizeof(vxlan_header) },
	[LAYER_dns] = { dns_header, sizeof(dns_header) },
	[LAYER_dhcp] = { dhcp_header, sizeof(dhcp_header) },
};

static const struct build_field *given(const struct build_layer *layer, const char *name)
{
	for (unsigned i = 0; i < layer->count; i++) {
		if (!strcmp(layer->fields[i].field->name, name))
			return &layer->fields[i];
	}
	return NULL;
}

/* RFC 4861 4: neighbour discovery goes on behind the eight bytes that ICMPv6 has in common. */
static size_t body_length(const struct build_layer *layer)
{
	const struct build_field *type = given(layer, "type");

	if (layer->id != LAYER_icmpv6 || !type)
		return 0;
	switch (type->value.number) {
	case ICMPV6_RA:
		return 8;
	case ICMPV6_NS:
	case ICMPV6_NA:
		return 16;
	case ICMPV6_REDIRECT:
		return 32;
	}
	return 0;
}

/* RFC 2890 2: the optional words that are given. */
static unsigned gre_flags(const struct build_layer *layer)
{
	return (given(layer, "checksum") ? GRE_HAS_CHECKSUM : 0) |
	       (given(layer, "key") ? GRE_HAS_KEY : 0) | (given(layer, "seq") ? GRE_HAS_SEQ : 0);
}

static size_t header_length(const struct build_layer *layer)
{
	unsigned words =
		layer->id == LAYER_gre ? (unsigned)__builtin_popcount(gre_flags(layer)) : 0;

	return headers[layer->id].length + 4 * words;
}

size_t build_length(const struct build_layer *layers, unsigned count)
{
	size_t length = 0;

	for (unsigned i = 0; i < count; i++)
		length += header_length(&layers[i]) + body_length(&layers[i]) +
			  layers[i].extra_length;
	return length;
}

static enum build_status order_check(const struct build_layer *layers, unsigned count,
	enum layer_id child, struct build_why *why)
{
	enum layer_id parent = LAYER_none;

	for (unsigned i = 0; i <= count; i++) {
		enum layer_id id = i < count ? layers[i].id : child;

		why->layer = i;
		if (!stack_may_follow(parent, id))
			return BUILD_ORDER;
		parent = id;
	}
	return BUILD_OK;
}

/* A flag that is given stands alone; without any a segment is a SYN. */
static bool has_flags(const struct build_layer *layer)
{
	for (unsigned i = 0; i < layer->count; i++) {
		const struct field *field = layer->fields[i].field;

		if (field->offset + field->width == TCP_FLAGS + 1)
			return true;
	}
	return false;
}

/* What stands behind the fixed header, and what counts it. */
static void extra_place(const struct build_layer *layer, uint8_t *bytes, size_t at)
{
	size_t words = (at + layer->extra_length) / 4;

	if (layer->extra_length)
		memcpy(bytes + at, layer->extra, layer->extra_length);
	switch (layer->id) {
	case LAYER_ip:
		bytes[0] = (uint8_t)(0x40 | words);
		break;
	case LAYER_ipv6:
		if (layer->extra_length)
			bytes[IPV6_NXT] = layer->first_extension;
		break;
	case LAYER_tcp:
		bytes[TCP_OFFSET] = (uint8_t)(words << 4);
		break;
	case LAYER_dns:
		store_be16(bytes + 4, layer->questions);
		store_be16(bytes + 6, layer->answers);
		if (layer->answers)
			bytes[2] |= 0x80; /* RFC 1035 4.1.1: a response */
		break;
	default:
		break;
	}
}

static void header_place(struct packet *p, const struct build_layer *layer, size_t offset)
{
	size_t length = header_length(layer), fixed = headers[layer->id].length;
	size_t body = length + body_length(layer);
	uint8_t *bytes = p->data + offset;

	memcpy(bytes, headers[layer->id].bytes, fixed);
	memset(bytes + fixed, 0, body - fixed);
	extra_place(layer, bytes, body);
	if (layer->id == LAYER_ip || layer->id == LAYER_ipv6 || layer->id == LAYER_tcp)
		length += layer->extra_length;
	packet_layer_add(p, layer->id, offset, length);
	if (layer->id == LAYER_udp) /* ends what options are looked for in */
		store_be16(bytes + UDP_LENGTH, (uint16_t)(packet_length(p) - offset));
	if (layer->id == LAYER_tcp && has_flags(layer))
		bytes[TCP_FLAGS] = 0;
	if (layer->id == LAYER_gre)
		store_be16(bytes, (uint16_t)gre_flags(layer));
	if (layer->id == LAYER_ip && (given(layer, "mf") || given(layer, "frag_offset")))
		store_be16(bytes + IP_FRAG, 0);
}

/* Those that edits do not move come last; else a checksum would follow the fields after it. */
static enum build_status fields_set(struct packet *p, const struct layer *at,
	const struct build_layer *layer, bool is_checksums, struct build_why *why)
{
	for (unsigned i = 0; i < layer->count; i++) {
		const struct build_field *set = &layer->fields[i];

		if (!(set->field->written & WRITTEN_CHECKSUM) == is_checksums)
			continue;
		why->field = set->field;
		if (field_set(p, at, set->field, &set->value) != FIELD_OK)
			return BUILD_ABSENT;
	}
	return BUILD_OK;
}

static void type_store(const struct build_layer *layer, const char *name, uint8_t *at, int type)
{
	if (!given(layer, name))
		store_be16(at, (uint16_t)type);
}

/* RFC 1112 6.4 and RFC 2464 7: a group's MAC address; ARP asks everybody (RFC 826). */
static void eth_dst_store(const struct packet *p, uint8_t *mac)
{
	const struct layer *last = &p->layer[p->layer_count - 1];

	for (const struct layer *layer = p->layer; layer <= last; layer++) {
		const uint8_t *bytes = layer_bytes(p, layer);
		const uint8_t *dst = bytes + IP_DST;

		if (layer->id == LAYER_ip && load_be32(dst) == UINT32_MAX) {
			memset(mac, 0xff, MAC_BYTES);
		} else if (layer->id == LAYER_ip && dst[0] >> 4 == 14) {
			memcpy(mac, (const uint8_t[]){ 1, 0, 0x5e, dst[1] & 0x7f, dst[2], dst[3] },
				MAC_BYTES);
		} else if (layer->id == LAYER_ipv6 && bytes[IPV6_DST] == 0xff) {
			memset(mac, 0x33, 2);
			memcpy(mac + 2, bytes + IPV6_DST + 12, 4);
		} else if (layer->id == LAYER_arp && load_be16(bytes + ARP_OPCODE) == 1) {
			memset(mac, 0xff, MAC_BYTES);
		}
	}
}

static void eth_finish(const struct packet *p, const struct build_layer *layer, uint8_t *bytes,
	enum layer_id child)
{
	bool is_double = child == LAYER_vlan && packet_layer(p, LAYER_vlan2);

	/* IEEE 802.1ad: the outer of two tags is the provider's. */
	type_store(
		layer, "type", bytes + 12, is_double ? ETH_TYPE_8021AD : stack_ether_type(child));
	if (!given(layer, "dst"))
		eth_dst_store(p, bytes);
}

/* RFC 826: who sends it says so twice. */
static void arp_finish(const struct packet *p, const struct build_layer *layer, uint8_t *bytes)
{
	const uint8_t *eth = layer_bytes(p, packet_layer(p, LAYER_eth));

	if (!given(layer, "src_mac"))
		memcpy(bytes + ARP_SRC_MAC, eth + MAC_BYTES, MAC_BYTES);
	if (!given(layer, "dst_mac") && load_be16(bytes + ARP_OPCODE) != 1)
		memcpy(bytes + ARP_DST_MAC, eth, MAC_BYTES);
}

static enum build_status length_store(const struct build_layer *layer, const char *name,
	uint8_t *at, size_t length, struct build_why *why)
{
	if (given(layer, name))
		return BUILD_OK;
	why->field = field_find(layer->id, name);
	why->length = length;
	if (length > LENGTH_MAX)
		return BUILD_LENGTH;
	store_be16(at, (uint16_t)length);
	return BUILD_OK;
}

static enum build_status ip_finish(struct packet *p, const struct build_layer *layer,
	uint8_t *bytes, enum layer_id child, struct build_why *why)
{
	if (!given(layer, "proto"))
		bytes[IP_PROTO] = stack_ip_proto(child);
	p->proto = bytes[IP_PROTO];
	return length_store(layer, "len", bytes + IP_LEN, (size_t)(p->tail - bytes), why);
}

/* RFC 4291 2.7.1: a solicitation goes to the group of its target. */
static void solicited_node_store(uint8_t *dst, const uint8_t *target)
{
	static const uint8_t group[13] = { 0xff, 2, [11] = 1, [12] = 0xff };

	memcpy(dst, group, sizeof(group));
	memcpy(dst + 13, target + 13, 3);
}

/* RFC 8200 4: where the number of what follows the last extension header stands. */
static uint8_t *ipv6_last_nxt(const struct build_layer *layer, uint8_t *bytes)
{
	uint8_t proto = layer->first_extension, *nxt = bytes + IPV6_NXT;
	uint8_t *end = bytes + IPV6_HEADER + layer->extra_length;

	for (uint8_t *at = bytes + IPV6_HEADER; at < end;) {
		nxt = at;
		at += proto == PROTO_FRAGMENT ? 8 : ((size_t)at[1] + 1) * 8;
		proto = *nxt;
	}
	return nxt;
}

static enum build_status ipv6_finish(struct packet *p, const struct build_layer *layer,
	uint8_t *bytes, enum layer_id child, struct build_why *why)
{
	size_t length = (size_t)(p->tail - bytes) - IPV6_HEADER;
	const uint8_t *icmp = bytes + IPV6_HEADER + layer->extra_length;
	uint8_t *nxt = ipv6_last_nxt(layer, bytes);

	if (layer->extra_length || !given(layer, "nxt"))
		*nxt = length > layer->extra_length ? stack_ip_proto(child) : PROTO_NONE;
	p->proto = *nxt;
	if (child == LAYER_icmpv6 && *icmp >= ICMPV6_RS && *icmp <= ICMPV6_REDIRECT &&
		!given(layer, "hlim"))
		bytes[IPV6_HLIM] = ND_HLIM;
	if (child == LAYER_icmpv6 && *icmp == ICMPV6_NS && !given(layer, "dst"))
		solicited_node_store(bytes + IPV6_DST, icmp + ND_TARGET);
	return length_store(layer, "plen", bytes + IPV6_PLEN, length, why);
}

static enum build_status udp_finish(struct packet *p, const struct build_layer *layer,
	uint8_t *bytes, enum layer_id child, struct build_why *why)
{
	uint16_t port = layer_kinds[child].udp_port;

	if (port && !given(layer, "dstport"))
		store_be16(bytes + 2, port);
	if (child == LAYER_dhcp && !given(layer, "srcport"))
		store_be16(bytes, PORT_DHCP_CLIENT);
	return length_store(layer, "length", bytes + UDP_LENGTH, (size_t)(p->tail - bytes), why);
}

/* One header whose fields are set and behind which all is finished. */
static enum build_status header_finish(struct packet *p, const struct build_layer *layers,
	unsigned i, enum layer_id child, struct build_why *why)
{
	const struct build_layer *layer = &layers[i];
	uint8_t *bytes = layer_bytes(p, &p->layer[i]);

	switch (layer->id) {
	case LAYER_eth:
		eth_finish(p, layer, bytes, child);
		break;
	case LAYER_vlan:
	case LAYER_vlan2:
		type_store(layer, "etype", bytes + 2, stack_ether_type(child));
		break;
	case LAYER_arp:
		arp_finish(p, layer, bytes);
		break;
	case LAYER_ip:
		return ip_finish(p, layer, bytes, child, why);
	case LAYER_ipv6:
		return ipv6_finish(p, layer, bytes, child, why);
	case LAYER_udp:
		return udp_finish(p, layer, bytes, child, why);
	case LAYER_gre:
		type_store(layer, "proto", bytes + GRE_PROTO, stack_ether_type(child));
		break;
	default:
		break;
	}
	return BUILD_OK;
}

static void sums_fill(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *network = ip ? ip : packet_layer(p, LAYER_ipv6);
	const struct layer *transport = network ? checksum_transport(p, network) : NULL;

	if (ip)
		checksum_ip_fill(p, ip);
	if (transport)
		checksum_transport_fill(p, network, transport);
}

/* One packet's headers, around what it carries. */
static enum build_status level_build(struct packet *p, const struct build_layer *layers,
	unsigned count, enum layer_id child, struct build_why *why)
{
	enum build_status status = BUILD_OK;
	size_t offset = 0;

	packet_push(p, build_length(layers, count));
	packet_layers_keep(p, 0);
	p->traits = 0;
	p->datagram_end = (uint32_t)packet_length(p);
	for (unsigned i = 0; i < count; i++) {
		header_place(p, &layers[i], offset);
		offset += build_length(&layers[i], 1);
	}
	/* From the inside out: a UDP length that is given lies to what is looked for behind it. */
	for (unsigned i = count; i-- > 0;) {
		why->layer = i;
		status = fields_set(p, &p->layer[i], &layers[i], false, why);
		if (status != BUILD_OK)
			return status;
	}
	for (unsigned i = count; i-- > 0;) {
		why->layer = i;
		status = header_finish(p, layers, i, i + 1 < count ? layers[i + 1].id : child, why);
		if (status != BUILD_OK)
			return status;
	}
	sums_fill(p);
	for (unsigned i = 0; i < count; i++)
		fields_set(p, &p->layer[i], &layers[i], true, why);
	return BUILD_OK;
}

/* Where the innermost packet of layers[0..end) starts. */
static unsigned level_start(const struct build_layer *layers, unsigned end)
{
	unsigned start = end - 1;

	while (start && !(layers[start].id <= LAYER_ipv6 && layers[start - 1].id >= LAYER_ip))
		start--;
	return start;
}

enum build_status build(
	struct packet *p, const struct build_layer *layers, unsigned count, struct build_why *why)
{
	const struct packet was = *p;
	enum layer_id child = p->layer_count ? (enum layer_id)p->layer[0].id : LAYER_none;
	enum build_status status;

	*why = (struct build_why){ 0 };
	status = order_check(layers, count, child, why);
	if (status == BUILD_OK && build_length(layers, count) > packet_headroom(p))
		status = BUILD_ROOM;
	for (unsigned end = count; status == BUILD_OK && end;) {
		unsigned start = level_start(layers, end);

		status = level_build(p, layers + start, end - start, child, why);
		why->layer += start;
		child = layers[start].id;
		end = start;
	}
	if (status != BUILD_OK) {
		*p = was;
		return status;
	}
	p->first = layers[0].id == LAYER_eth ? LAYER_eth : LAYER_ip;
	parse(p);
	return BUILD_OK;
}
