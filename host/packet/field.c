/* SPDX-License-Identifier: MIT */
/* Reads and writes a packet's fields in place, by the table in fields.def. */
#include "host/packet/field.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/wire.h"

const struct field field_table[] = {
#define FIELD(LAYER, NAME, ...) { .layer = LAYER_##LAYER, .name = #NAME, __VA_ARGS__ },
#include "host/packet/fields.def"
#undef FIELD
};

const unsigned field_count = sizeof(field_table) / sizeof(field_table[0]);

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
	case WHEN_ICMP_ECHO:
		return type == ICMP_ECHO_REQUEST || type == ICMP_ECHO_REPLY;
	case WHEN_ICMPV6_ECHO:
		return type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY;
	case WHEN_ICMPV6_TARGET:
		return type == ICMPV6_NS || type == ICMPV6_NA || type == ICMPV6_REDIRECT;
	}
	return false;
}

/* The field's bytes, or NULL where the packet has none. */
static uint8_t *field_at(
	const struct packet *p, const struct layer *layer, const struct field *field)
{
	size_t end = layer->id >= LAYER_ip ? p->datagram_end : packet_length(p);
	size_t at = (size_t)layer->offset + field->offset;

	if (at + field->width > end || !has_when(p, layer, field->when))
		return NULL;
	return packet_at(p, at, field->width);
}

static uint32_t load(const uint8_t *at, unsigned width)
{
	switch (width) {
	case 1:
		return at[0];
	case 2:
		return load_be16(at);
	default:
		return load_be32(at);
	}
}

enum field_status field_get(const struct packet *p, const struct layer *layer,
	const struct field *field, struct value *out)
{
	const uint8_t *at = field_at(p, layer, field);

	if (!at)
		return FIELD_ABSENT;
	out->kind = field->kind;
	if (field->kind > FIELD_BOOL) {
		memcpy(out->bytes, at, field->width);
		return FIELD_OK;
	}
	uint64_t number = (load(at, field->width) & width_mask(field)) >> field->shift;

	out->number = field->scale > 1 ? number * field->scale : number;
	return FIELD_OK;
}

/* RFC 768: a UDP checksum of 0 is "none" and stays so; a computed 0 is sent as ffff. */
static void transport_follow(const struct packet *p, const struct layer *transport, uint16_t delta)
{
	uint8_t *field = checksum_field(p, transport);
	uint16_t old = load_be16(field);

	if (transport->id == LAYER_udp && old == 0)
		return;
	uint16_t now = checksum_add(old, delta);

	store_be16(field, transport->id == LAYER_udp && now == 0 ? 0xffff : now);
}

/* Makes the checksums that cover an edit of `layer` follow it. */
static void checksums_follow(
	struct packet *p, const struct layer *layer, uint8_t effect, uint16_t delta)
{
	bool is_partial = p->csum.state == CSUM_PARTIAL;
	const struct layer *transport = layer;

	if (effect & EFFECT_IP) {
		uint8_t *at = layer_bytes(p, layer) + IP_CHECKSUM;

		store_be16(at, checksum_add(load_be16(at), delta));
	}
	if (effect & EFFECT_PSEUDO) {
		transport = checksum_transport(p, layer);
		if (!transport || transport->id == LAYER_icmp)
			return;
		/* A partial checksum holds the pseudo-header's sum itself, not its complement. */
		if (is_partial)
			delta = (uint16_t)~delta;
		transport_follow(p, transport, delta);
	} else if ((effect & EFFECT_OWN) && !is_partial) {
		transport_follow(p, transport, delta);
	}
}

static void store(uint8_t *at, const struct field *field, const struct value *in)
{
	if (field->kind > FIELD_BOOL) {
		memcpy(at, in->bytes, field->width);
		return;
	}
	uint32_t mask = width_mask(field);
	uint32_t number = (uint32_t)(field->scale > 1 ? in->number / field->scale : in->number);
	uint32_t word = (load(at, field->width) & ~mask) | number << field->shift;

	if (field->width == 1)
		at[0] = (uint8_t)word;
	else if (field->width == 2)
		store_be16(at, (uint16_t)word);
	else
		store_be32(at, word);
}

enum field_status field_check(const struct field *field, const struct value *in)
{
	if (field->is_read_only)
		return FIELD_READ_ONLY;
	if (in->kind != field->kind)
		return FIELD_KIND;
	if (field->kind > FIELD_BOOL)
		return FIELD_OK;
	if (in->number > field_max(field) || (field->scale > 1 && in->number % field->scale))
		return FIELD_RANGE;
	return FIELD_OK;
}

enum field_status field_set(struct packet *p, const struct layer *layer, const struct field *field,
	const struct value *in)
{
	enum field_status status = field_check(field, in);
	uint8_t *at = field_at(p, layer, field);

	if (status != FIELD_OK)
		return status;
	if (!at)
		return FIELD_ABSENT;
	/* Whole 16-bit words of the layer around the field: headers are even. */
	uint8_t *words = at - (field->offset & 1u);
	size_t len = (field->width + (field->offset & 1u) + 1u) & ~(size_t)1;
	uint16_t before = checksum_sum(words, len, 0);

	store(at, field, in);
	p->written |= field->written;
	uint16_t after = checksum_sum(words, len, 0);

	/* The same sum needs no following: it would make a checksum of 0 its twin ffff. */
	if (field->effect && after != before)
		checksums_follow(p, layer, field->effect, checksum_delta(before, after));
	return FIELD_OK;
}
