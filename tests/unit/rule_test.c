/* SPDX-License-Identifier: MIT */
/* Rules are asked in order, their actions in order, and everything held is let go once. */
#include "tests/unit/unit.h"

#include "host/policy/rule.h"
#include "tests/unit/frames.h"

static struct packet *echo;
static int refs_out; /* references that rules hold and have not given back */

static void ref_release(void *owner, int ref)
{
	ck_assert_ptr_eq(owner, &refs_out);
	ck_assert_int_gt(ref, 0);
	refs_out--;
}

static void setup(void)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 56);

	echo = frame_packet(&f);
	refs_out = 0;
}

static void teardown(void)
{
	packet_free(echo);
	ck_assert_int_eq(refs_out, 0);
}

/* A rule whose `count` actions are calls of refs first, first + 1, ... */
static struct rule *rule_of(const char *filter_text, int first, unsigned count)
{
	struct action actions[8] = { { 0 } };
	struct filter *filter = NULL;

	for (unsigned i = 0; i < count; i++)
		actions[i] = (struct action){ .kind = ACTION_CALL, .ref = first + (int)i };
	if (filter_text)
		ck_assert_int_eq(filter_open(&filter, filter_text, LAYER_ip, NULL), 0);
	struct rule *rule =
		rule_new("test.lua:1", filter ? match_of_filter(filter) : NULL, actions, count);

	ck_assert_ptr_nonnull(rule);
	rule->ref_release = ref_release;
	rule->ref_owner = &refs_out;
	refs_out += (int)count;
	return rule;
}

/* A table that alone holds its rules. */
static struct rule_table *table_of(struct rule **rules, unsigned count)
{
	struct rule_table *table = rule_table_new(rules, count);

	ck_assert_ptr_nonnull(table);
	for (unsigned i = 0; i < count; i++)
		rule_release(rules[i]);
	return table;
}

static struct rule_walk walk_of(const struct rule_table *table)
{
	struct rule_walk walk;

	memset(&walk, 0, sizeof(walk));
	rule_walk_start(&walk, table);
	return walk;
}

/* The refs that a walk to the end gives, as digits. */
static long walked(const struct rule_table *table)
{
	struct rule_walk walk = walk_of(table);
	const struct action *action;
	long refs = 0;

	while ((action = rule_next(&walk, echo)))
		refs = refs * 10 + action->ref;
	return refs;
}

static struct rule_table *edited(
	struct rule_table *old, struct rule *rule, const struct rule *before)
{
	struct rule_table *table = rule_table_edit(old, rule, before);

	ck_assert_ptr_nonnull(table);
	rule_table_free(old);
	return table;
}

START_TEST(no_table_and_no_rules_have_no_action)
{
	struct rule_table *table = rule_table_new(NULL, 0);

	ck_assert_int_eq(walked(NULL), 0);
	ck_assert_int_eq(walked(table), 0);
	rule_table_free(table);
	rule_table_free(NULL);
}
END_TEST

START_TEST(rules_and_their_actions_are_walked_in_order)
{
	struct rule *rules[] = { rule_of(NULL, 1, 3), rule_of("icmp", 4, 1), rule_of("", 5, 2) };
	struct rule_table *table = table_of(rules, 3);

	ck_assert_int_eq(walked(table), 123456);
	rule_table_free(table);
}
END_TEST

START_TEST(rule_that_does_not_match_is_passed_over)
{
	struct rule *rules[] = { rule_of("udp", 1, 2), rule_of("icmp", 3, 1), rule_of("ip6", 4, 1),
		rule_of("dst 10.0.0.7", 5, 1) };
	struct rule_table *table = table_of(rules, 4);

	ck_assert_int_eq(walked(table), 35);
	rule_table_free(table);
}
END_TEST

START_TEST(rule_without_actions_falls_through)
{
	struct rule *rules[] = { rule_of("icmp", 1, 0), rule_of(NULL, 2, 1), rule_of(NULL, 3, 0) };
	struct rule_table *table = table_of(rules, 3);

	ck_assert_int_eq(walked(table), 2);
	ck_assert_uint_eq(counter_get(&rules[0]->hits), 1);
	rule_table_free(table);
}
END_TEST

START_TEST(skip_leaves_the_rest_of_the_rule_out)
{
	struct rule *rules[] = { rule_of(NULL, 1, 3), rule_of(NULL, 4, 1) };
	struct rule_table *table = table_of(rules, 2);
	struct rule_walk walk = walk_of(table);

	ck_assert_int_eq(rule_next(&walk, echo)->ref, 1);
	ck_assert_ptr_eq(walk.rule, rules[0]);
	rule_skip(&walk);
	ck_assert_int_eq(rule_next(&walk, echo)->ref, 4);
	ck_assert_ptr_eq(walk.rule, rules[1]);
	ck_assert_ptr_null(rule_next(&walk, echo));
	ck_assert_ptr_null(rule_next(&walk, echo));
	rule_table_free(table);
}
END_TEST

START_TEST(hits_and_bytes_count_matches_once_a_walk)
{
	struct rule *rules[] = { rule_of("icmp", 1, 3), rule_of("udp", 4, 1) };
	struct rule_table *table = table_of(rules, 2);

	for (unsigned i = 0; i < 5; i++)
		walked(table);
	ck_assert_uint_eq(counter_get(&rules[0]->hits), 5);
	ck_assert_uint_eq(counter_get(&rules[0]->bytes), 5 * packet_length(echo));
	ck_assert_uint_eq(counter_get(&rules[1]->hits), 0);
	ck_assert_uint_eq(counter_get(&rules[1]->bytes), 0);
	rule_table_free(table);
}
END_TEST

START_TEST(hit_of_a_rule_that_a_function_matches_is_the_callers_to_count)
{
	struct action actions[] = { { .kind = ACTION_TEST, .ref = 1 },
		{ .kind = ACTION_VERDICT, .verdict = VERDICT_DROP } };
	struct rule *rule = rule_new("x", NULL, actions, 2);
	struct rule_table *table = table_of(&rule, 1);
	struct rule_walk walk = walk_of(table);

	ck_assert_int_eq(rule_next(&walk, echo)->kind, ACTION_TEST);
	ck_assert_uint_eq(counter_get(&rule->hits), 0);
	rule_hit(rule, echo);
	ck_assert_int_eq(rule_next(&walk, echo)->kind, ACTION_VERDICT);
	ck_assert_uint_eq(counter_get(&rule->hits), 1);
	rule_table_free(table);
}
END_TEST

START_TEST(rule_is_appended_put_before_another_and_removed)
{
	struct rule *one = rule_of(NULL, 1, 1), *two = rule_of(NULL, 2, 1),
		    *three = rule_of(NULL, 3, 1);
	struct rule_table *table = edited(NULL, one, NULL);

	ck_assert_int_eq(walked(table), 1);
	table = edited(table, three, NULL);
	ck_assert_int_eq(walked(table), 13);
	table = edited(table, two, three);
	ck_assert_int_eq(walked(table), 123);
	table = edited(table, NULL, one);
	ck_assert_int_eq(walked(table), 23);
	table = edited(table, one, two);
	ck_assert_int_eq(walked(table), 123);
	table = edited(table, NULL, three);
	ck_assert_int_eq(walked(table), 12);
	table = edited(table, NULL, three); /* it is no longer there */
	ck_assert_int_eq(walked(table), 12);
	rule_table_free(table);
	rule_release(one);
	rule_release(two);
	rule_release(three);
}
END_TEST

START_TEST(old_table_stays_as_it_was_while_somebody_walks_it)
{
	struct rule *rules[] = { rule_of(NULL, 1, 2), rule_of(NULL, 3, 1) };
	struct rule_table *old = table_of(rules, 2);
	struct rule_walk walk = walk_of(old);

	ck_assert_int_eq(rule_next(&walk, echo)->ref, 1);
	struct rule_table *table = rule_table_edit(old, NULL, rules[0]);

	ck_assert_int_eq(rule_next(&walk, echo)->ref, 2);
	ck_assert_int_eq(rule_next(&walk, echo)->ref, 3);
	ck_assert_int_eq(walked(table), 3);
	rule_table_free(old);
	ck_assert_int_eq(refs_out, 1); /* the first rule's are back, the second rule lives */
	ck_assert_int_eq(walked(table), 3);
	rule_table_free(table);
}
END_TEST

START_TEST(rule_may_stand_in_a_table_twice)
{
	struct rule *rule = rule_of(NULL, 7, 1);
	struct rule *rules[] = { rule, rule };
	struct rule_table *table = rule_table_new(rules, 2);

	rule_release(rule);
	ck_assert_int_eq(walked(table), 77);
	rule_table_free(table);
}
END_TEST

START_TEST(held_rule_outlives_its_table)
{
	struct rule *rule = rule_of("icmp", 1, 2);
	struct rule_table *table = edited(NULL, rule, NULL);

	rule_table_free(table);
	ck_assert_int_eq(refs_out, 2);
	ck_assert_uint_eq(rule->refs, 1);
	ck_assert_str_eq(rule->label, "test.lua:1");
	rule_release(rule);
	ck_assert_int_eq(refs_out, 0);
}
END_TEST

START_TEST(reflect_of_an_action_is_let_go_with_its_rule)
{
	struct reflect *r = reflect_new(NULL, 0, NULL, 0);
	struct action actions[] = { { .kind = ACTION_REFLECT, .reflect = reflect_hold(r) },
		{ .kind = ACTION_REFLECT, .reflect = reflect_hold(r) } };
	struct rule *rule = rule_new("x", NULL, actions, 2);

	ck_assert_uint_eq(r->refs, 3);
	rule_release(rule);
	ck_assert_uint_eq(r->refs, 1);
	reflect_release(r);
}
END_TEST

START_TEST(long_label_is_cut)
{
	char label[200];

	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	struct rule *rule = rule_new(label, NULL, NULL, 0);

	ck_assert_uint_eq(strlen(rule->label), RULE_LABEL - 1);
	rule_release(rule);
}
END_TEST

START_TEST(verdicts_and_reasons_have_names)
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++) {
		ck_assert_uint_gt(strlen(verdict_name(i)), 0);
		ck_assert_uint_gt(strlen(verdict_counted(i)), 0);
	}
	for (unsigned i = 0; i < DROP_COUNT; i++)
		ck_assert_uint_gt(strlen(drop_name(i)), 0);
	ck_assert_str_eq(verdict_name(VERDICT_REWRITE), "rewrite");
	ck_assert_str_eq(verdict_counted(VERDICT_HANDLED), "handled");
	ck_assert_str_eq(drop_name(DROP_no_next), "no_next");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule");
	TCase *tc = tcase_create("rule");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_table_and_no_rules_have_no_action);
	tcase_add_test(tc, rules_and_their_actions_are_walked_in_order);
	tcase_add_test(tc, rule_that_does_not_match_is_passed_over);
	tcase_add_test(tc, rule_without_actions_falls_through);
	tcase_add_test(tc, skip_leaves_the_rest_of_the_rule_out);
	tcase_add_test(tc, hits_and_bytes_count_matches_once_a_walk);
	tcase_add_test(tc, hit_of_a_rule_that_a_function_matches_is_the_callers_to_count);
	tcase_add_test(tc, rule_is_appended_put_before_another_and_removed);
	tcase_add_test(tc, old_table_stays_as_it_was_while_somebody_walks_it);
	tcase_add_test(tc, rule_may_stand_in_a_table_twice);
	tcase_add_test(tc, held_rule_outlives_its_table);
	tcase_add_test(tc, reflect_of_an_action_is_let_go_with_its_rule);
	tcase_add_test(tc, long_label_is_cut);
	tcase_add_test(tc, verdicts_and_reasons_have_names);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
