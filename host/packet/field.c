/* SPDX-License-Identifier: MIT */
/* Reads and writes a packet's fields in place, by the table in fields.def. */
#include "host/packet/field.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/dns.h"
#include "host/packet/inner.h"
#include "host/packet/names.h"
#include "host/packet/option.h"
#include "host/packet/wire.h"

const struct field *field_of_layer(enum layer_id layer, unsigned *count)
{
	const struct field *first = NULL;

	if (layer == LAYER_vlan2)
		layer = LAYER_vlan;
	*count = 0;
	for (unsigned i = 0; i < field_count; i++) {
		if (field_table[i].layer != layer)
			continue;
		if (!first)
			first = &field_table[i];
		++*count;
	}
	return first;
}

const struct field *field_find(enum layer_id layer, const char *name)
{
	unsigned count;
	const struct field *field = field_of_layer(layer, &count);

	for (; count; field++, count--) {
		if (!strcmp(field->name, name))
			return field;
	}
	return NULL;
}

static uint32_t width_mask(const struct field *field)
{
	return field->mask ? field->mask : UINT32_MAX >> (32 - 8 * field->width);
}

uint64_t field_max(const struct field *field)
{
	uint64_t max = width_mask(field) >> field->shift;

	return field->scale > 1 ? max * field->scale : max;
}

static bool has_when(const struct packet *p, const struct layer *layer, enum field_when when)
{
	uint8_t type = *layer_bytes(p, layer);

	switch (when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_ICMP_QUERY:
		return type == ICMP_ECHO_REQUEST || type == ICMP_ECHO_REPLY ||
		       (type >= ICMP_TIMESTAMP && type <= ICMP_MASK_REPLY);
	case WHEN_ICMP_TOO_BIG: /* RFC 1191 4 */
		return load_be16(layer_bytes(p, layer)) == (ICMP_UNREACHABLE << 8 | 4);
	case WHEN_ICMP_REDIRECT:
		return type == ICMP_REDIRECT;
	case WHEN_ICMP_PROBLEM:
		return type == ICMP_PARAMETER_PROBLEM;
	case WHEN_ICMP_TIMESTAMP:
		return type == ICMP_TIMESTAMP || type == ICMP_TIMESTAMP_REPLY;
	case WHEN_ICMPV6_ECHO:
		return type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY;
	case WHEN_ICMPV6_TARGET:
		return type == ICMPV6_NS || type == ICMPV6_NA || type == ICMPV6_REDIRECT;
	case WHEN_ICMPV6_TOO_BIG:
		return type == ICMPV6_TOO_BIG;
	case WHEN_ICMPV6_PROBLEM:
		return type == ICMPV6_PARAMETER_PROBLEM;
	case WHEN_ICMPV6_RA:
		return type == ICMPV6_RA;
	case WHEN_ICMPV6_NA:
		return type == ICMPV6_NA;
	case WHEN_ICMPV6_REDIRECT:
		return type == ICMPV6_REDIRECT;
	}
	return false;
}

/* RFC 2784 2.1, RFC 2890 2: checksum, key and sequence number follow in this order, each if its bit
 * is set. */
static uint8_t *gre_word(const struct packet *p, const struct layer *layer, uint16_t bit)
{
	uint8_t *gre = layer_bytes(p, layer);
	uint16_t flags = load_be16(gre);
	unsigned at = GRE_HEADER;

	if (!(flags & bit))
		return NULL;
	if ((flags & GRE_HAS_CHECKSUM) && bit < GRE_HAS_CHECKSUM)
		at += 4;
	if ((flags & GRE_HAS_KEY) && bit < GRE_HAS_KEY)
		at += 4;
	return at + 4 <= layer->length ? gre + at : NULL;
}

static uint8_t *gre_checksum(
	const struct packet *p, const struct layer *layer, const struct field *field)
{
	(void)field;
	return gre_word(p, layer, GRE_HAS_CHECKSUM);
}

static uint8_t *gre_key(
	const struct packet *p, const struct layer *layer, const struct field *field)
{
	(void)field;
	return gre_word(p, layer, GRE_HAS_KEY);
}

static uint8_t *gre_seq(
	const struct packet *p, const struct layer *layer, const struct field *field)
{
	(void)field;
	return gre_word(p, layer, GRE_HAS_SEQ);
}

/* RFC 8200 4.5: in the chain of extension headers, which parse has walked. */
static uint8_t *ipv6_fragment(
	const struct packet *p, const struct layer *layer, const struct field *field)
{
	uint8_t *ip = layer_bytes(p, layer);
	uint8_t proto = ip[IPV6_NXT];

	for (size_t at = IPV6_HEADER; at + 8 <= layer->length;) {
		if (proto == PROTO_FRAGMENT)
			return ip + at + field->offset;
		if (proto != PROTO_HOPOPTS && proto != PROTO_ROUTING && proto != PROTO_DSTOPTS &&
			proto != PROTO_AH)
			break;
		size_t units = ip[at + 1], start = at;

		at += proto == PROTO_AH ? (units + 2) * 4 : (units + 1) * 8;
		proto = ip[start];
	}
	return NULL;
}

const struct field field_table[] = {
#define FIELD(LAYER, NAME, ...) { .layer = LAYER_##LAYER, .name = #NAME, __VA_ARGS__ },
#include "host/packet/fields.def"
#undef FIELD
};

const unsigned field_count = sizeof(field_table) / sizeof(field_table[0]);

uint8_t *field_at(const struct packet *p, const struct layer *layer, const struct field *field)
{
	if (field->call)
		return NULL;
	if (field->at)
		return has_when(p, layer, field->when) ? field->at(p, layer, field) : NULL;
	size_t end = layer->id >= LAYER_ip ? p->datagram_end : packet_length(p);
	size_t at = (size_t)layer->offset + field->offset;

	if (at + field->width > end || !has_when(p, layer, field->when))
		return NULL;
	return packet_at(p, at, field->width);
}

enum field_status field_get(const struct packet *p, const struct layer *layer,
	const struct field *field, struct value *out)
{
	if (field->call)
		return field->call(p, layer, field, out) ? FIELD_OK : FIELD_ABSENT;
	const uint8_t *at = field_at(p, layer, field);

	if (!at)
		return FIELD_ABSENT;
	out->kind = field->kind;
	if (!kind_is_number(field->kind)) {
		out->length = field->width;
		memcpy(out->bytes, at, field->width);
		return FIELD_OK;
	}
	uint64_t number = field_load(at, field);

	out->number = field->scale > 1 ? number * field->scale : number;
	return FIELD_OK;
}

/* The transport whose checksum covers `layer`: itself, or the one that carries it. */
static const struct layer *transport_of(const struct packet *p, const struct layer *layer)
{
	while (layer > p->layer && layer->id > LAYER_gre)
		layer--;
	return layer;
}

/* Is it the checksum of this transport that is still to be completed, not of one inside it? */
static bool is_partial(const struct packet *p, const struct layer *transport)
{
	return p->csum.state == CSUM_PARTIAL && p->csum.start <= transport->offset;
}

static bool has_pseudo(const struct layer *transport)
{
	return transport->id == LAYER_icmpv6 || transport->id == LAYER_udp ||
	       transport->id == LAYER_tcp;
}

/* Makes the checksums that cover an edit of `layer` follow it. */
static void checksums_follow(
	struct packet *p, const struct layer *layer, uint8_t effect, uint16_t delta)
{
	const struct layer *transport = transport_of(p, layer);

	if (effect & EFFECT_IP) {
		uint8_t *at = layer_bytes(p, layer) + IP_CHECKSUM;

		store_be16(at, checksum_add(load_be16(at), delta));
	}
	if (effect & EFFECT_PSEUDO) {
		transport = checksum_transport(p, layer);
		if (!transport || !has_pseudo(transport))
			return;
		/* A partial checksum holds the pseudo-header's sum itself, not its complement. */
		if (is_partial(p, transport))
			delta = (uint16_t)~delta;
		checksum_transport_add(p, transport, delta);
	} else if ((effect & EFFECT_OWN) && !is_partial(p, transport)) {
		checksum_transport_add(p, transport, delta);
	}
}

/* The sum of a view's bytes as they will leave: a checksum that is still to be completed over its
 * bytes will cancel all of them but the pseudo-header's sum that it holds. */
static uint16_t view_sum(const struct packet *view)
{
	size_t len = packet_length(view), start = view->csum.start;
	const uint8_t *field = packet_at(view, start + view->csum.offset, 2);

	if (view->csum.state != CSUM_PARTIAL || !field || start > len || start % 2)
		return checksum_sum(view->data, len, 0);
	return checksum_sum(view->data, start, (uint16_t)~load_be16(field));
}

/* The sums of the views from p outwards. */
static void views_sum(const struct packet *p, uint16_t *sums)
{
	for (; p->outer; p = p->outer)
		*sums++ = view_sum(p);
}

/* Makes the checksums around the views follow what changed since `before`: tunnel headers are even,
 * so a word of the view is a word of what is around it. */
static void views_follow(struct packet *p, const uint16_t *before)
{
	for (; p->outer; p = p->outer, before++) {
		struct packet *outer = p->outer;
		const struct layer *last = &outer->layer[outer->layer_count - 1];
		uint16_t after = view_sum(p);

		if (last->id >= LAYER_icmp && after != *before)
			checksums_follow(outer, last, EFFECT_OWN, checksum_delta(*before, after));
	}
}

/* RFC 1071 2 (B): the sum of bytes at an odd offset is that of an even one with its bytes swapped.
 */
static uint16_t sum_at(const uint8_t *at, size_t len, bool is_odd)
{
	uint16_t sum;

	switch (len) { /* those of most fields without a call */
	case 1:
		sum = (uint16_t)(at[0] << 8);
		break;
	case 2:
		sum = load_be16(at);
		break;
	case 4:
		sum = checksum_fold((uint32_t)load_be16(at) + load_be16(at + 2));
		break;
	default:
		sum = checksum_sum(at, len, 0);
	}
	return is_odd ? (uint16_t)(sum << 8 | sum >> 8) : sum;
}

static void word_store(uint8_t *at, unsigned width, uint32_t word)
{
	if (width == 1)
		at[0] = (uint8_t)word;
	else if (width == 2)
		store_be16(at, (uint16_t)word);
	else
		store_be32(at, word);
}

static void store(uint8_t *at, const struct field *field, const struct value *in)
{
	if (!kind_is_number(field->kind)) {
		memcpy(at, in->bytes, field->width);
		return;
	}
	uint32_t mask = width_mask(field);
	uint32_t number = (uint32_t)(field->scale > 1 ? in->number / field->scale : in->number);

	word_store(at, field->width, (field_word(at, field) & ~mask) | number << field->shift);
}

enum field_status field_check(const struct field *field, const struct value *in)
{
	if (field->is_read_only)
		return FIELD_READ_ONLY;
	if (in->kind != field->kind)
		return FIELD_KIND;
	if (field->kind >= FIELD_BYTES)
		return in->length == field->width ? FIELD_OK : FIELD_RANGE;
	if (!kind_is_number(field->kind))
		return FIELD_OK;
	if (in->number > field_max(field) || (field->scale > 1 && in->number % field->scale))
		return FIELD_RANGE;
	return FIELD_OK;
}

/* The sum of the words around the field that checksums cover. */
static uint16_t covered_sum(const struct packet *p, const struct layer *layer,
	const struct field *field, const uint8_t *at)
{
	/* RFC 768: the length stands in the pseudo-header too, and says what is summed. */
	if (field->effect & EFFECT_LENGTH) {
		size_t told = load_be16(at);
		size_t len = checksum_udp_covered(told, p->datagram_end - layer->offset);

		return checksum_sum(layer_bytes(p, layer), len, (uint32_t)told);
	}
	/* The pseudo-header has the protocol as a low byte, as IPv4 has. */
	return sum_at(at, field->width,
		(at - layer_bytes(p, layer)) % 2 || (field->effect & EFFECT_PROTO));
}

/* An IPv6 header's number is that of the transport only where nothing stands between them. */
static uint8_t effect_of(const struct layer *layer, const struct field *field)
{
	bool is_apart = layer->id == LAYER_ipv6 && layer->length > IPV6_HEADER;

	return is_apart && (field->effect & EFFECT_PROTO) ? 0 : field->effect;
}

static void field_store(struct packet *p, const struct layer *layer, const struct field *field,
	const struct value *in)
{
	uint8_t *at = field_at(p, layer, field), effect = effect_of(layer, field);
	const struct layer *transport = transport_of(p, layer);
	bool is_crc = transport->id == LAYER_sctp && (effect & EFFECT_OWN);
	uint32_t error = is_crc ? checksum_sctp_error(p, transport) : 0;
	uint16_t before = covered_sum(p, layer, field, at);

	store(at, field, in);
	if (effect & EFFECT_PROTO)
		p->proto = *at;
	uint16_t after = covered_sum(p, layer, field, at);

	/* The same sum needs no following: it would make a checksum of 0 its twin ffff. */
	if (is_crc)
		checksum_sctp_store(p, transport, error);
	else if (effect && after != before)
		checksums_follow(p, layer, effect, checksum_delta(before, after));
}

/* A checksum that is written by hand is complete: nobody shall add to it. */
static void checksum_settle(struct packet *p, const struct layer *layer)
{
	if (p->csum.state != CSUM_PARTIAL || p->csum.start != layer->offset)
		return;
	for (; p; p = p->outer)
		p->csum.state = CSUM_NONE;
}

bool field_is_word(const struct field *field)
{
	bool is_odd = field->offset % 2 && field->width != 1;

	return field_is_fixed(field) && (field->kind == FIELD_UINT || field->kind == FIELD_IP4) &&
	       !field->mask && field->scale <= 1 && !field->is_read_only && !is_odd &&
	       !(field->effect & (EFFECT_PROTO | EFFECT_LENGTH)) && field->layer < LAYER_sctp;
}

bool field_put(
	struct packet *p, const struct layer *layer, const struct field *field, uint32_t word)
{
	uint8_t *at = field_place(p, layer, field);

	if (!at || p->outer || word > width_mask(field))
		return false;
	uint32_t old = field_word(at, field);

	word_store(at, field->width, word);
	if (field->written & WRITTEN_CHECKSUM)
		checksum_settle(p, layer);
	p->written |= field->written;
	if (field->width == 1 && field->offset % 2 == 0) { /* the high half of its word */
		old <<= 8;
		word <<= 8;
	}
	uint16_t before = checksum_fold((old >> 16) + (old & 0xffff));
	uint16_t after = checksum_fold((word >> 16) + (word & 0xffff));

	if (field->effect && after != before)
		checksums_follow(p, layer, field->effect, checksum_delta(before, after));
	return true;
}

enum field_status field_set(struct packet *p, const struct layer *layer, const struct field *field,
	const struct value *in)
{
	enum field_status status = field_check(field, in);

	if (status != FIELD_OK)
		return status;
	if (!field_at(p, layer, field))
		return FIELD_ABSENT;
	uint16_t around[INNER_DEPTH];

	views_sum(p, around);
	field_store(p, layer, field, in);
	if (field->written & WRITTEN_CHECKSUM)
		checksum_settle(p, layer);
	p->written |= field->written;
	views_follow(p, around);
	return FIELD_OK;
}
