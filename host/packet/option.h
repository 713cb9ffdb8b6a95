/* SPDX-License-Identifier: MIT */
/* The options that follow a header: of IPv4, TCP, neighbour discovery and DHCP, walked with a
 * bound. */
#pragma once

#include "host/packet/field.h"

struct option {
	uint8_t number;
	uint16_t length; /* of its data */
	uint8_t *data;
	const char *name; /* NULL: it has none here */
};

/* Where a walk stands; the caller sees nothing of it. */
struct option_walk {
	uint8_t list; /* enum option_list */
	bool lies;    /* it ended at an option that does not fit, `at` */
	uint8_t *at;
	size_t left;
};

/* Starts a walk along the options of ip, tcp, icmpv6 or dhcp. false: the layer has none. */
bool option_walk(struct option_walk *walk, const struct packet *p, const struct layer *layer);

/* The next one; false: that was the last, or the rest lies. Padding is passed over. */
bool option_next(struct option_walk *walk, struct option *out);

/* The same along the options of ipv6's n-th extension header that has some (0 is the first);
 * *header becomes its number. false: there are not so many. */
bool option_walk_extension(struct option_walk *walk, const struct packet *p,
	const struct layer *layer, unsigned n, uint8_t *header);

/* The number that a name stands for among the options of ip, ipv6, tcp, icmpv6 or dhcp. false:
 * there is none. */
bool option_number(enum layer_id layer, const char *name, uint8_t *out);

/* Those names, NULL-terminated, into `out` of `room`. */
void option_names(enum layer_id layer, const char **out, unsigned room);

/* The least data that such an option has; 0 if it is not known. */
size_t option_least(enum layer_id layer, uint8_t number);

/* For rows of fields.def: the bytes `offset` behind the data's start in the first option of that
 * number; whether it is there; its data as they are. */
field_find_fn option_at;
field_get_fn option_is_there, option_bytes;
