/* SPDX-License-Identifier: MIT */
/* Puts headers in front of a packet's bytes: what nobody gave is made right. */
#pragma once

#include "host/packet/field.h"

struct build_field {
	const struct field *field;
	struct value value;
};

/* A header that is to be built, and what it shall hold: fields in the order of the field table,
 * each of a value that field_check has passed. Behind the fixed header (of neighbour discovery,
 * behind the message) stands what pack_end wrote, or DNS records. */
struct build_layer {
	enum layer_id id;
	unsigned count;
	const struct build_field *fields;
	const uint8_t *extra;
	size_t extra_length;
	uint8_t first_extension;     /* of ipv6: the number of the first extension header, if any */
	uint16_t questions, answers; /* of dns */
};

enum build_status {
	BUILD_OK,
	BUILD_ORDER,  /* that layer cannot stand there */
	BUILD_ABSENT, /* such a header has no such field */
	BUILD_LENGTH, /* too long for its length field */
	BUILD_ROOM,   /* less headroom than build_length */
};

/* Which layer, and where there is one which field of it, was refused. */
struct build_why {
	unsigned layer;
	const struct field *field;
	uint64_t length; /* BUILD_LENGTH: what the field would have to say */
};

/* Bytes of all the headers. */
size_t build_length(const struct build_layer *layers, unsigned count);

/* Pushes the headers in front of p: in front of its payload if it has no layer, else around the
 * whole packet (tunnels: the last of `layers` must be one that carries p's first). Lengths,
 * numbers of what follows, checksums and offsets that were not given are made right, from the
 * inside out; other fields have defaults (docs/lua-api.md). p->first and the layers follow. On any
 * other status than BUILD_OK p is as it was, `why` says what stood in the way. */
enum build_status build(
	struct packet *p, const struct build_layer *layers, unsigned count, struct build_why *why);
