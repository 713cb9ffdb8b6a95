/* SPDX-License-Identifier: MIT */
/* The named parts of a packet's layers, read and written where they lie. */
#pragma once

#include "host/packet/packet.h"

enum field_kind { FIELD_UINT, FIELD_BOOL, FIELD_MAC, FIELD_IP4, FIELD_IP6 };

/* Which checksums cover the bytes, and so follow an edit (RFC 1624). */
enum field_effect {
	EFFECT_IP = 1 << 0,	/* the IPv4 header's */
	EFFECT_PSEUDO = 1 << 1, /* the transport's, through its pseudo-header */
	EFFECT_OWN = 1 << 2,	/* the transport's own */
};

/* Which packets of that layer have the field. */
enum field_when { WHEN_ALWAYS, WHEN_ICMP_ECHO, WHEN_ICMPV6_ECHO, WHEN_ICMPV6_TARGET };

struct field {
	const char *name;
	const char *doc;
	const char *tshark; /* Wireshark's name of it */
	uint32_t mask;	    /* of the loaded bytes as a big-endian number; 0: all of them */
	uint8_t layer;	    /* enum layer_id */
	uint8_t kind;	    /* enum field_kind */
	uint8_t offset;	    /* bytes from the layer's start */
	uint8_t width;	    /* bytes loaded */
	uint8_t shift;	    /* bits below the mask */
	uint8_t scale;	    /* multiply by this after the shift; 0 and 1: as it is */
	uint8_t when;	    /* enum field_when */
	uint8_t effect;	    /* enum field_effect */
	uint8_t written;    /* enum packet_written that an edit sets */
	bool is_read_only;
};

/* A field's value: a number or bool in host order, or bytes in wire order. */
struct value {
	uint8_t kind; /* enum field_kind */
	uint64_t number;
	uint8_t bytes[16];
};

enum field_status {
	FIELD_OK,
	FIELD_ABSENT, /* this packet has no such field */
	FIELD_READ_ONLY,
	FIELD_RANGE, /* larger than field_max, or not a multiple of the scale */
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

/* Reads from the given layer; FIELD_OK or FIELD_ABSENT (out untouched). */
enum field_status field_get(const struct packet *p, const struct layer *layer,
	const struct field *field, struct value *out);

/* Would such a value fit such a field? FIELD_OK, FIELD_READ_ONLY, FIELD_KIND or FIELD_RANGE. */
enum field_status field_check(const struct field *field, const struct value *in);

/* Writes in place; checksums that cover it stay right if they were right. On any other status
 * than FIELD_OK the packet is untouched. */
enum field_status field_set(struct packet *p, const struct layer *layer, const struct field *field,
	const struct value *in);
