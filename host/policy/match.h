/* SPDX-License-Identifier: MIT */
/* A match: a predicate on packets, compiled once from tests of fields or from a pcap-filter. */
#pragma once

#include "host/policy/filter.h"
#include "host/policy/probe.h"

struct match;

enum match_group { MATCH_ALL, MATCH_ANY, MATCH_NOT }; /* NOT: not all of its tests hold */

/* What a tested field may be; one of several must hold. */
enum want_kind {
	WANT_SPAN, /* low to high, both included */
	WANT_MASK, /* value & high == low */
	WANT_SAME, /* as another field of the packet */
	WANT_TEXT, /* the bytes of a field that is no number */
};

struct match_want {
	enum want_kind kind;
	wide low, high;
	const struct field *field; /* WANT_SAME: which, and where */
	struct layer_ref place;
	const struct value *text; /* WANT_TEXT; copied */
};

/* How deep groups may nest, how many tests a match may have. */
enum { MATCH_DEPTH = 16, MATCH_TESTS = 16384 };

/* A match of no tests yet, which holds for every packet. NULL: no memory. */
struct match *match_new(void);

/* One that a filter decides; takes over the caller's hold on it. NULL: no memory, nothing taken. */
struct match *match_of_filter(struct filter *filter);
struct match *match_hold(struct match *match);
void match_release(struct match *match);

/* What is added stands in the group that was begun last; all of the outermost must hold. 0,
 * -ENOMEM, or -E2BIG beyond MATCH_DEPTH and MATCH_TESTS. After match_compile nothing is added. */
int match_begin(struct match *match, enum match_group group);
void match_end(struct match *match);

/* Is that layer there (LAYER_none: a packet at that depth)? */
int match_layer(struct match *match, struct layer_ref place, bool is_wanted);

/* A field, of a layer that must be there; none of its wants yet, so that it never holds. */
int match_field(struct match *match, const struct field *field, struct layer_ref place);
int match_want(struct match *match, const struct match_want *want);

/* Ends the outermost group. 0 or -ENOMEM. */
int match_compile(struct match *match);

/* On the data path, after match_compile. `views`: of this packet. */
bool match_run(const struct match *match, const struct packet *p, struct views *views);

/* The same for a packet that is asked about once. */
bool match_packet(const struct match *match, const struct packet *p);

/* A field that must have one of some numbers for the match to hold. */
struct match_key {
	struct probe probe;
	const struct match_want *wants; /* all of them WANT_SPAN */
	unsigned count;
};

/* The n-th, false: there are not so many. */
bool match_key(const struct match *match, unsigned n, struct match_key *out);

/* Is there nothing else that it tests? It has a key. */
bool match_is_key(const struct match *match);
