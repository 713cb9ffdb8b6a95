/* SPDX-License-Identifier: MIT */
/* Asks a compiled match whether it holds for a packet. */
#include "host/policy/match.h"

#include <string.h>

#include "host/policy/program.h"

/* The index of the last bound that is not above the number, or 0. */
static unsigned search(const uint64_t *bound, unsigned count, uint64_t number)
{
	const uint64_t *base = bound;

	while (count > 1) {
		unsigned half = count / 2;

		base += base[half] <= number ? half : 0;
		count -= half;
	}
	return (unsigned)(base - bound);
}

static bool is_in_spans(const struct spans *spans, uint64_t number)
{
	unsigned i = search(spans->bound, spans->count, number);

	return spans->bound[i] <= number && number <= spans->bound[spans->count + i];
}

static bool is_in_wide_spans(const struct wide_spans *spans, wide number)
{
	const struct wide_span *base = spans->span;

	for (unsigned count = spans->count; count > 1;) {
		unsigned half = count / 2;

		base += base[half].low <= number ? half : 0;
		count -= half;
	}
	return base->low <= number && number <= base->high;
}

static bool number_of(
	const struct probe *probe, const struct packet *p, const struct layer *layer, wide *out)
{
	uint64_t number;

	if (probe->width > 8)
		return probe_read_wide(probe, p, layer, out);
	if (!probe_read(probe, p, layer, &number))
		return false;
	*out = number;
	return true;
}

static bool is_same(const struct op *op, const struct packet *p, const struct layer *layer,
	const struct packet *outermost, struct views *views)
{
	const struct packet *there = view_of(views, outermost, op->other->place.depth);
	const struct layer *other = there ? packet_layer(there, op->other->place.layer) : NULL;
	wide a, b;

	return other && number_of(&op->probe, p, layer, &a) &&
	       number_of(op->other, there, other, &b) && a == b;
}

static bool wide_holds(const struct op *op, const struct packet *p, const struct layer *layer)
{
	wide number;

	if (!probe_read_wide(&op->probe, p, layer, &number))
		return false;
	if (op->kind == OP_WIDE)
		return is_in_wide_spans(op->wide_spans, number);
	return (number & op->wide_spans->span[0].high) == op->wide_spans->span[0].low;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* Names are the same in upper and lower case (RFC 4343). */
static bool is_text(const struct op *op, const struct packet *p, const struct layer *layer)
{
	struct value value;

	if (field_get(p, layer, op->probe.field, &value) != FIELD_OK ||
		value.length != op->text->length)
		return false;
	if (op->probe.field->kind == FIELD_BYTES)
		return !memcmp(value.bytes, op->text->bytes, value.length);
	for (unsigned i = 0; i < value.length; i++) {
		if (lower(value.bytes[i]) != lower(op->text->bytes[i]))
			return false;
	}
	return true;
}

static inline bool op_holds(const struct op *op, const struct packet *p, const struct layer *layer)
{
	uint64_t number;

	if (op->kind >= OP_WIDE)
		return op->kind == OP_TEXT ? is_text(op, p, layer) : wide_holds(op, p, layer);
	if (!probe_read(&op->probe, p, layer, &number))
		return false;
	switch (op->kind) {
	case OP_SPAN:
		return number - op->low <= op->high;
	case OP_MASK:
		return (number & op->high) == op->low;
	case OP_BITS:
		return number <= op->high && (op->bits[number / 64] >> number % 64 & 1);
	default:
		return is_in_spans(op->spans, number);
	}
}

static inline const uint8_t *op_bytes(
	const struct op *op, const struct packet *p, const struct layer *layer)
{
	return layer_bytes(p, layer) + op->probe.offset;
}

bool match_run(const struct match *match, const struct packet *p, struct views *views)
{
	static const struct layer whole;
	struct layer_ref place = { 0xff, 0 };
	const struct packet *view = p;
	const struct layer *layer = NULL;
	unsigned at = match->entry;

	if (match->filter)
		return filter_match(match->filter, p);
	while (at < match->op_count) {
		const struct op *op = &match->ops[at];
		bool holds = true;

		if (!is_same_layer(op->probe.place, place)) {
			place = op->probe.place;
			view = view_of(views, p, place.depth);
			layer = !view	       ? NULL
				: !place.layer ? &whole
					       : packet_layer(view, place.layer);
		}
		if (!layer) {
			at = op->no;
			continue;
		}
		switch (op->kind) {
		case OP_LAYER:
			break;
		case OP_SPAN_1:
			holds = (*op_bytes(op, view, layer) & op->probe.mask) - op->low <= op->high;
			break;
		case OP_SPAN_2:
			holds = (load_be16(op_bytes(op, view, layer)) & op->probe.mask) - op->low <=
				op->high;
			break;
		case OP_SPAN_4:
			holds = (load_be32(op_bytes(op, view, layer)) & op->probe.mask) - op->low <=
				op->high;
			break;
		case OP_SAME:
			holds = is_same(op, view, layer, p, views);
			break;
		default:
			holds = op_holds(op, view, layer);
		}
		/* Where the next test follows, the processor need not wait to know which it is. */
		if (holds && op->is_next)
			at++;
		else
			at = holds ? op->yes : op->no;
	}
	return at == GO_YES;
}

bool match_packet(const struct match *match, const struct packet *p)
{
	struct views views;

	views_forget(&views);
	return match_run(match, p, &views);
}
