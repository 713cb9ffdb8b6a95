/* SPDX-License-Identifier: MIT */
/* A lane: one port of one worker, with its rules, its default, its next port and the count of what
 * was decided. */
#pragma once

#include "host/engine/loop.h"
#include "host/policy/rule.h"
#include "host/policy/station.h"
#include "host/port/port.h"

struct worker;

struct lane {
	struct watch watch; /* of the port's descriptor; the first member */
	struct worker *worker;
	struct port *port;
	struct rule_table *rules;
	struct rule_table *pending; /* what the rules are from the next burst on */
	bool has_pending;
	bool is_open;
	bool is_hot;	       /* not watched: it is read in each turn, until it is empty */
	bool is_paused;	       /* not watched until there are packets in the pool again */
	bool has_device;       /* a recorded one, which goes when the port is closed */
	enum verdict fallback; /* the port's default: VERDICT_DROP or VERDICT_PASS */
	struct lane *next;     /* where pass and rewrite go; NULL: nowhere */
	struct lane *sibling;  /* the worker's next lane */
	uint64_t link_dropped; /* of the link's tx_dropped those that are not ours to count */
	struct lane *origin;   /* worker 1's lane, of whose port this one has a queue; NULL: none */
	char netns[64];	       /* of the link; "": our own */
	struct station station;
	struct counter decided[VERDICT_COUNT];
	struct counter dropped[DROP_COUNT];
	struct counter malformed;     /* of what was read; also in one of the verdicts */
	struct counter script_errors; /* calls that failed; their packets are in the verdicts */
};

/* A closed lane around a closed port, which it owns from now on. NULL: no memory. */
struct lane *lane_new(struct port *port);

/* Closes the port; the counters stay readable. */
void lane_close(struct lane *lane);
void lane_free(struct lane *lane);

/* The rules as they will be from the next burst on. NULL: none. */
const struct rule_table *lane_rules(const struct lane *lane);

/* From the next burst on `table` (may be NULL) are the rules; the lane owns it. */
void lane_rules_set(struct lane *lane, struct rule_table *table);

/* Between bursts: makes the pending rules the rules. */
void lane_rules_swap(struct lane *lane);
