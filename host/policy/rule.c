/* SPDX-License-Identifier: MIT */
/* Finds what a port's rules say of a packet, one action at a time. */
#include "host/policy/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule *rule_new(
	const char *label, struct filter *filter, const struct action *actions, unsigned count)
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
	*rule = (struct rule){ .filter = filter,
		.actions = copy,
		.action_count = count,
		.on_error = VERDICT_DROP,
		.refs = 1 };
	snprintf(rule->label, sizeof(rule->label), "%s", label);
	return rule;
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
	if (rule->filter)
		filter_close(rule->filter);
	for (unsigned i = 0; i < rule->action_count; i++) {
		const struct action *action = &rule->actions[i];

		action_release(action);
		if (action->ref && rule->ref_release)
			rule->ref_release(rule->ref_owner, action->ref);
	}
	free(rule->actions);
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
	return table;
}

struct rule_table *rule_table_new(struct rule *const *rules, unsigned count)
{
	struct rule_table *table = table_alloc(count);

	for (unsigned i = 0; table && i < count; i++)
		table_add(table, rules[i]);
	return table;
}

void rule_table_free(struct rule_table *table)
{
	if (!table)
		return;
	for (unsigned i = 0; i < table->count; i++)
		rule_release(table->rules[i]);
	free(table);
}

static bool rule_matches(struct rule *rule, const struct packet *p)
{
	if (rule->filter && !filter_match(rule->filter, p))
		return false;
	if (!rule->action_count || rule->actions[0].kind != ACTION_TEST)
		rule_hit(rule, p);
	return true;
}

const struct action *rule_next(struct rule_walk *walk, const struct packet *p)
{
	const struct rule_table *table = walk->table;

	while (!walk->rule || walk->next_action == walk->rule->action_count) {
		if (!table || walk->next_rule == table->count)
			return NULL;
		struct rule *rule = table->rules[walk->next_rule++];

		walk->next_action = 0;
		walk->rule = rule_matches(rule, p) ? rule : NULL;
	}
	return &walk->rule->actions[walk->next_action++];
}
