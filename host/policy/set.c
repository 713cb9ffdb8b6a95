/* SPDX-License-Identifier: MIT */
/* Writes constants, and copies of other fields, into a packet's fields. */
#include "host/policy/set.h"

#include <stdlib.h>
#include <string.h>

static unsigned deeper(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

struct set *set_new(const struct set_edit *edits, unsigned count)
{
	struct set *set = calloc(1, sizeof(*set) + count * sizeof(set->edits[0]));

	if (!set)
		return NULL;
	set->refs = 1;
	set->count = count;
	memcpy(set->edits, edits, count * sizeof(*edits));
	for (unsigned i = 0; i < count; i++)
		set->depth =
			deeper(set->depth, deeper(edits[i].depth, edits[i].source_place.depth));
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

bool set_fits(const struct field *field, const struct field *source)
{
	if (!field_is_number(field) || !field_is_number(source))
		return false;
	if (!kind_is_number(field->kind) || !kind_is_number(source->kind))
		return field->kind == source->kind;
	unsigned step = source->scale > 1 ? source->scale : 1;

	return field_max(source) <= field_max(field) &&
	       (field->scale <= 1 || step % field->scale == 0);
}

/* The packet at that depth, to be written to; NULL: there is none. */
static struct packet *packet_in(struct packet *p, struct views *views, unsigned depth)
{
	return !depth ? p : depth <= views->there ? &views->view[depth - 1] : NULL;
}

/* What the edit copies; false: the packet has no such field. */
static bool source_read(
	const struct set_edit *edit, struct packet *p, struct views *views, wide *out)
{
	const struct packet *in = packet_in(p, views, edit->source_place.depth);
	const struct layer *layer = in ? packet_layer(in, edit->source_place.layer) : NULL;
	struct value value;

	if (!layer || field_get(in, layer, edit->source, &value) != FIELD_OK)
		return false;
	*out = value_number(&value);
	return true;
}

static void edit_make(const struct set_edit *edit, struct packet *p, struct views *views,
	const struct value *value)
{
	enum layer_id id = edit->layer ? edit->layer : edit->field->layer;
	struct packet *in = packet_in(p, views, edit->depth);
	const struct layer *layer = in ? packet_layer(in, id) : NULL;

	if (layer)
		field_set(in, layer, edit->field, value);
}

void set_apply(const struct set *set, struct packet *p)
{
	wide copied[SET_EDITS];
	uint32_t is_copied = 0; /* a bit an edit */
	struct value value;
	struct views views;

	views_forget(&views);
	view_of(&views, p, set->depth);
	/* A swap wants both values from before. */
	for (unsigned i = 0; i < set->count; i++) {
		if (set->edits[i].source && source_read(&set->edits[i], p, &views, &copied[i]))
			is_copied |= 1u << i;
	}
	for (unsigned i = 0; i < set->count; i++) {
		const struct set_edit *edit = &set->edits[i];

		if (!edit->source) {
			edit_make(edit, p, &views, &edit->value);
		} else if (is_copied >> i & 1) {
			value_of_number(edit->field, copied[i], &value);
			edit_make(edit, p, &views, &value);
		}
	}
}
