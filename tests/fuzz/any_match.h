/* SPDX-License-Identifier: MIT */
/* Matches and rules made of arbitrary bytes, and a second, slow opinion on what they say. */
#pragma once

#include "host/policy/rule.h"
#include "tests/fuzz/fuzz.h"

struct any_source {
	const uint8_t *at, *end;
};

static inline unsigned any_under(struct any_source *from, unsigned limit)
{
	return from->at < from->end ? *from->at++ % limit : 0;
}

enum { ANY_NODES = 64, ANY_WANTS = 12, ANY_RULES = 40 };

struct any_node {
	enum { ANY_GROUP, ANY_LAYER, ANY_FIELD } kind;
	enum match_group group;
	unsigned end; /* the node after it and what is in it */
	bool is_wanted;
	struct layer_ref place;
	const struct field *field;
	struct match_want wants[ANY_WANTS];
	unsigned want_count;
};

struct any_match {
	struct match *match;
	unsigned count;
	struct any_node nodes[ANY_NODES];
};

/* Made anew for each question. */
static inline const struct packet *naive_view(
	const struct packet *p, struct packet *views, unsigned depth)
{
	return inner_at((struct packet *)(uintptr_t)p, views, depth);
}

/* Byte by byte, as it lies on the wire. */
static inline bool naive_number(
	const struct packet *p, struct layer_ref place, const struct field *field, wide *out)
{
	struct packet views[INNER_DEPTH];
	const struct packet *in = naive_view(p, views, place.depth);
	const struct layer *layer = in ? packet_layer(in, place.layer) : NULL;
	struct value value;

	if (!layer || field_get(in, layer, field, &value) != FIELD_OK)
		return false;
	*out = value.number;
	if (kind_is_number(field->kind))
		return true;
	*out = 0;
	for (unsigned i = 0; i < field->width; i++)
		*out = *out * 256 + value.bytes[i];
	return true;
}

static inline bool naive_want(
	const struct packet *p, const struct match_want *want, const struct any_node *node)
{
	wide number, other;

	if (!naive_number(p, node->place, node->field, &number))
		return false;
	switch (want->kind) {
	case WANT_SPAN:
		return want->low <= number && number <= want->high;
	case WANT_MASK:
		return (number & want->high) == want->low;
	case WANT_SAME:
		return naive_number(p, want->place, want->field, &other) && number == other;
	case WANT_TEXT:
		break;
	}
	return false;
}

static inline bool naive_holds(const struct packet *p, const struct any_node *nodes, unsigned index)
{
	const struct any_node *node = &nodes[index];
	bool all = true, any = false;

	if (node->kind == ANY_LAYER) {
		struct packet views[INNER_DEPTH];
		const struct packet *in = naive_view(p, views, node->place.depth);

		return (in && (!node->place.layer || packet_layer(in, node->place.layer))) ==
		       node->is_wanted;
	}
	for (unsigned i = 0; i < node->want_count; i++)
		any |= naive_want(p, &node->wants[i], node);
	if (node->kind == ANY_FIELD)
		return any;
	for (unsigned i = index + 1; i < node->end; i = nodes[i].end) {
		bool holds = naive_holds(p, nodes, i);

		all &= holds;
		any |= holds;
	}
	return node->group == MATCH_ALL ? all : node->group == MATCH_ANY ? any : !all;
}

static inline uint8_t any_depth(struct any_source *from)
{
	unsigned depth = any_under(from, 16);

	return (uint8_t)(depth < INNER_DEPTH + 2 ? depth : 0);
}

/* A value near what the packet has, or anything. */
static inline wide any_number(
	struct any_source *from, const struct packet *p, const struct any_node *node)
{
	unsigned how = any_under(from, 8);
	wide number = 0;

	if (how < 6 && naive_number(p, node->place, node->field, &number))
		return how < 4 ? number : how == 4 ? number + 1 : number - (number > 0);
	for (unsigned i = 0; i < how + 10; i++)
		number = number << 8 | any_under(from, 256);
	return number;
}

static inline struct match_want any_want(
	struct any_source *from, const struct packet *p, const struct any_node *node)
{
	struct match_want want = { .kind = (enum want_kind)(any_under(from, 8) / 2) };

	if (want.kind > WANT_SAME)
		want.kind = WANT_SPAN;
	want.low = want.high = any_number(from, p, node);
	if (want.kind == WANT_SPAN)
		want.high += any_under(from, 2) ? any_under(from, 256) : 0;
	if (want.kind == WANT_MASK) {
		want.high = any_number(from, p, node);
		want.low &= want.high;
	}
	if (want.kind == WANT_SAME) {
		want.field = &field_table[any_under(from, field_count)];
		while (!field_is_number(want.field))
			want.field = field_table;
		want.place = (struct layer_ref){ want.field->layer, any_depth(from) };
	}
	return want;
}

static inline void any_field(struct any_source *from, const struct packet *p, struct any_match *out,
	const struct field *field, struct layer_ref place, unsigned wants)
{
	struct any_node *node = &out->nodes[out->count++];

	*node = (struct any_node){
		.kind = ANY_FIELD, .end = out->count, .place = place, .field = field
	};
	CHECK(!match_field(out->match, field, node->place));
	for (; node->want_count < wants && node->want_count < ANY_WANTS; node->want_count++) {
		node->wants[node->want_count] = any_want(from, p, node);
		CHECK(!match_want(out->match, &node->wants[node->want_count]));
	}
}

static inline const struct field *any_number_field(struct any_source *from)
{
	const struct field *field = &field_table[any_under(from, field_count)];

	return field_is_number(field) ? field : field_table;
}

static inline void any_tests(
	struct any_source *from, const struct packet *p, struct any_match *out, unsigned depth)
{
	unsigned tests = any_under(from, 4);

	while (tests-- && out->count < ANY_NODES - 2) {
		unsigned kind = any_under(from, 8), index = out->count;
		struct any_node *node = &out->nodes[index];

		if (kind < 4 || depth == 4) {
			const struct field *field = any_number_field(from);
			struct layer_ref place = { field->layer, any_depth(from) };

			any_field(from, p, out, field, place,
				any_under(from, 16) ? any_under(from, 4) : ANY_WANTS);
			continue;
		}
		out->count++;
		*node = (struct any_node){ .kind = kind == 4 ? ANY_LAYER : ANY_GROUP,
			.group = (enum match_group)any_under(from, 3),
			.is_wanted = any_under(from, 2),
			.place = { (uint8_t)any_under(from, LAYER_COUNT), any_depth(from) } };
		if (kind == 4) {
			CHECK(!match_layer(out->match, node->place, node->is_wanted));
		} else {
			CHECK(!match_begin(out->match, node->group));
			any_tests(from, p, out, depth + 1);
			match_end(out->match);
		}
		node->end = out->count;
	}
}

/* A match, not yet compiled. */
static inline void any_match_begin(struct any_match *out)
{
	out->match = match_new();
	CHECK(out->match);
	out->nodes[0] = (struct any_node){ .kind = ANY_GROUP, .group = MATCH_ALL };
	out->count = 1;
}

static inline void any_match_end(struct any_match *out)
{
	out->nodes[0].end = out->count;
	CHECK(!match_compile(out->match));
}

/* The compiled match and the naive one say the same. */
static inline bool any_match_agrees(struct any_source *from, const struct packet *p)
{
	struct any_match any;

	any_match_begin(&any);
	any_tests(from, p, &any, 0);
	any_match_end(&any);
	bool holds = match_packet(any.match, p);

	CHECK(holds == naive_holds(p, any.nodes, 0));
	match_release(any.match);
	return holds;
}

/* A field that must have one of a few values: what an index is made of. */
static inline void any_values(struct any_source *from, const struct packet *p,
	struct any_match *out, const struct field *field, struct layer_ref place, unsigned values)
{
	struct any_node *node = &out->nodes[out->count];

	any_field(from, p, out, field, place, 0);
	for (; node->want_count < values; node->want_count++) {
		struct match_want *want = &node->wants[node->want_count];

		*want = (struct match_want){ .low = any_number(from, p, node) };
		want->high = want->low + any_under(from, 3);
		CHECK(!match_want(out->match, want));
	}
}

/* Rules of which many in a row test one field, some hold for all, and some have no action. */
static inline struct rule *any_rule(struct any_source *from, const struct packet *p,
	const struct field *field, struct layer_ref place, int ref)
{
	struct action actions[2] = { { .kind = ACTION_CALL, .ref = ref },
		{ .kind = ACTION_CALL, .ref = ref } };
	unsigned kind = any_under(from, 16);
	struct any_match any;
	struct match *match = NULL;

	if (kind) {
		any_match_begin(&any);
		if (kind > 1)
			any_values(from, p, &any, field, place, 1 + any_under(from, 3));
		if (kind > 10 || kind == 1)
			any_tests(from, p, &any, 3);
		any_match_end(&any);
		match = any.match;
	}
	struct rule *rule = rule_new("any", match, actions, any_under(from, 3));

	CHECK(rule);
	return rule;
}

/* Walks a copy of the packet, which every third action edits; the refs that come. */
static inline unsigned any_walk(
	const struct rule_table *table, const struct packet *was, const uint8_t *edits, int *refs)
{
	struct packet *p = packet_copy(was);
	const struct action *action;
	struct rule_walk walk;
	unsigned count = 0;

	rule_walk_start(&walk, table);
	while ((action = rule_next(&walk, p))) {
		const struct field *field = &field_table[edits[count % 16] % field_count];
		const struct layer *layer = packet_layer(p, field->layer);
		struct value value = { .kind = field->kind, .number = edits[count % 16] };

		if (edits[count % 16] % 3 == 0 && layer)
			field_set(p, layer, field, &value);
		refs[count++] = action->ref;
	}
	packet_free(p);
	return count;
}

/* With its index and without it a table gives the same actions in the same order, and the same
 * hits. */
static inline unsigned any_table_agrees(struct any_source *from, const struct packet *p)
{
	struct rule *rules[ANY_RULES];
	int with[2 * ANY_RULES], without[2 * ANY_RULES];
	uint64_t hits[ANY_RULES];
	uint8_t edits[16];
	const struct field *field = any_number_field(from);
	struct layer_ref place = { field->layer, any_depth(from) };
	unsigned count = any_under(from, ANY_RULES + 1);

	for (unsigned i = 0; i < sizeof(edits); i++)
		edits[i] = (uint8_t)any_under(from, 256);
	for (unsigned i = 0; i < count; i++) {
		if (any_under(from, 16) == 0) {
			field = any_number_field(from);
			place = (struct layer_ref){ field->layer, any_depth(from) };
		}
		rules[i] = any_rule(from, p, field, place, (int)i + 1);
	}
	struct rule_table *table = rule_table_new(rules, count);

	CHECK(table);
	unsigned found = any_walk(table, p, edits, with);

	for (unsigned i = 0; i < count; i++)
		hits[i] = counter_get(&rules[i]->hits);
	bool has_index = table->index != NULL;

	index_free(table->index);
	table->index = NULL;
	CHECK(any_walk(table, p, edits, without) == found);
	CHECK(!memcmp(with, without, found * sizeof(with[0])));
	for (unsigned i = 0; i < count; i++)
		CHECK(counter_get(&rules[i]->hits) == 2 * hits[i]);
	rule_table_free(table);
	for (unsigned i = 0; i < count; i++)
		rule_release(rules[i]);
	return has_index ? 1 + found : 0;
}
