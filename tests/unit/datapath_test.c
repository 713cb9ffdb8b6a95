/* SPDX-License-Identifier: MIT */
/* The datapath does what rules say, counts each packet once, and keeps none; the script is in C. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/engine/host.h"
#include "host/engine/setup.h"
#include "tests/unit/frames.h"

/* A script is a table of functions; a ref is an index into it. */
typedef enum verdict function(struct script *, struct packet *, struct verdict_ports *);

enum { FUNCTIONS = 16, KEPT = 400 };

struct script {
	function *functions[FUNCTIONS];
	unsigned calls[FUNCTIONS];
	int count;
	struct packet *kept[KEPT]; /* copies of what `keep` saw */
	unsigned kept_count;
	int timer_refs; /* sum of the refs of timers that fired */
	unsigned timer_lasts;
	unsigned closed;
};

static enum verdict script_verdict(
	struct script *script, int ref, struct packet *p, struct verdict_ports *to)
{
	script->calls[ref]++;
	return script->functions[ref](script, p, to);
}

static enum verdict script_match(struct script *script, int ref, struct packet *p)
{
	struct verdict_ports none = { 0 };

	return script_verdict(script, ref, p, &none);
}

static void script_timer(struct script *script, int ref, bool is_last)
{
	script->timer_refs += ref;
	script->timer_lasts += is_last;
}

static bool script_is_waiting(const struct script *script)
{
	(void)script;
	return false;
}

static void script_close(struct script *script)
{
	script->closed++;
}

static const struct script_ops ops = {
	.verdict = script_verdict,
	.match = script_match,
	.timer = script_timer,
	.is_waiting = script_is_waiting,
	.close = script_close,
};

/* Packets go in at `in[0]`, whose rules are tested, and at `in[1]`; `out[0]` and `out[1]` are two
 * more such ports. far_* are the other ends: what is sent to them is kept. */
static struct host host;
static struct script script;
static struct worker *const worker = &host.worker;
static struct lane *in[2], *out[2], *far_in[2], *far_out[2];
static unsigned rules_alive;

static int function_add(function *f)
{
	ck_assert_int_lt(script.count, FUNCTIONS);
	script.functions[script.count] = f;
	return script.count++;
}

static void ref_release(void *owner, int ref)
{
	(void)ref;
	--*(unsigned *)owner;
}

static struct rule *rule_of(const struct action *actions, unsigned count)
{
	struct rule *rule = rule_new("test:1", NULL, actions, count);

	ck_assert_ptr_nonnull(rule);
	rule->ref_release = ref_release;
	rule->ref_owner = &rules_alive;
	for (unsigned i = 0; i < count; i++)
		rules_alive += actions[i].ref != 0;
	return rule;
}

/* Appends a rule from the next burst on; the table alone holds it. */
static struct rule *rule_add(struct lane *lane, const struct action *actions, unsigned count)
{
	struct rule *rule = rule_of(actions, count);

	lane_rules_set(lane, rule_table_edit(lane_rules(lane), rule, NULL));
	rule_release(rule);
	return rule;
}

static struct action call(function *f)
{
	return (struct action){ .kind = ACTION_CALL, .ref = function_add(f) };
}

static struct action says(enum verdict verdict)
{
	return (struct action){ .kind = ACTION_VERDICT, .verdict = verdict };
}

static struct rule *rule_call(struct lane *lane, function *f)
{
	struct action action = call(f);

	return rule_add(lane, &action, 1);
}

static struct rule *rule_says(struct lane *lane, enum verdict verdict)
{
	struct action action = says(verdict);

	return rule_add(lane, &action, 1);
}

/* Keeps a copy, which knows the port it came in by, and takes the packet over. */
static enum verdict keep(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)to;
	ck_assert_uint_lt(s->kept_count, KEPT);
	s->kept[s->kept_count++] = packet_copy(p);
	return VERDICT_HANDLED;
}

static void pair_open(enum layer_id first, const char *name, const char *far_name,
	struct lane **near, struct lane **far)
{
	const char *names[2] = { name, far_name };
	struct lane *ends[2];
	struct refusal why;

	ck_assert_int_eq(setup_pair(worker, first, names, ends, &why), 0);
	*near = ends[0];
	*far = ends[1];
	rule_call(*far, keep);
}

static void setup(void)
{
	struct refusal why = { 0 };

	memset(&host, 0, sizeof(host));
	memset(&script, 0, sizeof(script));
	script.count = 1; /* ref 0 is none */
	rules_alive = 0;
	ck_assert_int_eq(host_init(&host, &why), 0);
	ck_assert_int_eq(worker_init(worker, &host, 1, &ops, &why), 0);
	worker->dp.script = &script;
	pair_open(LAYER_ip, "in0", "far0", &in[0], &far_in[0]);
	pair_open(LAYER_ip, "in1", "far1", &in[1], &far_in[1]);
	pair_open(LAYER_ip, "out0", "far2", &out[0], &far_out[0]);
	pair_open(LAYER_ip, "out1", "far3", &out[1], &far_out[1]);
}

/* What is true of every lane at every moment between bursts. */
static void counts_hold(void)
{
	for (const struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		uint64_t decided = 0, dropped = 0;

		for (unsigned v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++)
			decided += counter_get(&lane->decided[v]);
		for (unsigned r = DROP_none + 1; r < DROP_COUNT; r++)
			dropped += counter_get(&lane->dropped[r]);
		ck_assert_uint_eq(decided, counter_get(&lane->port->counters.rx_packets));
		ck_assert_uint_eq(dropped, counter_get(&lane->decided[VERDICT_DROP]));
		ck_assert_uint_eq(counter_get(&lane->decided[VERDICT_NONE]), 0);
		ck_assert_uint_eq(counter_get(&lane->decided[VERDICT_ERROR]), 0);
		ck_assert_uint_eq(counter_get(&lane->dropped[DROP_none]), 0);
	}
}

/* Turns until nothing moves any more. */
static void turn(void)
{
	for (unsigned i = 0; i < 8; i++)
		worker_turn(worker, 0);
	counts_hold();
}

static void teardown(void)
{
	turn();
	for (unsigned i = 0; i < script.kept_count; i++)
		packet_free(script.kept[i]);
	ck_assert_uint_eq(pool_out(worker->pool), 0);
	worker_fini(worker); /* closes the pool, which asserts the same */
	ck_assert_uint_eq(script.closed, 1);
	ck_assert_uint_eq(rules_alive, 0);
	host_fini(&host);
}

/* Makes the frame arrive at the lane on the other side of `far`. */
static void arrive(struct lane *far, const struct frame *f)
{
	struct packet *p = frame_packet(f);

	datapath_inject(&worker->dp, far, p);
	packet_free(p);
}

static struct frame echo(void)
{
	return frame_echo("10.0.0.1", "10.0.0.7", 56);
}

/* One echo request through in[0]. */
static void ping(void)
{
	struct frame f = echo();

	arrive(far_in[0], &f);
	turn();
}

static uint64_t decided(const struct lane *lane, enum verdict verdict)
{
	return counter_get(&lane->decided[verdict]);
}

static void dropped_as(enum drop_reason reason)
{
	ck_assert_uint_eq(decided(in[0], VERDICT_DROP), 1);
	ck_assert_uint_eq(counter_get(&in[0]->dropped[reason]), 1);
	ck_assert_uint_eq(script.kept_count, 0);
}

/* `count` packets were kept; each arrived at one of the lanes, in any order. */
static void kept_at(struct lane *const *lanes, unsigned count)
{
	ck_assert_uint_eq(script.kept_count, count);
	for (unsigned i = 0; i < count; i++) {
		unsigned found = 0;

		for (unsigned k = 0; k < count; k++)
			found += script.kept[k]->port == lanes[i]->port;
		ck_assert_msg(found == 1, "%u packets at %s", found, lanes[i]->port->name);
	}
}

static enum verdict say_none(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p, (void)to;
	return VERDICT_NONE;
}

static enum verdict say_reply(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p, (void)to;
	return VERDICT_REPLY;
}

static enum verdict say_error(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p;
	*to = (struct verdict_ports){ 1, { out[0] } }; /* of no importance: it failed */
	return VERDICT_ERROR;
}

static enum verdict say_yes(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p, (void)to;
	return VERDICT_PASS;
}

static enum verdict pass_to_out1(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p;
	*to = (struct verdict_ports){ 1, { out[1] } };
	return VERDICT_PASS;
}

static enum verdict rewrite_to_out1(struct script *s, struct packet *p, struct verdict_ports *to)
{
	pass_to_out1(s, p, to);
	return VERDICT_REWRITE;
}

static enum verdict flood(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p;
	*to = (struct verdict_ports){ 3, { out[0], out[1], in[1] } };
	return VERDICT_PASS;
}

/* ---- verdicts ---- */

START_TEST(port_without_rules_drops_by_default)
{
	ping();
	dropped_as(DROP_policy);
}
END_TEST

START_TEST(default_pass_goes_to_the_next_port)
{
	in[0]->fallback = VERDICT_PASS;
	in[0]->next = out[0];
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_PASS), 1);
	kept_at((struct lane *[]){ far_out[0] }, 1);
	struct frame f = echo();

	ck_assert_mem_eq(script.kept[0]->data, f.bytes, f.len); /* untouched */
}
END_TEST

START_TEST(pass_without_a_next_port_is_dropped_as_no_next)
{
	rule_says(in[0], VERDICT_PASS);
	ping();
	dropped_as(DROP_no_next);
}
END_TEST

START_TEST(default_pass_without_a_next_port_is_dropped_as_no_next)
{
	in[0]->fallback = VERDICT_PASS;
	ping();
	dropped_as(DROP_no_next);
}
END_TEST

START_TEST(closed_next_port_is_no_next_port)
{
	rule_says(in[0], VERDICT_PASS);
	in[0]->next = out[0];
	worker_lane_close(worker, out[0]);
	ping();
	dropped_as(DROP_no_next);
}
END_TEST

START_TEST(rewrite_goes_to_the_next_port_else_back)
{
	rule_says(in[0], VERDICT_REWRITE);
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_REWRITE), 1);
	kept_at((struct lane *[]){ far_in[0] }, 1);
	in[0]->next = out[1];
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_REWRITE), 2);
	kept_at((struct lane *[]){ far_in[0], far_out[1] }, 2);
}
END_TEST

START_TEST(named_port_comes_before_the_next_port)
{
	in[0]->next = out[0];
	rule_call(in[0], pass_to_out1);
	ping();
	kept_at((struct lane *[]){ far_out[1] }, 1);
}
END_TEST

START_TEST(rewrite_goes_to_a_named_port)
{
	rule_call(in[0], rewrite_to_out1);
	ping();
	kept_at((struct lane *[]){ far_out[1] }, 1);
	ck_assert_uint_eq(decided(in[0], VERDICT_REWRITE), 1);
}
END_TEST

START_TEST(flood_sends_one_to_each_port_and_counts_one_decision)
{
	rule_call(in[0], flood);
	ping();
	kept_at((struct lane *[]){ far_out[0], far_out[1], far_in[1] }, 3);
	ck_assert_uint_eq(decided(in[0], VERDICT_PASS), 1);
	struct frame f = echo();

	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(packet_length(script.kept[i]), f.len);
		ck_assert_mem_eq(script.kept[i]->data, f.bytes, f.len);
	}
}
END_TEST

START_TEST(flood_with_an_empty_pool_counts_what_it_cannot_copy)
{
	struct frame f = echo();
	struct packet *all[4096];
	unsigned count = 0;

	rule_call(in[0], flood);
	arrive(far_in[0], &f);
	while ((all[count] = pool_take(worker->pool, 0)))
		count++;
	turn();
	while (count)
		packet_free(all[--count]);
	kept_at((struct lane *[]){ far_out[0] }, 1);
	ck_assert_uint_eq(counter_get(&out[1]->port->counters.tx_drop[TX_DROP_no_packet]), 1);
	ck_assert_uint_eq(counter_get(&in[1]->port->counters.tx_drop[TX_DROP_no_packet]), 1);
	ck_assert_uint_eq(decided(in[0], VERDICT_PASS), 1);
}
END_TEST

/* A TCP segment of 1300 bytes that stands for three, at in[0]. */
static void large_segment_arrives(void)
{
	static const uint8_t tcp[20] = { 0x13, 0x88, 0x1f, 0x90, 0, 0, 0, 1, 0, 0, 0, 9, 0x50, 16 };
	struct frame f = { 0 };

	frame_ip4(&f, "10.0.0.1", "10.0.0.7", PROTO_TCP, NULL, 0);
	frame_transport(&f, PROTO_TCP, tcp, sizeof(tcp));
	frame_data(&f, 1300);
	frame_seal(&f);
	struct packet *p = frame_packet(&f);

	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 500, 40 };
	datapath_inject(&worker->dp, far_in[0], p);
	packet_free(p);
}

static void large_segment(void)
{
	large_segment_arrives();
	turn();
}

START_TEST(large_segment_is_cut_for_a_port_that_takes_none)
{
	static const size_t lengths[] = { 540, 540, 340 };

	in[0]->fallback = VERDICT_PASS;
	in[0]->next = out[0];
	out[0]->port->takes_gso = false;
	large_segment();
	ck_assert_uint_eq(decided(in[0], VERDICT_PASS), 1);
	ck_assert_uint_eq(counter_get(&out[0]->port->counters.tx_packets), 3);
	ck_assert_uint_eq(script.kept_count, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(packet_length(script.kept[i]), lengths[i]);
}
END_TEST

START_TEST(flood_cuts_a_large_segment_where_it_must)
{
	rule_call(in[0], flood);
	out[1]->port->takes_gso = false;
	large_segment();
	ck_assert_uint_eq(counter_get(&out[0]->port->counters.tx_packets), 1);
	ck_assert_uint_eq(counter_get(&out[1]->port->counters.tx_packets), 3);
	ck_assert_uint_eq(counter_get(&in[1]->port->counters.tx_packets), 1);
}
END_TEST

START_TEST(large_packet_that_cannot_be_cut_is_counted_as_too_long)
{
	struct frame f = echo();
	struct packet *p = frame_packet(&f);

	in[0]->fallback = VERDICT_PASS;
	in[0]->next = out[0];
	out[0]->port->takes_gso = false;
	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_UDP, 8, 28 };
	datapath_inject(&worker->dp, far_in[0], p);
	packet_free(p);
	turn();
	ck_assert_uint_eq(counter_get(&out[0]->port->counters.tx_drop[TX_DROP_too_long]), 1);
	ck_assert_uint_eq(script.kept_count, 0);
}
END_TEST

START_TEST(large_segment_that_finds_no_slot_for_its_pieces_is_counted)
{
	struct packet *all[4096];
	unsigned count = 0;

	in[0]->fallback = VERDICT_PASS;
	in[0]->next = out[0];
	out[0]->port->takes_gso = false;
	large_segment_arrives();
	while ((all[count] = pool_take(worker->pool, 0)))
		count++;
	packet_free(all[--count]);
	turn();
	while (count)
		packet_free(all[--count]);
	ck_assert_uint_eq(counter_get(&out[0]->port->counters.tx_packets), 1);
	ck_assert_uint_eq(counter_get(&out[0]->port->counters.tx_drop[TX_DROP_no_packet]), 1);
}
END_TEST

START_TEST(reply_is_turned_and_goes_back_whatever_the_next_port)
{
	in[0]->next = out[0];
	rule_call(in[0], say_reply);
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_REPLY), 1);
	kept_at((struct lane *[]){ far_in[0] }, 1);
	struct packet *p = script.kept[0];
	uint8_t src[4];

	parse(p);
	ck_assert(frame_verifies(p));
	frame_addr(src, "10.0.0.7");
	ck_assert_mem_eq(p->data + IP_SRC, src, 4);
	ck_assert_uint_eq(*layer_bytes(p, packet_layer(p, LAYER_icmp)), ICMP_ECHO_REPLY);
	ck_assert_uint_eq(p->data[IP_TTL], 64);
}
END_TEST

START_TEST(reply_to_what_may_not_be_answered_is_dropped_as_no_reply)
{
	struct frame f = frame_echo("224.0.0.1", "10.0.0.7", 56);

	rule_call(in[0], say_reply);
	arrive(far_in[0], &f);
	turn();
	dropped_as(DROP_no_reply);
}
END_TEST

static enum verdict write_and_reply(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)to;
	p->written = WRITTEN_ADDRESS;
	return VERDICT_REPLY;
}

START_TEST(reply_after_an_address_was_written_is_dropped_as_no_reply)
{
	rule_call(in[0], write_and_reply);
	ping();
	dropped_as(DROP_no_reply);
}
END_TEST

START_TEST(drop_and_handled_end_the_packet)
{
	struct rule *rule = rule_says(in[0], VERDICT_DROP);

	ping();
	dropped_as(DROP_policy);
	lane_rules_set(in[0], rule_table_edit(lane_rules(in[0]), NULL, rule));
	rule_says(in[0], VERDICT_HANDLED);
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 1);
	ck_assert_uint_eq(script.kept_count, 0);
}
END_TEST

/* ---- rules ---- */

START_TEST(actions_run_until_one_has_an_opinion)
{
	struct action actions[] = { call(say_none), call(say_none), says(VERDICT_HANDLED),
		call(say_none) };
	struct rule *rule = rule_add(in[0], actions, 4);

	rule_says(in[0], VERDICT_DROP);
	ping();
	ck_assert_uint_eq(script.calls[actions[0].ref], 1);
	ck_assert_uint_eq(script.calls[actions[1].ref], 1);
	ck_assert_uint_eq(script.calls[actions[3].ref], 0);
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 1);
	ck_assert_uint_eq(counter_get(&rule->hits), 1);
}
END_TEST

START_TEST(rule_without_an_opinion_falls_through_to_the_next_and_the_default)
{
	rule_call(in[0], say_none);
	rule_call(in[0], say_none);
	in[0]->fallback = VERDICT_PASS;
	in[0]->next = out[0];
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_PASS), 1);
	kept_at((struct lane *[]){ far_out[0] }, 1);
}
END_TEST

START_TEST(match_function_decides_whether_its_rule_goes_on)
{
	struct action no[] = { { .kind = ACTION_TEST, .ref = function_add(say_none) },
		says(VERDICT_DROP) };
	struct action yes[] = { { .kind = ACTION_TEST, .ref = function_add(say_yes) },
		says(VERDICT_HANDLED) };
	struct rule *no_rule = rule_add(in[0], no, 2), *yes_rule = rule_add(in[0], yes, 2);

	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 1);
	ck_assert_uint_eq(counter_get(&no_rule->hits), 0);
	ck_assert_uint_eq(counter_get(&yes_rule->hits), 1);
}
END_TEST

static enum verdict set_rules_to_handled(
	struct script *s, struct packet *p, struct verdict_ports *to)
{
	struct action action = says(VERDICT_HANDLED);
	struct rule *rule = rule_of(&action, 1);

	(void)s, (void)p, (void)to;
	lane_rules_set(in[0], rule_table_new(&rule, 1));
	rule_release(rule);
	return VERDICT_DROP;
}

START_TEST(rules_changed_during_a_burst_hold_from_the_next_burst_on)
{
	struct frame f = echo();

	rule_call(in[0], set_rules_to_handled);
	for (unsigned i = 0; i < 10; i++)
		arrive(far_in[0], &f);
	ck_assert_uint_eq(datapath_run(&worker->dp, in[0], (struct mono){ 0 }), 10);
	ck_assert_uint_eq(decided(in[0], VERDICT_DROP), 10);
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 0);
	for (unsigned i = 0; i < 10; i++)
		arrive(far_in[0], &f);
	ck_assert_uint_eq(datapath_run(&worker->dp, in[0], (struct mono){ 0 }), 10);
	ck_assert_uint_eq(decided(in[0], VERDICT_DROP), 10);
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 10);
}
END_TEST

START_TEST(rules_are_removed_altogether_from_the_next_burst_on)
{
	rule_says(in[0], VERDICT_HANDLED);
	ping();
	lane_rules_set(in[0], NULL);
	ck_assert_ptr_null(lane_rules(in[0]));
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 1);
	ck_assert_uint_eq(counter_get(&in[0]->dropped[DROP_policy]), 1);
}
END_TEST

START_TEST(only_the_last_of_several_changes_holds)
{
	rule_says(in[0], VERDICT_HANDLED);
	lane_rules_set(in[0], NULL);
	rule_says(in[0], VERDICT_DROP);
	ping();
	dropped_as(DROP_policy);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(failed_function_costs_its_packet)
{
	rule_call(in[0], say_error);
	rule_says(in[0], VERDICT_HANDLED);
	ping();
	dropped_as(DROP_script_error);
	ck_assert_uint_eq(counter_get(&in[0]->script_errors), 1);
}
END_TEST

START_TEST(failed_match_function_costs_its_packet)
{
	struct action actions[] = { { .kind = ACTION_TEST, .ref = function_add(say_error) },
		says(VERDICT_HANDLED) };

	rule_add(in[0], actions, 2);
	ping();
	dropped_as(DROP_script_error);
	ck_assert_uint_eq(counter_get(&in[0]->script_errors), 1);
}
END_TEST

START_TEST(on_error_pass_lets_the_packet_go_to_the_next_port)
{
	rule_call(in[0], say_error)->on_error = VERDICT_PASS;
	in[0]->next = out[1]; /* not to the port that the failed call named */
	ping();
	kept_at((struct lane *[]){ far_out[1] }, 1);
	ck_assert_uint_eq(decided(in[0], VERDICT_PASS), 1);
	ck_assert_uint_eq(counter_get(&in[0]->script_errors), 1);
	in[0]->next = NULL;
	ping();
	ck_assert_uint_eq(counter_get(&in[0]->dropped[DROP_no_next]), 1);
	ck_assert_uint_eq(counter_get(&in[0]->script_errors), 2);
}
END_TEST

START_TEST(malformed_packet_is_counted_and_dropped_as_malformed_unless_wanted)
{
	struct frame f = echo();

	f.len -= 10;
	arrive(far_in[0], &f);
	turn();
	dropped_as(DROP_malformed);
	ck_assert_uint_eq(counter_get(&in[0]->malformed), 1);
	rule_says(in[0], VERDICT_HANDLED);
	arrive(far_in[0], &f);
	turn();
	ck_assert_uint_eq(counter_get(&in[0]->malformed), 2);
	ck_assert_uint_eq(decided(in[0], VERDICT_HANDLED), 1);
}
END_TEST

static enum verdict close_in0(struct script *s, struct packet *p, struct verdict_ports *to)
{
	(void)s, (void)p, (void)to;
	worker_lane_close(worker, in[0]);
	return VERDICT_REPLY;
}

START_TEST(port_may_be_closed_by_the_rule_that_runs)
{
	struct frame f = echo();

	rule_call(in[0], close_in0);
	for (unsigned i = 0; i < 5; i++)
		arrive(far_in[0], &f);
	turn();
	ck_assert_uint_eq(decided(in[0], VERDICT_REPLY), 5);
	ck_assert_uint_eq(counter_get(&in[0]->port->counters.tx_drop[TX_DROP_gone]), 5);
	arrive(far_in[0], &f);
	turn();
	ck_assert_uint_eq(counter_get(&in[0]->port->counters.rx_packets), 5);
}
END_TEST

/* ---- the reflector in its place ---- */

static struct reflect *reflect_all(void)
{
	struct prefix all = { { .family = FAMILY_4 }, 0 };

	return reflect_new(&all, 1, NULL, 0);
}

static void rule_reflect(struct lane *lane)
{
	struct action action = { .kind = ACTION_REFLECT, .reflect = reflect_all() };

	rule_add(lane, &action, 1);
}

START_TEST(reflected_request_goes_back_once_and_is_not_turned_again)
{
	in[0]->next = out[0];
	rule_reflect(in[0]);
	ping();
	ck_assert_uint_eq(decided(in[0], VERDICT_REPLY), 1);
	kept_at((struct lane *[]){ far_in[0] }, 1);
	parse(script.kept[0]);
	ck_assert(frame_verifies(script.kept[0]));
	ck_assert_uint_eq(script.kept[0]->data[IP_HEADER], ICMP_ECHO_REPLY);
}
END_TEST

START_TEST(reflectors_wish_names_the_drop_unless_a_rule_wants_the_packet)
{
	struct frame f = echo();

	frame_checksum(&f)[0] ^= 1;
	rule_reflect(in[0]);
	arrive(far_in[0], &f);
	turn();
	dropped_as(DROP_bad_checksum);
	rule_says(in[0], VERDICT_DROP);
	arrive(far_in[0], &f);
	turn();
	ck_assert_uint_eq(counter_get(&in[0]->dropped[DROP_policy]), 1);
}
END_TEST

/* RFC 1122 3.2.2.6 and common sense: an answer is never answered. */
START_TEST(two_reflectors_face_to_face_exchange_one_packet)
{
	struct frame f = echo();

	lane_rules_set(far_in[0], NULL);
	rule_reflect(in[0]);
	rule_reflect(far_in[0]);
	arrive(far_in[0], &f);
	for (unsigned i = 0; i < 20; i++)
		turn();
	ck_assert_uint_eq(decided(in[0], VERDICT_REPLY), 1);
	ck_assert_uint_eq(decided(far_in[0], VERDICT_REPLY), 0);
	ck_assert_uint_eq(counter_get(&far_in[0]->port->counters.rx_packets), 1);
}
END_TEST

START_TEST(packets_stay_packets_when_many_come)
{
	struct frame f = echo();

	rule_reflect(in[0]);
	for (unsigned i = 0; i < 200; i++)
		arrive(far_in[0], &f);
	turn();
	ck_assert_uint_eq(decided(in[0], VERDICT_REPLY), 200);
	ck_assert_uint_eq(script.kept_count, 200);
}
END_TEST

/* All that can be said, in turn, of whatever comes: the counts hold at each turn. */
static enum verdict say_anything(struct script *s, struct packet *p, struct verdict_ports *to)
{
	unsigned call = 0;

	(void)p;
	for (int i = 1; i < s->count; i++)
		call += s->calls[i];
	if (call % 3 == 0)
		to->lane[to->count++] = out[call % 2];
	return (enum verdict)((call * 3 + call / 5) % VERDICT_COUNT);
}

START_TEST(every_packet_is_counted_once_whatever_is_said)
{
	struct frame f;
	unsigned sent = 0;

	rule_call(in[0], say_anything);
	rule_call(in[0], say_anything)->on_error = VERDICT_PASS;
	for (unsigned round = 0; round < 12; round++) {
		in[0]->fallback = round % 2 ? VERDICT_PASS : VERDICT_DROP;
		in[0]->next = round % 3 ? out[0] : NULL;
		for (unsigned i = 0; frame_sample(i, &f); i++) {
			if (f.first != LAYER_ip)
				continue;
			f.len -= round == 5 ? 7 : 0;
			arrive(far_in[0], &f);
			sent++;
		}
		turn();
	}
	ck_assert_uint_ge(sent, 12 * 11);
	ck_assert_uint_eq(counter_get(&in[0]->port->counters.rx_packets), sent);
	for (enum verdict v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++)
		ck_assert_uint_gt(decided(in[0], v), 0);
}
END_TEST

/* ---- frames ---- */

START_TEST(reply_on_an_l2_port_turns_the_frame)
{
	struct lane *near, *far;
	struct frame f = { 0 };

	pair_open(LAYER_eth, "tap", "far_tap", &near, &far);
	rule_call(near, say_reply);
	frame_eth(&f, ETH_TYPE_IP4);
	frame_echo_on(&f, "10.0.0.1", "10.0.0.7", 56);
	arrive(far, &f);
	turn();
	kept_at((struct lane *[]){ far }, 1);
	ck_assert_mem_eq(script.kept[0]->data, f.bytes + 6, 6);
	ck_assert_mem_eq(script.kept[0]->data + 6, f.bytes, 6);
}
END_TEST

/* ---- the worker around it ---- */

START_TEST(timers_reach_the_script_once_or_again_and_again)
{
	uint64_t id;
	int ref;

	ck_assert_int_eq(timer_add(&worker->timers, (struct mono){ 1 }, 0, 5, &id), 0);
	turn();
	ck_assert_int_eq(script.timer_refs, 5);
	ck_assert_uint_eq(script.timer_lasts, 1);
	int64_t now = clock_now(&worker->clock).ns;

	ck_assert_int_eq(timer_add(&worker->timers, (struct mono){ now }, NS_PER_MS, 100, &id), 0);
	for (unsigned i = 0; i < 100 && script.timer_refs < 305; i++)
		worker_turn(worker, 100);
	ck_assert_int_ge(script.timer_refs, 305);
	ck_assert_uint_eq(script.timer_lasts, 1);
	ck_assert(timer_cancel(&worker->timers, id, &ref));
	ck_assert_int_eq(ref, 100);
}
END_TEST

START_TEST(worker_has_work_while_a_port_or_a_timer_is_left)
{
	uint64_t id;
	int ref;

	ck_assert(worker_has_work(worker));
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling)
		worker_lane_close(worker, lane);
	ck_assert(!worker_has_work(worker));
	ck_assert_int_eq(timer_add(&worker->timers, (struct mono){ INT64_MAX }, 0, 5, &id), 0);
	ck_assert(worker_has_work(worker));
	ck_assert(timer_cancel(&worker->timers, id, &ref));
	ck_assert(!worker_has_work(worker));
}
END_TEST

/* As many descriptors as there are, and then one more: the second end cannot open. */
START_TEST(pair_that_cannot_open_leaves_nothing)
{
	const char *names[2] = { "a", "b" };
	struct lane *ends[2] = { NULL, NULL };
	struct refusal why = { 0 };
	struct rlimit old, low;
	int probe = dup(0);

	ck_assert_int_ge(probe, 0);
	close(probe);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (int free_fds = 0; free_fds < 2; free_fds++) {
		low = (struct rlimit){ (rlim_t)(probe + free_fds), old.rlim_max };
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
		int error = setup_pair(worker, LAYER_ip, names, ends, &why);

		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
		ck_assert_int_eq(error, -EMFILE);
		ck_assert_int_eq(why.code, EMFILE);
		ck_assert_ptr_null(ends[0]);
		ck_assert_ptr_null(ends[1]);
	}
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling)
		ck_assert(!lane->is_open || strlen(lane->port->name) > 1);
}
END_TEST

START_TEST(interpreter_goes_after_the_rules_that_hold_its_functions)
{
	rule_call(in[0], say_none);
	lane_rules_swap(in[0]);
	rule_call(in[0], say_none); /* pending */
	ck_assert_uint_eq(rules_alive, 4 + 2);
}
END_TEST

static TCase *verdicts(void)
{
	TCase *tc = tcase_create("verdicts");

	tcase_add_test(tc, port_without_rules_drops_by_default);
	tcase_add_test(tc, default_pass_goes_to_the_next_port);
	tcase_add_test(tc, pass_without_a_next_port_is_dropped_as_no_next);
	tcase_add_test(tc, default_pass_without_a_next_port_is_dropped_as_no_next);
	tcase_add_test(tc, closed_next_port_is_no_next_port);
	tcase_add_test(tc, rewrite_goes_to_the_next_port_else_back);
	tcase_add_test(tc, named_port_comes_before_the_next_port);
	tcase_add_test(tc, rewrite_goes_to_a_named_port);
	tcase_add_test(tc, flood_sends_one_to_each_port_and_counts_one_decision);
	tcase_add_test(tc, flood_with_an_empty_pool_counts_what_it_cannot_copy);
	tcase_add_test(tc, large_segment_is_cut_for_a_port_that_takes_none);
	tcase_add_test(tc, flood_cuts_a_large_segment_where_it_must);
	tcase_add_test(tc, large_packet_that_cannot_be_cut_is_counted_as_too_long);
	tcase_add_test(tc, large_segment_that_finds_no_slot_for_its_pieces_is_counted);
	tcase_add_test(tc, reply_is_turned_and_goes_back_whatever_the_next_port);
	tcase_add_test(tc, reply_to_what_may_not_be_answered_is_dropped_as_no_reply);
	tcase_add_test(tc, reply_after_an_address_was_written_is_dropped_as_no_reply);
	tcase_add_test(tc, drop_and_handled_end_the_packet);
	return tc;
}

static TCase *rules(void)
{
	TCase *tc = tcase_create("rules");

	tcase_add_test(tc, actions_run_until_one_has_an_opinion);
	tcase_add_test(tc, rule_without_an_opinion_falls_through_to_the_next_and_the_default);
	tcase_add_test(tc, match_function_decides_whether_its_rule_goes_on);
	tcase_add_test(tc, rules_changed_during_a_burst_hold_from_the_next_burst_on);
	tcase_add_test(tc, rules_are_removed_altogether_from_the_next_burst_on);
	tcase_add_test(tc, only_the_last_of_several_changes_holds);
	tcase_add_test(tc, failed_function_costs_its_packet);
	tcase_add_test(tc, failed_match_function_costs_its_packet);
	tcase_add_test(tc, on_error_pass_lets_the_packet_go_to_the_next_port);
	tcase_add_test(tc, malformed_packet_is_counted_and_dropped_as_malformed_unless_wanted);
	tcase_add_test(tc, port_may_be_closed_by_the_rule_that_runs);
	tcase_add_test(tc, reflected_request_goes_back_once_and_is_not_turned_again);
	tcase_add_test(tc, reflectors_wish_names_the_drop_unless_a_rule_wants_the_packet);
	tcase_add_test(tc, two_reflectors_face_to_face_exchange_one_packet);
	tcase_add_test(tc, packets_stay_packets_when_many_come);
	tcase_add_test(tc, every_packet_is_counted_once_whatever_is_said);
	tcase_add_test(tc, reply_on_an_l2_port_turns_the_frame);
	return tc;
}

static TCase *around(void)
{
	TCase *tc = tcase_create("worker");

	tcase_add_test(tc, timers_reach_the_script_once_or_again_and_again);
	tcase_add_test(tc, worker_has_work_while_a_port_or_a_timer_is_left);
	tcase_add_test(tc, pair_that_cannot_open_leaves_nothing);
	tcase_add_test(tc, interpreter_goes_after_the_rules_that_hold_its_functions);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("datapath");
	TCase *cases[] = { verdicts(), rules(), around() };

	for (unsigned i = 0; i < 3; i++) {
		tcase_set_timeout(cases[i], 60);
		tcase_add_checked_fixture(cases[i], setup, teardown);
		suite_add_tcase(suite, cases[i]);
	}
	return unit_run(suite);
}
