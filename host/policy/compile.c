/* SPDX-License-Identifier: MIT */
/* Turns what a match was told into the program that every packet meets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/policy/program.h"

enum { OPS_MAX = GO_NO - 1, BITS_OVER = 8, BITS_NUMBERS = 65536 };

struct match *match_new(void)
{
	struct match *match = calloc(1, sizeof(*match));

	if (!match)
		return NULL;
	match->refs = 1;
	if (match_begin(match, MATCH_ALL)) {
		free(match);
		return NULL;
	}
	return match;
}

struct match *match_of_filter(struct filter *filter)
{
	struct match *match = calloc(1, sizeof(*match));

	if (match)
		*match = (struct match){ .filter = filter, .refs = 1 };
	return match;
}

struct match *match_hold(struct match *match)
{
	match->refs++;
	return match;
}

static void item_free(struct item *item)
{
	for (unsigned i = 0; i < item->want_count; i++) {
		if (item->wants[i].kind == WANT_TEXT)
			free((void *)(uintptr_t)item->wants[i].text);
	}
	free(item->wants);
}

void match_release(struct match *match)
{
	if (--match->refs)
		return;
	if (match->filter)
		filter_close(match->filter);
	for (unsigned i = 0; i < match->item_count; i++)
		item_free(&match->items[i]);
	for (unsigned i = 0; i < match->op_count; i++)
		free(match->ops[i].data);
	free(match->items);
	free(match->ops);
	free(match);
}

/* Makes room for one more where `count` is a power of two, as all arrays here grow. */
static void *grown(void *array, unsigned count, size_t size)
{
	if (count & (count - 1))
		return array;
	return realloc(array, (count ? (size_t)count * 2 : 1) * size);
}

static int item_add(struct match *match, struct item item)
{
	if (match->item_count == MATCH_TESTS)
		return -E2BIG;
	struct item *items = grown(match->items, match->item_count, sizeof(*items));

	if (!items)
		return -ENOMEM;
	match->items = items;
	item.end = match->item_count + 1;
	items[match->item_count++] = item;
	return 0;
}

int match_begin(struct match *match, enum match_group group)
{
	if (match->depth == MATCH_DEPTH)
		return -E2BIG;
	int error = item_add(match, (struct item){ .kind = ITEM_GROUP, .group = (uint8_t)group });

	if (!error)
		match->open[match->depth++] = match->item_count - 1;
	return error;
}

void match_end(struct match *match)
{
	match->items[match->open[--match->depth]].end = match->item_count;
}

int match_layer(struct match *match, struct layer_ref place, bool is_wanted)
{
	return item_add(
		match, (struct item){ .kind = ITEM_LAYER, .place = place, .is_wanted = is_wanted });
}

int match_field(struct match *match, const struct field *field, struct layer_ref place)
{
	return item_add(match, (struct item){ .kind = ITEM_FIELD, .place = place, .field = field });
}

int match_want(struct match *match, const struct match_want *want)
{
	struct item *item = &match->items[match->item_count - 1];
	struct match_want *wants = grown(item->wants, item->want_count, sizeof(*wants));

	if (!wants)
		return -ENOMEM;
	item->wants = wants;
	wants[item->want_count] = *want;
	if (want->kind == WANT_TEXT) {
		struct value *text = malloc(sizeof(*text));

		if (!text)
			return -ENOMEM;
		*text = *want->text;
		wants[item->want_count].text = text;
	}
	item->want_count++;
	return 0;
}

/* Programs are written from their end: where a test goes on is there before it. Positions are
 * counted from the end until the program is turned round. */
struct writer {
	struct match *match;
	int error;
};

static unsigned op_write(struct writer *w, struct op op)
{
	struct match *match = w->match;

	if (!w->error && match->op_count == OPS_MAX)
		w->error = -E2BIG;
	struct op *ops = w->error ? NULL : grown(match->ops, match->op_count, sizeof(*ops));

	if (!ops) {
		w->error = w->error ? w->error : -ENOMEM;
		free(op.data);
		return GO_NO;
	}
	match->ops = ops;
	ops[match->op_count] = op;
	return match->op_count++;
}

static void *data_new(struct writer *w, size_t bytes)
{
	void *data = calloc(1, bytes);

	if (!data && !w->error)
		w->error = -ENOMEM;
	return data;
}

static int span_compare(const void *left, const void *right)
{
	const struct wide_span *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

/* The largest number that is read from the field at all. */
static wide number_max(const struct field *field)
{
	return field->width > 8 ? ~(wide)0 : UINT64_MAX;
}

/* The spans that an item wants: sorted, those that touch made one. NULL: none, or no memory. */
static struct wide_spans *spans_of(struct writer *w, const struct item *item)
{
	wide max = number_max(item->field);
	struct wide_spans *spans =
		data_new(w, sizeof(*spans) + (item->want_count + 1) * sizeof(struct wide_span));
	unsigned kept = 0;

	for (unsigned i = 0; spans && i < item->want_count; i++) {
		const struct match_want *want = &item->wants[i];

		if (want->kind == WANT_SPAN && want->low <= want->high && want->low <= max)
			spans->span[spans->count++] = (struct wide_span){ want->low,
				want->high < max ? want->high : max };
	}
	if (!spans || !spans->count) {
		free(spans);
		return NULL;
	}
	qsort(spans->span, spans->count, sizeof(spans->span[0]), span_compare);
	for (unsigned i = 1; i < spans->count; i++) {
		struct wide_span *last = &spans->span[kept], *next = &spans->span[i];

		if (next->low > last->high && next->low - last->high > 1)
			spans->span[++kept] = *next;
		else if (next->high > last->high)
			last->high = next->high;
	}
	spans->count = kept + 1;
	return spans;
}

static void bits_fill(struct op *op, struct writer *w, const struct wide_spans *spans)
{
	op->kind = OP_BITS;
	op->high = (uint64_t)spans->span[spans->count - 1].high;
	op->bits = data_new(w, (op->high / 64 + 1) * sizeof(uint64_t));
	for (unsigned i = 0; op->bits && i < spans->count; i++) {
		for (uint64_t n = (uint64_t)spans->span[i].low; n <= (uint64_t)spans->span[i].high;
			n++)
			op->bits[n / 64] |= 1ull << n % 64;
	}
}

static void search_fill(struct op *op, struct writer *w, const struct wide_spans *spans)
{
	op->kind = OP_SEARCH;
	op->spans = data_new(w, sizeof(*op->spans) + (size_t)2 * spans->count * sizeof(uint64_t));
	if (!op->spans)
		return;
	op->spans->count = spans->count;
	for (unsigned i = 0; i < spans->count; i++) {
		op->spans->bound[i] = (uint64_t)spans->span[i].low;
		op->spans->bound[spans->count + i] = (uint64_t)spans->span[i].high;
	}
}

/* One span; where the bytes lie it is of the word as it is loaded. */
static void span_fill(struct op *op, const struct wide_span *span)
{
	const struct probe *probe = &op->probe;
	uint64_t low = (uint64_t)span->low, high = (uint64_t)span->high;

	op->kind = OP_SPAN;
	if (probe->is_direct && probe->width <= 4) {
		uint64_t max = UINT32_MAX >> probe->shift;

		low = low / probe->scale + (low % probe->scale != 0);
		high = high / probe->scale < max ? high / probe->scale : max;
		op->kind = probe->width == 1   ? OP_SPAN_1
			   : probe->width == 2 ? OP_SPAN_2
					       : OP_SPAN_4;
		/* No multiple of the scale lies between, or it is more than the field has. */
		if (low > high) {
			op->yes = op->no;
			low = high = 0;
		}
		low <<= probe->shift;
		high <<= probe->shift;
	}
	op->low = low;
	op->high = high - low;
}

/* One test for all the spans. */
static unsigned spans_write(struct writer *w, struct op op, struct wide_spans *spans)
{
	const struct wide_span *last = &spans->span[spans->count - 1];

	if (op.probe.width > 8) {
		op.kind = OP_WIDE;
		op.wide_spans = spans;
		return op_write(w, op);
	}
	if (spans->count == 1) {
		span_fill(&op, last);
	} else if (spans->count > BITS_OVER && last->high < BITS_NUMBERS) {
		bits_fill(&op, w, spans);
	} else {
		search_fill(&op, w, spans);
	}
	free(spans);
	return op_write(w, op);
}

static void mask_fill(struct op *op, struct writer *w, const struct match_want *want)
{
	if (op->probe.width > 8) {
		op->kind = OP_WIDE_MASK;
		op->wide_spans = data_new(w, sizeof(*op->wide_spans) + sizeof(struct wide_span));
		if (op->wide_spans)
			op->wide_spans->span[0] = (struct wide_span){ want->low, want->high };
		return;
	}
	op->kind = OP_MASK;
	op->low = (uint64_t)want->low;
	op->high = (uint64_t)want->high;
}

static unsigned want_write(struct writer *w, struct op op, const struct match_want *want)
{
	switch (want->kind) {
	case WANT_SPAN:
		return op.no;
	case WANT_MASK:
		if (want->low > number_max(op.probe.field))
			return op.no;
		mask_fill(&op, w, want);
		break;
	case WANT_SAME:
		op.kind = OP_SAME;
		op.other = data_new(w, sizeof(*op.other));
		if (op.other)
			*op.other = probe_of(want->field, want->place);
		break;
	case WANT_TEXT:
		op.kind = OP_TEXT;
		op.text = data_new(w, sizeof(*op.text));
		if (op.text)
			*op.text = *want->text;
		break;
	}
	return op_write(w, op);
}

/* Tries one want after the other; where none holds it goes to `no`. */
static unsigned field_write(struct writer *w, const struct item *item, unsigned yes, unsigned no)
{
	struct op op = { .yes = (uint16_t)yes,
		.no = (uint16_t)no,
		.probe = probe_of(item->field, item->place) };
	struct wide_spans *spans = spans_of(w, item);

	for (unsigned i = item->want_count; i--;)
		op.no = (uint16_t)want_write(w, op, &item->wants[i]);
	return spans ? spans_write(w, op, spans) : op.no;
}

static unsigned item_write(struct writer *w, unsigned index, unsigned yes, unsigned no);

/* Cheap tests first, those of one layer together; what pairs() gave is no order. Groups last. */
static bool is_before(const struct item *a, const struct item *b)
{
	unsigned kind_a = a->kind == ITEM_GROUP, kind_b = b->kind == ITEM_GROUP;

	if (kind_a != kind_b)
		return kind_a < kind_b;
	if (a->kind == ITEM_GROUP)
		return false;
	if (a->place.depth != b->place.depth)
		return a->place.depth < b->place.depth;
	if (a->place.layer != b->place.layer)
		return a->place.layer < b->place.layer;
	return a->kind == ITEM_LAYER ? b->kind != ITEM_LAYER
				     : b->kind == ITEM_FIELD && a->field < b->field;
}

/* A group's own items, in the order in which they are asked. NULL: no memory. */
static unsigned *children_of(struct writer *w, unsigned index, unsigned *count)
{
	const struct item *items = w->match->items;
	unsigned *child = data_new(w, (items[index].end - index) * sizeof(*child));
	bool is_ordered = items[index].group != MATCH_ANY;

	*count = 0;
	for (unsigned i = index + 1; child && i < items[index].end; i = items[i].end) {
		unsigned at = (*count)++;

		for (; is_ordered && at && is_before(&items[i], &items[child[at - 1]]); at--)
			child[at] = child[at - 1];
		child[at] = i;
	}
	return child;
}

static unsigned group_write(struct writer *w, unsigned index, unsigned yes, unsigned no)
{
	enum match_group group = w->match->items[index].group;
	unsigned count;
	unsigned *child = children_of(w, index, &count);

	if (group == MATCH_NOT) {
		unsigned other = yes;

		yes = no;
		no = other;
	}
	/* All: a test that holds goes to the next. Any: one that does not hold goes there. */
	unsigned at = group == MATCH_ANY ? no : yes;

	while (child && count--)
		at = group == MATCH_ANY ? item_write(w, child[count], yes, at)
					: item_write(w, child[count], at, no);
	free(child);
	return at;
}

static unsigned item_write(struct writer *w, unsigned index, unsigned yes, unsigned no)
{
	const struct item *item = &w->match->items[index];
	struct op op = { .kind = OP_LAYER,
		.yes = (uint16_t)yes,
		.no = (uint16_t)no,
		.probe = { .place = item->place } };

	if (item->kind == ITEM_GROUP)
		return group_write(w, index, yes, no);
	if (item->kind == ITEM_FIELD)
		return field_write(w, item, yes, no);
	if (!item->is_wanted) {
		op.yes = (uint16_t)no;
		op.no = (uint16_t)yes;
	}
	return op_write(w, op);
}

static uint16_t turned(const struct match *match, unsigned at)
{
	return (uint16_t)(at < match->op_count ? match->op_count - 1 - at : at);
}

static void program_turn(struct match *match)
{
	for (unsigned i = 0; i < match->op_count; i++) {
		match->ops[i].yes = turned(match, match->ops[i].yes);
		match->ops[i].no = turned(match, match->ops[i].no);
	}
	for (unsigned i = 0, j = match->op_count; i + 1 < j; i++) {
		struct op op = match->ops[--j];

		match->ops[j] = match->ops[i];
		match->ops[i] = op;
	}
	for (unsigned i = 0; i < match->op_count; i++)
		match->ops[i].is_next = match->ops[i].yes == i + 1;
}

int match_compile(struct match *match)
{
	struct writer w = { match, 0 };

	match_end(match);
	unsigned entry = item_write(&w, 0, GO_YES, GO_NO);

	match->entry = turned(match, entry);
	program_turn(match);
	return w.error;
}

bool match_is_key(const struct match *match)
{
	return match->item_count == 2;
}

bool match_key(const struct match *match, unsigned n, struct match_key *out)
{
	for (unsigned i = 1; i < match->item_count; i = match->items[i].end) {
		const struct item *item = &match->items[i];
		bool is_key = item->kind == ITEM_FIELD && field_is_number(item->field);

		for (unsigned j = 0; is_key && j < item->want_count; j++)
			is_key = item->wants[j].kind == WANT_SPAN;
		if (!is_key || n--)
			continue;
		*out = (struct match_key){ probe_of(item->field, item->place), item->wants,
			item->want_count };
		return true;
	}
	return false;
}
