/* SPDX-License-Identifier: MIT */
/* Rewrites a packet at random, within what is legal or beyond it. */
#include "host/packet/mutate.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/edit.h"
#include "host/packet/field.h"
#include "host/packet/inner.h"
#include "host/packet/parse.h"
#include "host/packet/wire.h"

static const struct layer *network_of(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	return ip ? ip : packet_layer(p, LAYER_ipv6);
}

static const struct layer *transport_of(const struct packet *p)
{
	const struct layer *network = network_of(p);

	return network ? checksum_transport(p, network) : NULL;
}

/* What another value would make another packet of, or one that a receiver finds odd. */
static bool is_fixed(const struct field *field)
{
	static const struct {
		enum layer_id layer;
		const char *name;
	} fixed[] = { { LAYER_eth, "type" }, { LAYER_vlan, "etype" }, { LAYER_ip, "proto" },
		{ LAYER_ipv6, "nxt" }, { LAYER_ip, "mf" }, { LAYER_ip, "frag_offset" },
		{ LAYER_icmp, "code" }, { LAYER_icmp, "type" }, { LAYER_icmpv6, "code" },
		{ LAYER_icmpv6, "type" }, { LAYER_tcp, "urgent" }, { LAYER_gre, "proto" },
		{ LAYER_vxlan, "flags" }, { LAYER_dhcp, "op" }, { LAYER_dhcp, "htype" },
		{ LAYER_dhcp, "hlen" } };

	if (field->is_read_only || (field->written & (WRITTEN_LENGTH | WRITTEN_CHECKSUM)))
		return true;
	if (field->layer == LAYER_dns)
		return strcmp(field->name, "id");
	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (fixed[i].layer == field->layer && !strcmp(fixed[i].name, field->name))
			return true;
	}
	return false;
}

/* Numbers that are fewer than their bits can say. */
static const struct range {
	enum layer_id layer;
	const char *name;
	uint16_t least, most;
} ranges[] = {
	{ LAYER_vlan, "id", 1, 4094 }, { LAYER_arp, "opcode", 1, 2 },
	{ LAYER_tcp, "wscale", 0, 14 }, /* RFC 7323 2.3 */
	{ LAYER_icmpv6, "prefix_len", 0, 128 },
	{ LAYER_icmpv6, "opt_mtu", 1280, 65535 }, /* RFC 8200 5 */
	{ LAYER_dhcp, "message_type", 1, 8 },	  /* RFC 2132 9.6 */
};

static uint64_t number_any(const struct field *field, struct rng *rng)
{
	/* RFC 9293 3.4 to 3.6: SYN, SYN ACK, ACK, PSH ACK, FIN ACK, RST, RST ACK. */
	static const uint8_t segments[] = { 2, 18, 16, 24, 17, 4, 20 };
	uint64_t scale = field->scale > 1 ? field->scale : 1;

	if (field->layer == LAYER_tcp && !strcmp(field->name, "flags"))
		return segments[rng_below(rng, sizeof(segments))];
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *range = &ranges[i];

		if (range->layer == field->layer && !strcmp(range->name, field->name))
			return range->least + rng_below(rng, range->most - range->least + 1u);
	}
	if (field->written & WRITTEN_TTL)
		return 1 + rng_below(rng, 255);
	return rng_below(rng, field_max(field) / scale + 1) * scale;
}

/* An address of one host, of those that anybody may have. */
static void address_any(const struct field *field, uint8_t *bytes, struct rng *rng)
{
	for (unsigned i = 0; i < field->width; i++)
		bytes[i] = (uint8_t)rng_next(rng);
	if (field->kind == FIELD_MAC)
		bytes[0] &= 0xfe;
	else if (field->kind == FIELD_IP4)
		bytes[0] = (uint8_t)(128 + bytes[0] % 64);
	else if (field->kind == FIELD_IP6)
		bytes[0] = 0x20 | (bytes[0] & 0x1f);
}

static bool same_layers(const struct packet *a, const struct packet *b)
{
	if (b->malformed || a->layer_count != b->layer_count || a->traits != b->traits)
		return false;
	return !memcmp(a->layer, b->layer, a->layer_count * sizeof(a->layer[0]));
}

/* Writes a random value, unless that makes another kind of packet. */
static void field_any(
	struct packet *p, const struct layer *layer, const struct field *field, struct rng *rng)
{
	const struct packet was = *p;
	struct value before, value = { .kind = field->kind };

	if (is_fixed(field) || field_get(p, layer, field, &before) != FIELD_OK)
		return;
	if (field->kind < FIELD_MAC)
		value.number = number_any(field, rng);
	else
		address_any(field, value.bytes, rng);
	field_set(p, layer, field, &value);
	parse(p);
	if (same_layers(&was, p))
		return;
	*p = was;
	field_set(p, layer, field, &before);
	*p = was;
}

static void layer_any(struct packet *p, unsigned i, struct rng *rng)
{
	const struct layer *layer = &p->layer[i];
	unsigned count;
	const struct field *field = field_of_layer(layer->id, &count);

	for (; count; field++, count--) {
		/* The flags were written all together. */
		if (layer->id != LAYER_tcp || field->kind != FIELD_BOOL)
			field_any(p, layer, field, rng);
	}
}

/* Does nothing known read the payload? */
static bool is_opaque(const struct packet *p)
{
	const struct layer *last = p->layer_count ? &p->layer[p->layer_count - 1] : NULL;
	const uint8_t *bytes = last ? layer_bytes(p, last) : NULL;

	if (!last)
		return false;
	switch (last->id) {
	case LAYER_icmp:
		return bytes[0] == ICMP_ECHO_REQUEST || bytes[0] == ICMP_ECHO_REPLY;
	case LAYER_icmpv6:
		return bytes[0] == ICMPV6_ECHO_REQUEST || bytes[0] == ICMPV6_ECHO_REPLY;
	case LAYER_udp:
	case LAYER_tcp:
		return true;
	}
	return false;
}

static void payload_any(struct packet *p, struct rng *rng)
{
	uint8_t bytes[MUTATE_PAYLOAD];
	size_t len = rng_below(rng, sizeof(bytes) + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)rng_next(rng);
	if (len <= edit_payload_most(p, PACKET_BYTES_MAX))
		edit_payload(p, bytes, len);
}

static void sums_fill(const struct packet *p)
{
	const struct layer *network = network_of(p), *transport = transport_of(p);

	if (!transport) /* it has a checksum of its own if its flags say so */
		transport = packet_layer(p, LAYER_gre);
	if (network && network->id == LAYER_ip)
		checksum_ip_fill(p, network);
	if (transport && !(p->traits & TRAIT_FRAGMENT))
		checksum_transport_fill(p, network, transport);
}

/* Inner packets are few (inner.h), so this calls itself rarely. Their checksums are summed before
 * those around them. */
static void packet_any(struct packet *p, struct rng *rng)
{
	struct packet view;

	for (unsigned i = 0; i < p->layer_count; i++)
		layer_any(p, i, rng);
	if (inner_view(&view, p)) {
		if (!view.malformed)
			packet_any(&view, rng);
	} else if (is_opaque(p) && !(p->traits & TRAIT_FRAGMENT)) {
		payload_any(p, rng);
	}
	sums_fill(p);
}

void mutate_fields(struct packet *p, struct rng *rng)
{
	p->csum.state = CSUM_NONE;
	packet_any(p, rng);
	p->written = 0;
}

/* The ways to lie. Each makes one header say what is not so; false: no such header is there. */

static bool lie_truncated(struct packet *p, struct rng *rng)
{
	return packet_trim(p, rng_below(rng, packet_length(p)));
}

static bool lie_version(struct packet *p, struct rng *rng)
{
	const struct layer *network = network_of(p);

	if (!network)
		return false;
	*layer_bytes(p, network) ^= (uint8_t)((1 + rng_below(rng, 15)) << 4);
	return true;
}

static bool lie_header_length(struct packet *p, struct rng *rng)
{
	const struct layer *ip = packet_layer(p, LAYER_ip), *tcp = packet_layer(p, LAYER_tcp);

	if (tcp && (!ip || rng_below(rng, 2)))
		layer_bytes(p, tcp)[TCP_OFFSET] ^= (uint8_t)((1 + rng_below(rng, 15)) << 4);
	else if (ip)
		*layer_bytes(p, ip) ^= (uint8_t)(1 + rng_below(rng, 15));
	return ip || tcp;
}

static bool lie_length(struct packet *p, struct rng *rng)
{
	const struct layer *network = network_of(p);

	if (!network)
		return false;
	store_be16(layer_bytes(p, network) + (network->id == LAYER_ip ? IP_LEN : IPV6_PLEN),
		(uint16_t)rng_next(rng));
	return true;
}

static bool lie_udp_length(struct packet *p, struct rng *rng)
{
	const struct layer *udp = packet_layer(p, LAYER_udp);

	if (!udp)
		return false;
	store_be16(layer_bytes(p, udp) + UDP_LENGTH,
		(uint16_t)(rng_below(rng, 2) ? rng_below(rng, UDP_HEADER) : rng_next(rng)));
	return true;
}

static bool lie_ip_checksum(struct packet *p, struct rng *rng)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	uint8_t *field = ip ? layer_bytes(p, ip) + IP_CHECKSUM : NULL;

	if (field)
		store_be16(field, (uint16_t)(load_be16(field) ^ (1 + rng_below(rng, 0xfffe))));
	return field;
}

static bool lie_checksum(struct packet *p, struct rng *rng)
{
	const struct layer *transport = transport_of(p);
	uint8_t *field = transport ? checksum_field(p, transport) : NULL;

	if (transport && transport->id == LAYER_sctp)
		field = layer_bytes(p, transport) + SCTP_CHECKSUM;
	if (field)
		store_be16(field, (uint16_t)(load_be16(field) ^ (1 + rng_below(rng, 0xfffe))));
	return field;
}

/* A fragment that ends beyond 65535, or an extension header that is none. */
static bool lie_chain(struct packet *p, struct rng *rng)
{
	static const uint8_t chain[] = { PROTO_HOPOPTS, PROTO_ROUTING, PROTO_FRAGMENT,
		PROTO_DSTOPTS, PROTO_AH };
	const struct layer *network = network_of(p);

	if (!network)
		return false;
	if (network->id == LAYER_ip)
		store_be16(layer_bytes(p, network) + IP_FRAG,
			(uint16_t)(IP_FRAG_MORE | (IP_FRAG_OFFSET - rng_below(rng, 2))));
	else
		layer_bytes(p, network)[IPV6_NXT] = chain[rng_below(rng, sizeof(chain))];
	return true;
}

static bool lie_arp(struct packet *p, struct rng *rng)
{
	const struct layer *arp = packet_layer(p, LAYER_arp);

	if (arp)
		layer_bytes(p, arp)[rng_below(rng, ARP_OPCODE)] ^=
			(uint8_t)(1 + rng_below(rng, 255));
	return arp;
}

static bool lie_bits(struct packet *p, struct rng *rng)
{
	for (uint64_t flips = 1 + rng_below(rng, 8); flips; flips--)
		p->data[rng_below(rng, packet_length(p))] ^= (uint8_t)(1u << rng_below(rng, 8));
	return true;
}

static bool is_bad(const struct packet *p)
{
	const struct layer *network = network_of(p), *transport = transport_of(p);

	if (p->malformed)
		return true;
	if (network && network->id == LAYER_ip && !checksum_ip_is_right(p, network))
		return true;
	return transport && !(p->traits & TRAIT_FRAGMENT) &&
	       !checksum_transport_is_right(p, network, transport);
}

/* Half of the lies come with a right header checksum, so that nothing but the lie gives them away.
 */
static void header_sum_mend(struct packet *p, struct rng *rng)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	bool is_sum = ip && checksum_ip_is_right(p, ip);

	if (ip && !is_sum && rng_below(rng, 2))
		checksum_ip_fill(p, ip);
}

typedef bool lie_fn(struct packet *p, struct rng *rng);

bool mutate_corrupt(struct packet *p, struct rng *rng)
{
	static lie_fn *const lies[] = { lie_truncated, lie_version, lie_header_length, lie_length,
		lie_udp_length, lie_ip_checksum, lie_checksum, lie_chain, lie_arp, lie_bits };
	enum { LIES = sizeof(lies) / sizeof(lies[0]), TRIES = 64 };

	size_t len = packet_length(p);

	if (!len)
		return false;
	p->csum.state = CSUM_NONE;
	parse(p);
	for (unsigned i = 0; i < TRIES; i++) {
		lie_fn *lie = lies[rng_below(rng, LIES)];

		if (!lie(p, rng))
			continue;
		if (lie != lie_ip_checksum && lie != lie_bits && lie != lie_truncated)
			header_sum_mend(p, rng);
		parse(p);
		if (is_bad(p))
			return true;
	}
	/* Of a frame of which nothing is known the header alone can be wrong. */
	packet_trim(p, rng_below(rng, len < ETH_HEADER ? len : ETH_HEADER));
	parse(p);
	return true;
}
