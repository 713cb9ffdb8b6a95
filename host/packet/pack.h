/* SPDX-License-Identifier: MIT */
/* Options and extension headers as they go on the wire, to be built into a packet. */
#pragma once

#include "host/packet/build.h"

/* Bytes of the options of one header, and of all that pack_end may write. */
enum { PACK_PART = 2048, PACK_MAX = 2 * PACK_PART + 8 };

enum pack_header { PACK_HOP_BY_HOP, PACK_DESTINATION, PACK_HEADERS };

struct pack_part {
	size_t len;
	uint8_t bytes[PACK_PART];
};

/* The options of one header so far. Of ipv6 those of two extension headers, of others the first. */
struct pack {
	enum layer_id layer;
	bool is_fragment; /* an IPv6 fragment header stands between the two */
	bool is_listed; /* DHCP's end is written even if there are none: the payload is no option */
	struct pack_part part[PACK_HEADERS];
};

enum pack_status {
	PACK_OK,
	PACK_NUMBER, /* no such option can be there: it is padding, or the end */
	PACK_LONG,   /* its data are too long for its length field */
	PACK_FULL,   /* too many for their header: pack_most */
};

/* Do options follow such a header: of ip, ipv6, tcp, icmpv6 (neighbour discovery) and dhcp? */
bool pack_has(enum layer_id layer);

/* Starts the options of such a layer. */
void pack_init(struct pack *pack, enum layer_id layer);

/* The numbers that options may have, and how many bytes they may take in one header. */
uint8_t pack_least_number(enum layer_id layer);
uint8_t pack_most_number(enum layer_id layer);
size_t pack_most(enum layer_id layer);

/* The most data of one option. */
size_t pack_most_data(enum layer_id layer);

/* Puts an option behind the others; neighbour discovery's data are filled up with zeros to its unit
 * of eight bytes. On any other status than PACK_OK pack is untouched. */
enum pack_status pack_option(struct pack *pack, enum pack_header header, uint8_t number,
	const uint8_t *data, size_t len);

/* An option of zeros for each of the fields that lies in one which is not there yet (build will
 * write them), or whole where the field is all its data; of ipv6 a fragment header. `fields` keeps
 * those that build shall write, *count becomes their number. PACK_OK or PACK_FULL. */
enum pack_status pack_fields(struct pack *pack, struct build_field *fields, unsigned *count);

/* Pads, ends and gives all of it to the layer: out, of PACK_MAX bytes, holds what layer->extra
 * points at from then on. */
void pack_end(const struct pack *pack, uint8_t *out, struct build_layer *layer);
