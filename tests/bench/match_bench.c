/* SPDX-License-Identifier: MIT */
/* What a packet pays for its rules: ns a packet, best of several runs, for tables of rules whose
 * last one it meets. Prints a line a table. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "host/packet/parse.h"
#include "host/policy/rule.h"

enum { RUNS = 15, PACKETS = 64, ROUNDS = 4000, RULES_MAX = 128 };

static struct packet *packets[PACKETS];

/* UDP from 10.0.0.1 to 10.0.0.7, to the port of its number: RFC 791, RFC 768. */
static void packets_make(unsigned first_port, unsigned ports)
{
	for (unsigned i = 0; i < PACKETS; i++) {
		uint8_t bytes[64] = { 0x45, 0, 0, 64, 0, 1, 0, 0, 64, PROTO_UDP, 0, 0, 10, 0, 0, 1,
			10, 0, 0, 7, 4, 0, 0, 0, 0, 44 };

		store_be16(bytes + IP_HEADER + 2, (uint16_t)(first_port + i % ports));
		if (packets[i])
			packet_free(packets[i]);
		packets[i] = packet_from_bytes(bytes, sizeof(bytes), LAYER_ip);
		if (!packets[i])
			abort();
		parse(packets[i]);
	}
}

static void must(int error)
{
	if (error)
		abort();
}

static void field_add(struct match *match, enum layer_id layer, const char *name)
{
	must(match_field(match, field_find(layer, name), (struct layer_ref){ (uint8_t)layer, 0 }));
}

static void span_add(struct match *match, wide low, wide high)
{
	must(match_want(
		match, &(struct match_want){ .kind = WANT_SPAN, .low = low, .high = high }));
}

static struct rule *rule_make(struct match *match)
{
	struct action action = { .kind = ACTION_VERDICT, .verdict = VERDICT_DROP };

	must(match_compile(match));
	return rule_new("bench", match, &action, 1);
}

static struct rule *port_rule(unsigned port)
{
	struct match *match = match_new();

	field_add(match, LAYER_udp, "dstport");
	span_add(match, port, port);
	return rule_make(match);
}

static struct rule *set_rule(unsigned count)
{
	struct match *match = match_new();

	field_add(match, LAYER_ip, "src");
	for (unsigned i = 0; i < count; i++)
		span_add(match, 0x0a000001 + i * 1000, 0x0a000001 + i * 1000);
	return rule_make(match);
}

static struct rule *prefix_rule(void)
{
	struct match *match = match_new();

	field_add(match, LAYER_ip, "dst");
	span_add(match, 0x0a000000, 0x0a0000ff);
	return rule_make(match);
}

static struct rule *four_tests_rule(void)
{
	struct match *match = match_new();

	field_add(match, LAYER_ip, "dst");
	span_add(match, 0x0a000000, 0x0a0000ff);
	field_add(match, LAYER_ip, "ttl");
	span_add(match, 2, 64);
	field_add(match, LAYER_ip, "proto");
	span_add(match, PROTO_UDP, PROTO_UDP);
	field_add(match, LAYER_udp, "dstport");
	span_add(match, 1, 65535);
	return rule_make(match);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned round_run(const struct rule_table *table)
{
	unsigned found = 0;

	for (unsigned i = 0; i < PACKETS; i++) {
		struct rule_walk walk;

		rule_walk_start(&walk, table);
		found += rule_next(&walk, packets[i]) != NULL;
	}
	return found;
}

/* Lets the rules go. `is_indexed` false: as if there were no index. */
static double measure(const char *what, struct rule **rules, unsigned count, bool is_indexed)
{
	struct rule_table *table = rule_table_new(rules, count);
	double best = 1e9;

	for (unsigned i = 0; i < count; i++)
		rule_release(rules[i]);
	if (!is_indexed) {
		index_free(table->index);
		table->index = NULL;
	}
	for (unsigned run = 0; run < RUNS; run++) {
		double start = now_ns();
		unsigned found = 0;

		for (unsigned i = 0; i < ROUNDS; i++)
			found += round_run(table);
		double ns = (now_ns() - start) / (PACKETS * (double)ROUNDS);

		if (found != PACKETS * ROUNDS)
			abort();
		best = ns < best ? ns : best;
	}
	rule_table_free(table);
	printf("%-44s %6.1f ns\n", what, best);
	return best;
}

/* Packets to ports 1 to `count`, a rule each. */
static double ports_measure(const char *what, unsigned count, bool is_indexed)
{
	struct rule *rules[RULES_MAX];

	for (unsigned i = 0; i < count; i++)
		rules[i] = port_rule(i + 1);
	packets_make(count, 1);
	return measure(what, rules, count, is_indexed);
}

static struct rule *ttl_rule(void)
{
	struct match *match = match_new();

	field_add(match, LAYER_ip, "ttl");
	span_add(match, 100, 200);
	return rule_make(match);
}

/* Every 32nd rule tests another field, and ends a run. */
static void mixed_measure(void)
{
	struct rule *rules[RULES_MAX];

	for (unsigned i = 0; i < RULES_MAX; i++)
		rules[i] = i % 32 == 16 ? ttl_rule() : port_rule(i + 1);
	packets_make(RULES_MAX, 1);
	measure("128 rules, 4 of them on another field", rules, RULES_MAX, true);
}

int main(void)
{
	struct rule *rule;
	double one = ports_measure("1 rule on a port", 1, true);

	ports_measure("16 rules on a port", 16, true);
	double many = ports_measure("128 rules on a port", RULES_MAX, true);

	ports_measure("128 rules on a port, asked one by one", RULES_MAX, false);
	mixed_measure();
	rule = four_tests_rule();
	measure("1 rule of 4 tests: prefix, range, 2 values", &rule, 1, true);
	rule = prefix_rule();
	measure("1 rule on a prefix", &rule, 1, true);
	rule = set_rule(1000);
	measure("1 rule on a set of 1000 addresses", &rule, 1, true);
	printf("128 rules on a port cost %.2f times one\n", many / one);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(packets[i]);
	return 0;
}
