/* SPDX-License-Identifier: MIT */
/* Writes constants into a packet's fields. */
#include "host/policy/set.h"

#include <stdlib.h>
#include <string.h>

#include "host/packet/inner.h"

struct set *set_new(const struct set_edit *edits, unsigned count)
{
	struct set *set = calloc(1, sizeof(*set) + count * sizeof(set->edits[0]));

	if (!set)
		return NULL;
	set->refs = 1;
	set->count = count;
	memcpy(set->edits, edits, count * sizeof(*edits));
	return set;
}

struct set *set_hold(struct set *set)
{
	set->refs++;
	return set;
}

void set_release(struct set *set)
{
	if (!--set->refs)
		free(set);
}

void set_apply(const struct set *set, struct packet *p)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct set_edit *edit = &set->edits[i];
		enum layer_id id = edit->layer ? edit->layer : edit->field->layer;
		struct packet views[INNER_DEPTH];
		struct packet *in = inner_at(p, views, edit->depth);
		const struct layer *layer = in ? packet_layer(in, id) : NULL;

		if (layer)
			field_set(in, layer, edit->field, &edit->value);
	}
}
