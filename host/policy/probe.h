/* SPDX-License-Identifier: MIT */
/* Reads the number in a packet's field: where it lies is worked out once, not for each packet. */
#pragma once

#include "host/packet/field.h"
#include "host/packet/inner.h"
#include "host/packet/wire.h"

/* Numbers, and addresses as numbers: the largest is an IPv6 address. */
typedef unsigned __int128 wide;

/* The packets inside a packet, each parsed when it is first asked for. */
struct views {
	unsigned there; /* are made */
	bool is_all;	/* there are no more */
	struct packet view[INNER_DEPTH];
};

/* A layer of a packet (depth 0) or of one inside it. */
struct layer_ref {
	uint8_t layer; /* enum layer_id; LAYER_none: the packet itself */
	uint8_t depth;
};

struct probe {
	struct layer_ref place;
	uint8_t offset, width; /* bytes */
	uint8_t shift, scale;
	bool is_direct; /* parse has checked that the bytes are there */
	uint32_t mask;
	const struct field *field;
};

/* Is the field's value a number, or an address? Otherwise it has no probe. */
bool field_is_number(const struct field *field);
struct probe probe_of(const struct field *field, struct layer_ref place);

/* A value as a number: of a field for which field_is_number. */
wide value_number(const struct value *value);

/* A number as the value of such a field. */
void value_of_number(const struct field *field, wide number, struct value *out);

static inline void views_forget(struct views *views)
{
	views->there = 0;
	views->is_all = false;
}

/* The packet at that depth, or NULL. */
const struct packet *views_find(struct views *views, const struct packet *p, unsigned depth);

static inline const struct packet *view_of(
	struct views *views, const struct packet *p, unsigned depth)
{
	return depth ? views_find(views, p, depth) : p;
}

static inline bool is_same_layer(struct layer_ref a, struct layer_ref b)
{
	return a.layer == b.layer && a.depth == b.depth;
}

/* false: this packet has no such field (out untouched). Not for IPv6 addresses. */
bool probe_read_checked(const struct probe *probe, const struct packet *p,
	const struct layer *layer, uint64_t *out);
bool probe_read_wide(
	const struct probe *probe, const struct packet *p, const struct layer *layer, wide *out);

static inline bool probe_read(
	const struct probe *probe, const struct packet *p, const struct layer *layer, uint64_t *out)
{
	if (!probe->is_direct)
		return probe_read_checked(probe, p, layer, out);
	const uint8_t *at = layer_bytes(p, layer) + probe->offset;
	uint32_t word;

	switch (probe->width) {
	case 1:
		word = at[0];
		break;
	case 2:
		word = load_be16(at);
		break;
	case 4:
		word = load_be32(at);
		break;
	default:
		*out = (uint64_t)load_be16(at) << 32 | load_be32(at + 2);
		return true;
	}
	*out = (uint64_t)((word & probe->mask) >> probe->shift) * probe->scale;
	return true;
}
