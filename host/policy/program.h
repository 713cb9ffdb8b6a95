/* SPDX-License-Identifier: MIT */
/* What a match is compiled into: tests in a row, each of which says where to go on, always
 * forward. compile.c writes it, match.c runs it. */
#pragma once

#include "host/policy/match.h"

enum op_kind {
	OP_LAYER,  /* the layer is there */
	OP_SPAN_1, /* of as many bytes that lie where they lie: (word & mask) - low <= high */
	OP_SPAN_2,
	OP_SPAN_4,
	OP_SPAN,   /* number - low <= high */
	OP_MASK,   /* (number & high) == low */
	OP_BITS,   /* a set of small numbers, a bit each */
	OP_SEARCH, /* a sorted set of spans */
	OP_WIDE,   /* the same for numbers of more than 64 bits, also for one span */
	OP_WIDE_MASK,
	OP_SAME, /* another field has the same number */
	OP_TEXT, /* these bytes */
};

enum { GO_YES = 0xffff, GO_NO = 0xfffe };

/* Spans that do not touch, in ascending order; the lows, then the highs. */
struct spans {
	unsigned count;
	uint64_t bound[];
};

struct wide_spans {
	unsigned count;
	struct wide_span {
		wide low, high;
	} span[];
};

struct op {
	uint8_t kind; /* enum op_kind */
	bool is_next; /* yes is the op after this one */
	uint16_t yes, no;
	struct probe probe;
	uint64_t low, high;
	union {
		uint64_t *bits;
		struct spans *spans;
		struct wide_spans *wide_spans; /* OP_WIDE; OP_WIDE_MASK: low and mask of one */
		struct probe *other;	       /* OP_SAME */
		struct value *text;	       /* OP_TEXT */
		void *data;		       /* whichever it is; NULL: none; owned */
	};
};

/* What was said before it is compiled, in order; a group is followed by what is in it. */
enum item_kind { ITEM_GROUP, ITEM_LAYER, ITEM_FIELD };

struct item {
	uint8_t kind;	/* enum item_kind */
	uint8_t group;	/* enum match_group */
	bool is_wanted; /* ITEM_LAYER */
	struct layer_ref place;
	unsigned end; /* the item after it and all that is in it */
	const struct field *field;
	struct match_want *wants;
	unsigned want_count;
};

struct match {
	struct filter *filter; /* decides alone; else NULL */
	unsigned refs;
	struct item *items; /* the first is the outermost group */
	unsigned item_count;
	unsigned open[MATCH_DEPTH]; /* the groups that are begun */
	unsigned depth;
	struct op *ops;
	unsigned op_count;
	uint16_t entry; /* the first op, or GO_YES or GO_NO */
};
