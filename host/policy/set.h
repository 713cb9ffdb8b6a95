/* SPDX-License-Identifier: MIT */
/* mt.set: edits that a rule makes in C, of constants and of copies of other fields. */
#pragma once

#include "host/policy/probe.h"

struct set_edit {
	const struct field *field;
	struct value value;
	enum layer_id layer; /* whose field; LAYER_none: the field's own (vlan2 shares vlan's) */
	unsigned depth;	     /* how many tunnels inside the packet */
	const struct field *source; /* copied from there, as it was before all edits; NULL: value */
	struct layer_ref source_place;
};

enum { SET_EDITS = 32 };

struct set {
	unsigned refs;
	unsigned count; /* those with a source among the first SET_EDITS */
	unsigned depth; /* the deepest packet that it reads or writes */
	struct set_edit edits[];
};

/* May every value of `source` be written into `field`? */
bool set_fits(const struct field *field, const struct field *source);

/* Checks nothing: field and value fit, the caller has seen to it. NULL: no memory. */
struct set *set_new(const struct set_edit *edits, unsigned count);
struct set *set_hold(struct set *set);
void set_release(struct set *set);

/* Makes the edits in their order; fields that the packet lacks are skipped, and so are copies of
 * such. Checksums follow. */
void set_apply(const struct set *set, struct packet *p);
