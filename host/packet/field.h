/* SPDX-License-Identifier: MIT */
/* The named parts of a packet's layers, read and written where they lie. */
#pragma once

#include "host/packet/packet.h"
#include "host/packet/wire.h"

/* Up to FIELD_FLAGS numbers in host order, the rest bytes in wire order. */
enum field_kind {
	FIELD_UINT,
	FIELD_BOOL,
	FIELD_FLAGS, /* bits that have names */
	FIELD_MAC,
	FIELD_IP4,
	FIELD_IP6,
	FIELD_BYTES,
	FIELD_TEXT, /* a name or the like, as bytes */
	FIELD_KINDS
};

static inline bool kind_is_number(uint8_t kind)
{
	return kind <= FIELD_FLAGS;
}

/* Which checksums cover the bytes, and so follow an edit (RFC 1624). */
enum field_effect {
	EFFECT_IP = 1 << 0,	/* the IPv4 header's */
	EFFECT_PSEUDO = 1 << 1, /* the transport's, through its pseudo-header */
	EFFECT_OWN = 1 << 2,	/* the transport's own */
	EFFECT_PROTO = 1 << 3,	/* and it is the pseudo-header's protocol */
	EFFECT_LENGTH = 1 << 4, /* and it is the pseudo-header's length */
};

/* Which packets of that layer have the field. */
enum field_when {
	WHEN_ALWAYS,
	WHEN_ICMP_QUERY,
	WHEN_ICMP_TOO_BIG,
	WHEN_ICMP_REDIRECT,
	WHEN_ICMP_PROBLEM,
	WHEN_ICMP_TIMESTAMP,
	WHEN_ICMPV6_ECHO,
	WHEN_ICMPV6_TARGET,
	WHEN_ICMPV6_TOO_BIG,
	WHEN_ICMPV6_PROBLEM,
	WHEN_ICMPV6_RA,
	WHEN_ICMPV6_NA,
	WHEN_ICMPV6_REDIRECT,
};

struct field;

/* A field's value: a number, or `length` bytes. Of those that a kind fixes (addresses) the length
 * need not be told. */
enum { VALUE_BYTES = 255 };

struct value {
	uint8_t kind; /* enum field_kind */
	uint16_t length;
	uint64_t number;
	uint8_t bytes[VALUE_BYTES + 1];
};

/* Where the field's `width` bytes lie in this packet; NULL: nowhere. */
typedef uint8_t *field_find_fn(
	const struct packet *p, const struct layer *layer, const struct field *field);

/* What no bytes hold as they are: a value that is computed. false: there is none. */
typedef bool field_get_fn(const struct packet *p, const struct layer *layer,
	const struct field *field, struct value *out);

struct field {
	const char *name;
	const char *doc;
	const char *tshark; /* Wireshark's name of it */
	field_find_fn *at;  /* NULL: at `offset` from the layer's start */
	field_get_fn
		*call;	/* computes it; the row says that it is read-only. NULL: it lies in bytes */
	uint32_t mask;	/* of the loaded bytes as a big-endian number; 0: all of them */
	uint8_t layer;	/* enum layer_id */
	uint8_t kind;	/* enum field_kind */
	uint8_t offset; /* bytes from the layer's start */
	uint8_t width;	/* bytes loaded */
	uint8_t shift;	/* bits below the mask */
	uint8_t scale;	/* multiply by this after the shift; 0 and 1: as it is */
	uint8_t when;	/* enum field_when */
	uint8_t effect; /* enum field_effect */
	uint8_t option; /* in which option's data `offset` counts, with .at = option_at */
	uint8_t names;	/* enum names: its numbers' words; 0: none */
	uint8_t written; /* enum packet_written that an edit sets */
	bool is_read_only;
};

enum field_status {
	FIELD_OK,
	FIELD_ABSENT, /* this packet has no such field */
	FIELD_READ_ONLY,
	FIELD_RANGE, /* larger than field_max, no multiple of the scale, or too many bytes */
	FIELD_KIND,  /* a value of another kind */
};

/* All fields, layer by layer in the order of fields.def. */
extern const struct field field_table[];
extern const unsigned field_count;

/* The fields of one layer: the first, and how many. vlan2 has vlan's. */
const struct field *field_of_layer(enum layer_id layer, unsigned *count);

/* The field "ip.ttl" by its two names, or NULL. */
const struct field *field_find(enum layer_id layer, const char *name);

/* The largest number it takes. */
uint64_t field_max(const struct field *field);

/* Where its `width` bytes lie, or NULL: this packet has no such field, or it is computed. */
uint8_t *field_at(const struct packet *p, const struct layer *layer, const struct field *field);

/* Most fields lie at a fixed place of the header, in each packet that has the layer. */
static inline bool field_is_fixed(const struct field *field)
{
	return !field->when && !field->at && !field->call;
}

/* Where such a field lies; NULL: this header ends before it. */
static inline uint8_t *field_place(
	const struct packet *p, const struct layer *layer, const struct field *field)
{
	if (field->offset + field->width > layer->length)
		return NULL;
	return p->data + layer->offset + field->offset;
}

/* The 1, 2 or 4 bytes at the place of a field, in host order. */
static inline uint32_t field_word(const uint8_t *at, const struct field *field)
{
	switch (field->width) {
	case 1:
		return at[0];
	case 2:
		return load_be16(at);
	default:
		return load_be32(at);
	}
}

/* The number in them, before it is scaled. */
static inline uint32_t field_load(const uint8_t *at, const struct field *field)
{
	uint32_t word = field_word(at, field);

	return field->mask ? (word & field->mask) >> field->shift : word;
}

/* Reads from the given layer; FIELD_OK or FIELD_ABSENT (out untouched). */
enum field_status field_get(const struct packet *p, const struct layer *layer,
	const struct field *field, struct value *out);

/* Would such a value fit such a field? FIELD_OK, FIELD_READ_ONLY, FIELD_KIND or FIELD_RANGE. */
enum field_status field_check(const struct field *field, const struct value *in);

/* Writes in place; checksums that cover it stay right if they were right, those of the packets
 * around a view too. On any other status than FIELD_OK the packet is untouched. */
enum field_status field_set(struct packet *p, const struct layer *layer, const struct field *field,
	const struct value *in);

/* Is it what most rules write: an integer, or an IPv4 address as one, whole bytes at a fixed place
 * that a checksum sums up as they lie? */
bool field_is_word(const struct field *field);

/* The same as field_set for such a field. false: it does not fit, or the packet is a view; ask
 * field_set. */
bool field_put(
	struct packet *p, const struct layer *layer, const struct field *field, uint32_t word);
