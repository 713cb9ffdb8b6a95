/* SPDX-License-Identifier: MIT */
/* Finds what a port's rules say of a packet, one action at a time. */
#include "host/policy/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule *rule_new(
	const char *label, struct match *match, const struct action *actions, unsigned count)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	struct action *copy = calloc(count ? count : 1, sizeof(*copy));

	if (!rule || !copy) {
		free(rule);
		free(copy);
		return NULL;
	}
	if (count)
		memcpy(copy, actions, count * sizeof(*copy));
	*rule = (struct rule){ .match = match,
		.actions = copy,
		.action_count = count,
		.on_error = VERDICT_DROP,
		.refs = 1 };
	snprintf(rule->label, sizeof(rule->label), "%s", label);
	return rule;
}

void rule_words_set(struct rule *rule, const char *match, const char *actions)
{
	free(rule->match_words);
	free(rule->action_words);
	rule->match_words = strdup(match);
	rule->action_words = strdup(actions);
}

void action_release(const struct action *action)
{
	if (action->reflect)
		reflect_release(action->reflect);
	if (action->set)
		set_release(action->set);
	if (action->reject)
		reject_release(action->reject);
}

struct rule *rule_hold(struct rule *rule)
{
	rule->refs++;
	return rule;
}

void rule_release(struct rule *rule)
{
	if (--rule->refs)
		return;
	if (rule->match)
		match_release(rule->match);
	for (unsigned i = 0; i < rule->action_count; i++) {
		const struct action *action = &rule->actions[i];

		action_release(action);
		if (action->ref && rule->ref_release)
			rule->ref_release(rule->ref_owner, action->ref);
	}
	free(rule->actions);
	free(rule->match_words);
	free(rule->action_words);
	free(rule);
}

static struct rule_table *table_alloc(unsigned count)
{
	struct rule_table *table = calloc(1, sizeof(*table) + count * sizeof(table->rules[0]));

	return table;
}

static void table_add(struct rule_table *table, struct rule *rule)
{
	table->rules[table->count++] = rule_hold(rule);
}

struct rule_table *rule_table_edit(
	const struct rule_table *old, struct rule *rule, const struct rule *before)
{
	unsigned count = old ? old->count : 0;
	struct rule_table *table = table_alloc(count + 1);

	if (!table)
		return NULL;
	for (unsigned i = 0; i < count; i++) {
		if (old->rules[i] == before) {
			if (!rule)
				continue;
			table_add(table, rule);
		}
		table_add(table, old->rules[i]);
	}
	if (rule && !before)
		table_add(table, rule);
	table->index = index_new(table->rules, table->count);
	return table;
}

struct rule_table *rule_table_new(struct rule *const *rules, unsigned count)
{
	struct rule_table *table = table_alloc(count);

	for (unsigned i = 0; table && i < count; i++)
		table_add(table, rules[i]);
	if (table)
		table->index = index_new(table->rules, count);
	return table;
}

void rule_table_free(struct rule_table *table)
{
	if (!table)
		return;
	for (unsigned i = 0; i < table->count; i++)
		rule_release(table->rules[i]);
	index_free(table->index);
	free(table);
}

static bool rule_matches(
	struct rule *rule, const struct packet *p, struct views *views, bool is_sure)
{
	if (!is_sure && rule->match && !match_run(rule->match, p, views))
		return false;
	if (!rule->action_count || rule->actions[0].kind != ACTION_TEST)
		rule_hit(rule, p);
	return true;
}

const struct action *rule_next(struct rule_walk *walk, const struct packet *p)
{
	const struct rule_table *table = walk->table;

	/* The action that was given last may have written anything. */
	views_forget(&walk->views);
	while (!walk->rule || walk->next_action == walk->rule->action_count) {
		bool is_sure = false;

		if (table && table->index)
			walk->next_rule = index_next(
				table->index, walk->next_rule, p, &walk->views, &is_sure);
		if (!table || walk->next_rule == table->count)
			return NULL;
		struct rule *rule = table->rules[walk->next_rule++];

		walk->next_action = 0;
		walk->rule = rule_matches(rule, p, &walk->views, is_sure) ? rule : NULL;
	}
	return &walk->rule->actions[walk->next_action++];
}
