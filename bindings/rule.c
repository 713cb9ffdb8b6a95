/* SPDX-License-Identifier: MIT */
/* Lets scripts make, count, name and remove the rules of a port. */
#include "bindings/rule.h"

#include <stdio.h>
#include <string.h>

#include "bindings/action.h"
#include "bindings/handle.h"
#include "bindings/list.h"
#include "bindings/literal.h"
#include "bindings/match.h"
#include "bindings/state.h"

static const char type_rule[] = "moontap.rule";

enum { ACTIONS_MAX = 16 };

struct rule_handle {
	struct lane *lane;
	struct rule *rule; /* held; NULL: not made */
};

/* "ping.lua:9": where the running function was called from. */
static void label_here(lua_State *L, char *out, size_t room)
{
	lua_Debug ar;

	for (int level = 1; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline <= 0)
			continue;
		const char *slash = strrchr(ar.short_src, '/');

		snprintf(out, room, "%.40s:%d", slash ? slash + 1 : ar.short_src, ar.currentline);
		return;
	}
	snprintf(out, room, "?");
}

/* Pushes what stands at `match`, and at the places after it up to `last`, for people: a filter and
 * a verdict need no quotes. */
static void words_push(lua_State *L, int match, int last)
{
	luaL_Buffer actions;

	luaL_checkstack(L, 8, "rule");
	if (lua_type(L, match) == LUA_TSTRING)
		luaL_gsub(L, *lua_tostring(L, match) ? lua_tostring(L, match) : "all", "\n", " ");
	else if (lua_isnil(L, match))
		lua_pushliteral(L, "all");
	else
		literal_push(L, match);
	luaL_buffinit(L, &actions);
	for (int i = match + 1; i <= last; i++) {
		if (i > match + 1)
			luaL_addstring(&actions, ", ");
		if (lua_type(L, i) == LUA_TSTRING)
			lua_pushvalue(L, i);
		else
			literal_push(L, i);
		luaL_addvalue(&actions);
	}
	luaL_pushresult(&actions);
}

static void ref_release(void *owner, int ref)
{
	luaL_unref(((struct script *)owner)->main, LUA_REGISTRYINDEX, ref);
}

struct rule *check_new_rule(lua_State *L, const struct lane *lane, int match, int last)
{
	struct action actions[ACTIONS_MAX + 1] = { { 0 } };
	unsigned count = 0;
	char label[RULE_LABEL];

	/* Look before holding anything: check_action raises. */
	if (last == match)
		luaL_error(L, "a rule needs an action: a verdict, mt.reflect{} or a function");
	if (last - match > ACTIONS_MAX)
		luaL_error(L, "a rule has at most %d actions", ACTIONS_MAX);
	for (int i = match + 1; i <= last; i++) {
		struct action probe;

		check_action(L, i, &probe);
		action_drop(L, &probe);
	}
	int top = lua_gettop(L);

	words_push(L, match, last);
	struct match *held = NULL;

	if (lua_isfunction(L, match)) {
		lua_pushvalue(L, match);
		actions[count++] = (struct action){ .kind = ACTION_TEST,
			.ref = luaL_ref(L, LUA_REGISTRYINDEX) };
	} else {
		held = check_match(L, match, lane->port->first);
	}
	for (int i = match + 1; i <= last; i++)
		check_action(L, i, &actions[count++]);
	label_here(L, label, sizeof(label));
	struct rule *rule = rule_new(label, held, actions, count);

	if (!rule) {
		for (unsigned i = 0; i < count; i++)
			action_drop(L, &actions[i]);
		if (held)
			match_release(held);
		luaL_error(L, "rule: out of memory");
	}
	rule->ref_release = ref_release;
	rule->ref_owner = state_of(L);
	rule_words_set(rule, lua_tostring(L, top + 1), lua_tostring(L, top + 2));
	lua_settop(L, top);
	return rule;
}

void rule_push(lua_State *L, struct lane *lane, struct rule *rule)
{
	struct rule_handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);

	*handle = (struct rule_handle){ .lane = lane };
	luaL_setmetatable(L, type_rule);
	handle->rule = rule_hold(rule);
}

static bool is_in_table(const struct lane *lane, const struct rule *rule)
{
	const struct rule_table *table = lane_rules(lane);

	for (unsigned i = 0; table && i < table->count; i++) {
		if (table->rules[i] == rule)
			return true;
	}
	return false;
}

struct rule *check_rule(lua_State *L, int idx, const struct lane *lane)
{
	struct rule_handle *handle = luaL_checkudata(L, idx, type_rule);

	if (handle->lane != lane || !is_in_table(lane, handle->rule))
		luaL_error(L, "rule %s is not one of %s's rules now", handle->rule->label,
			lane->port->name);
	return handle->rule;
}

static int lrule_remove(lua_State *L)
{
	struct rule_handle *handle = luaL_checkudata(L, 1, type_rule);

	if (!is_in_table(handle->lane, handle->rule))
		return 0;
	struct rule_table *table = rule_table_edit(lane_rules(handle->lane), NULL, handle->rule);

	if (!table)
		return luaL_error(L, "rule: out of memory");
	lane_rules_set(handle->lane, table);
	return 0;
}

static const struct rule *rule_of(const void *handle)
{
	return ((const struct rule_handle *)handle)->rule;
}

static void actions_push(lua_State *L, void *handle)
{
	lua_pushstring(L, rule_of(handle)->action_words);
}

static void bytes_push(lua_State *L, void *handle)
{
	lua_pushinteger(L, (lua_Integer)counter_get(&rule_of(handle)->bytes));
}

static void hits_push(lua_State *L, void *handle)
{
	lua_pushinteger(L, (lua_Integer)counter_get(&rule_of(handle)->hits));
}

static void label_push(lua_State *L, void *handle)
{
	lua_pushstring(L, rule_of(handle)->label);
}

static void match_push(lua_State *L, void *handle)
{
	lua_pushstring(L, rule_of(handle)->match_words);
}

static void on_error_push(lua_State *L, void *handle)
{
	lua_pushstring(L, verdict_name(rule_of(handle)->on_error));
}

static int lrule_newindex(lua_State *L)
{
	struct rule_handle *handle = luaL_checkudata(L, 1, type_rule);
	const char *key = luaL_checkstring(L, 2);

	if (!strcmp(key, "label")) {
		snprintf(handle->rule->label, sizeof(handle->rule->label), "%s",
			luaL_checkstring(L, 3));
	} else if (!strcmp(key, "on_error")) {
		enum verdict verdict = to_verdict(L, 3);

		if (verdict != VERDICT_DROP && verdict != VERDICT_PASS)
			return luaL_error(L, "rule.on_error is \"drop\" or \"pass\", not %s",
				luaL_tolstring(L, 3, NULL));
		handle->rule->on_error = verdict;
	} else {
		return luaL_error(L, "rule.%s cannot be written (label and on_error can)", key);
	}
	return 0;
}

static int lrule_gc(lua_State *L)
{
	struct rule_handle *handle = lua_touserdata(L, 1);

	if (handle->rule)
		rule_release(handle->rule);
	handle->rule = NULL;
	return 0;
}

static int lrule_tostring(lua_State *L)
{
	const struct rule_handle *handle = luaL_checkudata(L, 1, type_rule);
	const struct rule *rule = handle->rule;

	lua_pushfstring(L, "rule %s: %s -> %s (hits %I, bytes %I)%s", rule->label,
		rule->match_words ? rule->match_words : "?",
		rule->action_words ? rule->action_words : "?",
		(lua_Integer)counter_get(&rule->hits), (lua_Integer)counter_get(&rule->bytes),
		is_in_table(handle->lane, rule) ? "" : " (removed)");
	return 1;
}

/* Each look at port.rules gives handles of its own: they are equal if their rules are. */
static int lrule_eq(lua_State *L)
{
	const struct rule_handle *a = luaL_testudata(L, 1, type_rule);
	const struct rule_handle *b = luaL_testudata(L, 2, type_rule);

	lua_pushboolean(L, a && b && a->rule == b->rule);
	return 1;
}

void rule_list_mark(lua_State *L)
{
	static const char *const columns[] = { "label", "hits", "bytes", "match", "actions", NULL };

	list_mark(L, columns);
}

static const struct luaL_Reg methods[] = { { "remove", lrule_remove }, { NULL, NULL } };

static const struct luaL_Reg meta[] = { { "__newindex", lrule_newindex }, { "__gc", lrule_gc },
	{ "__tostring", lrule_tostring }, { "__eq", lrule_eq }, { NULL, NULL } };

static const struct handle_field fields[] = { { "actions", actions_push }, { "bytes", bytes_push },
	{ "hits", hits_push }, { "label", label_push }, { "match", match_push },
	{ "on_error", on_error_push }, { NULL, NULL } };

static const struct handle_type type = {
	.name = type_rule, .noun = "a rule", .meta = meta, .methods = methods, .fields = fields
};

void rule_open(lua_State *L)
{
	handle_open(L, &type);
}
