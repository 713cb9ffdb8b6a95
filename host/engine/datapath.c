/* SPDX-License-Identifier: MIT */
/* READ THIS FILE FIRST: what happens to a packet, from the port it comes in by to the one it leaves
 * by: recv -> parse -> rules -> verdict -> act -> send. No allocation, lock, log or system call
 * but the ports' own I/O. */
#include "host/engine/datapath.h"

#include <string.h>

#include "host/packet/parse.h"
#include "host/packet/reply.h"
#include "host/packet/segment.h"

enum { AHEAD = 4 }; /* packets of a burst */

/* What was decided about one packet. */
struct decision {
	enum verdict verdict;
	enum drop_reason reason;
	const struct rule *rule; /* NULL: the port's default */
	bool is_turned;		 /* a C action has already made it its own answer */
	struct verdict_ports to; /* none: the next port */
};

static enum verdict action_run(struct datapath *dp, struct lane *lane, const struct action *action,
	struct packet *p, struct decision *decision)
{
	enum verdict verdict = VERDICT_NONE;

	switch (action->kind) {
	case ACTION_VERDICT:
		return action->verdict;
	case ACTION_REFLECT:
		verdict = reflect_verdict(action->reflect, &lane->station, p);
		decision->is_turned = verdict == VERDICT_REPLY;
		return verdict;
	case ACTION_SET:
		set_apply(action->set, p);
		return VERDICT_NONE;
	case ACTION_REJECT:
		verdict = reject_verdict(action->reject, &lane->station, p, &decision->reason);
		decision->is_turned = verdict == VERDICT_REPLY;
		return verdict;
	case ACTION_CALL:
		return dp->ops->verdict(dp->script, action->ref, p, &decision->to);
	case ACTION_TEST:
		break;
	}
	return verdict;
}

/* A function that failed costs its packet, or lets it pass if its rule says so. */
static void script_failed(struct lane *lane, const struct rule *rule, struct decision *decision)
{
	counter_add(&lane->script_errors, 1);
	decision->verdict = rule->on_error;
	decision->reason = DROP_script_error;
	decision->to.count = 0;
}

/* Asks the rules in order until one has an opinion; else the port's default decides. */
static void decide(
	struct datapath *dp, struct lane *lane, struct packet *p, struct decision *decision)
{
	struct rule_walk walk;
	const struct action *action;

	rule_walk_start(&walk, lane->rules);
	while ((action = rule_next(&walk, p))) {
		enum verdict verdict;

		if (action->kind == ACTION_TEST) {
			verdict = dp->ops->match(dp->script, action->ref, p);
			if (verdict == VERDICT_NONE)
				rule_skip(&walk);
			else if (verdict != VERDICT_ERROR)
				rule_hit(walk.rule, p);
			if (verdict != VERDICT_ERROR)
				continue;
		} else {
			verdict = action_run(dp, lane, action, p, decision);
			if (verdict == VERDICT_NONE) {
				decision->to.count = 0;
				decision->reason = DROP_policy;
				continue;
			}
		}
		decision->rule = walk.rule;
		decision->verdict = verdict;
		if (verdict == VERDICT_ERROR)
			script_failed(lane, walk.rule, decision);
		return;
	}
	decision->verdict = lane->fallback;
	if (p->wish)
		decision->reason = p->wish;
}

/* Turns what cannot be done into a drop with its reason. */
static void settle(struct lane *lane, struct packet *p, struct decision *decision)
{
	struct lane *next = lane->next && lane->next->is_open ? lane->next : NULL;

	if (decision->verdict == VERDICT_REPLY && !decision->is_turned) {
		if (reply_check(p) == REPLY_MAY) {
			reply_turn(p, &lane->station.self, 64);
		} else {
			decision->verdict = VERDICT_DROP;
			decision->reason = DROP_no_reply;
		}
	}
	if (decision->verdict == VERDICT_REPLY) {
		decision->to = (struct verdict_ports){ 1, { lane } };
	} else if (decision->to.count == 0) {
		decision->to = (struct verdict_ports){ 1, { next ? next : lane } };
		if (decision->verdict == VERDICT_PASS && !next) {
			decision->verdict = VERDICT_DROP;
			decision->reason = DROP_no_next;
		}
	}
}

static void tx_show(struct datapath *dp, const struct lane *lane, const struct packet *p)
{
	if (dp->trace && dp->trace->ops->tx)
		dp->trace->ops->tx(dp->trace, lane, p);
}

/* Gives the port the segments that p stands for, one by one: it takes no more at a time. */
static void send_segments(struct datapath *dp, struct lane *lane, const struct packet *p)
{
	struct segments segments;
	struct packet *out;

	if (!segments_start(&segments, p)) {
		port_tx_drop(lane->port, TX_DROP_too_long);
		return;
	}
	while ((out = pool_take(dp->pool, segments_longest(&segments)))) {
		if (!segments_next(&segments, out)) {
			packet_free(out);
			return;
		}
		tx_show(dp, lane, out);
		lane->port->ops->send(lane->port, out);
	}
	port_tx_drop(lane->port, TX_DROP_no_packet);
}

static bool must_cut(const struct lane *lane, const struct packet *p)
{
	return p->gso.type && !lane->port->takes_gso;
}

/* A copy for one more port of a flood. */
static void send_copy(struct datapath *dp, struct lane *lane, const struct packet *p)
{
	if (must_cut(lane, p)) {
		send_segments(dp, lane, p);
		return;
	}
	struct packet *copy = pool_take(dp->pool, packet_length(p));

	tx_show(dp, lane, p);
	if (!copy) {
		port_tx_drop(lane->port, TX_DROP_no_packet);
		return;
	}
	packet_fill(copy, p);
	lane->port->ops->send(lane->port, copy);
}

static void send_own(struct datapath *dp, struct lane *lane, struct packet *p)
{
	if (must_cut(lane, p)) {
		send_segments(dp, lane, p);
		packet_free(p);
		return;
	}
	tx_show(dp, lane, p);
	lane->port->ops->send(lane->port, p);
}

static void send(struct datapath *dp, struct packet *p, const struct verdict_ports *to)
{
	for (unsigned i = 1; i < to->count; i++)
		send_copy(dp, to->lane[i], p);
	send_own(dp, to->lane[0], p);
}

/* Counts the decision and carries it out; the packet is then no longer ours. */
static void act(
	struct datapath *dp, struct lane *lane, struct packet *p, const struct decision *decision)
{
	counter_add(&lane->decided[decision->verdict], 1);
	switch (decision->verdict) {
	case VERDICT_REPLY:
	case VERDICT_REWRITE:
	case VERDICT_PASS:
		send(dp, p, &decision->to);
		return;
	case VERDICT_DROP:
		counter_add(&lane->dropped[decision->reason], 1);
		break;
	default:
		break;
	}
	packet_free(p);
}

static void packet_run(struct datapath *dp, struct lane *lane, struct packet *p)
{
	struct decision decision = { .verdict = VERDICT_NONE, .reason = DROP_policy };

	parse(p);
	if (p->malformed) {
		counter_add(&lane->malformed, 1);
		p->wish = DROP_malformed;
	}
	if (dp->trace)
		dp->trace->ops->rx(dp->trace, lane, p);
	decide(dp, lane, p, &decision);
	settle(lane, p, &decision);
	if (dp->trace)
		dp->trace->ops->verdict(
			dp->trace, lane, decision.rule, decision.verdict, decision.reason, p);
	act(dp, lane, p, &decision);
}

unsigned datapath_run(struct datapath *dp, struct lane *lane, struct mono now)
{
	struct packet *burst[PORT_BURST];

	lane_rules_swap(lane);
	lane->port->is_starved = false;
	unsigned count = lane->port->ops->recv(lane->port, burst, PORT_BURST, now);

	/* Another core may have written them: they come while their forerunners are looked at. */
	for (unsigned i = 0; i < count && i < AHEAD; i++)
		__builtin_prefetch(burst[i]->data);
	for (unsigned i = 0; i < count; i++) {
		if (i + AHEAD < count)
			__builtin_prefetch(burst[i + AHEAD]->data);
		packet_run(dp, lane, burst[i]);
	}
	if (dp->ops->burst_over)
		dp->ops->burst_over(dp->script);
	datapath_flush(dp);
	return count;
}

void datapath_inject(struct datapath *dp, struct lane *lane, const struct packet *p)
{
	send_copy(dp, lane, p);
}

void datapath_flush(struct datapath *dp)
{
	for (struct lane *lane = dp->lanes; lane; lane = lane->sibling) {
		if (lane->is_open)
			lane->port->ops->flush(lane->port);
	}
	if (dp->trace && dp->trace->ops->flush)
		dp->trace->ops->flush(dp->trace);
}
