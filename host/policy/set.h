/* SPDX-License-Identifier: MIT */
/* mt.set: constant edits that a rule makes in C. */
#pragma once

#include "host/packet/field.h"

struct set_edit {
	const struct field *field;
	struct value value;
	enum layer_id layer; /* whose field; LAYER_none: the field's own (vlan2 shares vlan's) */
	unsigned depth;	     /* how many tunnels inside the packet */
};

struct set {
	unsigned refs;
	unsigned count;
	struct set_edit edits[];
};

/* Checks nothing: field and value fit, the caller has seen to it. NULL: no memory. */
struct set *set_new(const struct set_edit *edits, unsigned count);
struct set *set_hold(struct set *set);
void set_release(struct set *set);

/* Makes the edits in their order; fields that the packet lacks are skipped. Checksums follow. */
void set_apply(const struct set *set, struct packet *p);
