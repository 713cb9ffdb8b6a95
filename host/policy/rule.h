/* SPDX-License-Identifier: MIT */
/* A port's ordered rules: what matches, and what is then done. */
#pragma once

#include "host/base/counters.h"
#include "host/policy/index.h"
#include "host/policy/match.h"
#include "host/policy/reflect.h"
#include "host/policy/reject.h"
#include "host/policy/set.h"
#include "host/policy/verdict.h"

enum action_kind {
	ACTION_TEST, /* a match function: its rule goes on if it says true */
	ACTION_VERDICT,
	ACTION_REFLECT,
	ACTION_SET,
	ACTION_REJECT,
	ACTION_CALL, /* a script's function, by integer reference */
};

struct action {
	enum action_kind kind;
	enum verdict verdict;	 /* ACTION_VERDICT */
	struct reflect *reflect; /* of ACTION_REFLECT; held, as are the next two */
	struct set *set;
	struct reject *reject;
	int ref; /* ACTION_TEST and ACTION_CALL */
};

enum { RULE_LABEL = 64 };

struct rule {
	struct match *match;	/* NULL: all packets; held */
	struct action *actions; /* an ACTION_TEST first, if a function matches */
	unsigned action_count;
	enum verdict on_error; /* DROP or PASS */
	struct counter hits, bytes;
	void (*ref_release)(void *owner, int ref); /* gives an action's ref back; NULL: need not */
	void *ref_owner;
	unsigned refs;
	char label[RULE_LABEL]; /* what counters and traces call it; "file:line" unless it was set
				 */
	char *match_words, *action_words; /* as the script wrote them; NULL: not told */
};

/* Rules in order. Never changed once a port has it: editing makes a new table. */
struct rule_table {
	unsigned count;
	struct index *index; /* NULL: each rule is asked */
	struct rule *rules[];
};

/* Gives back a C action's object. */
void action_release(const struct action *action);

/* A rule of `count` actions; takes over the caller's holds on match and actions. NULL: no memory,
 * nothing was taken. */
struct rule *rule_new(
	const char *label, struct match *match, const struct action *actions, unsigned count);

/* Copies what people are told of it. Where memory is short they are told nothing. */
void rule_words_set(struct rule *rule, const char *match, const char *actions);

struct rule *rule_hold(struct rule *rule);
void rule_release(struct rule *rule);

/* A table of the same rules but with `rule` put in before `before` (NULL: at the end), or, with
 * rule NULL, without `before`. NULL: no memory. old may be NULL (empty). */
struct rule_table *rule_table_edit(
	const struct rule_table *old, struct rule *rule, const struct rule *before);
struct rule_table *rule_table_new(struct rule *const *rules, unsigned count);
void rule_table_free(struct rule_table *table);

/* Where a packet stands in a table. */
struct rule_walk {
	const struct rule_table *table;
	struct rule *rule; /* the one whose action was returned last */
	unsigned next_rule, next_action;
	struct views views; /* of the packet as it is since then */
};

static inline void rule_walk_start(struct rule_walk *walk, const struct rule_table *table)
{
	walk->table = table;
	walk->rule = NULL;
	walk->next_rule = walk->next_action = 0;
}

/* The next action of the next matching rule, or NULL at the end; the caller runs it. Counts a
 * rule's hit when its match held, or leaves that to the caller where a function matches. */
const struct action *rule_next(struct rule_walk *walk, const struct packet *p);

/* Counts a packet that a rule matched. */
static inline void rule_hit(struct rule *rule, const struct packet *p)
{
	counter_add(&rule->hits, 1);
	counter_add(&rule->bytes, packet_length(p));
}

/* Goes on with the next rule. */
static inline void rule_skip(struct rule_walk *walk)
{
	walk->rule = NULL;
}
