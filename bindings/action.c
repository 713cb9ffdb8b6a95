/* SPDX-License-Identifier: MIT */
/* Understands the actions of a rule. */
#include "bindings/action.h"

#include <string.h>

#include "bindings/glue.h"
#include "bindings/state.h"

static const char *const type_reflect = "moontap.reflect";

enum verdict to_verdict(lua_State *L, int idx)
{
	if (lua_type(L, idx) != LUA_TSTRING)
		return VERDICT_NONE;
	const struct script *script = state_of(L);
	const char *word = lua_tostring(L, idx);

	for (enum verdict v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++) {
		if (word == script->words[v] || !strcmp(word, script->words[v]))
			return v;
	}
	return VERDICT_NONE;
}

void check_action(lua_State *L, int idx, struct action *out)
{
	enum verdict verdict = to_verdict(L, idx);
	struct reflect **reflect = luaL_testudata(L, idx, type_reflect);

	if (verdict != VERDICT_NONE) {
		*out = (struct action){ .kind = ACTION_VERDICT, .verdict = verdict };
	} else if (lua_isfunction(L, idx)) {
		lua_pushvalue(L, idx);
		*out = (struct action){ .kind = ACTION_CALL,
			.ref = luaL_ref(L, LUA_REGISTRYINDEX) };
	} else if (reflect) {
		*out = (struct action){ .kind = ACTION_REFLECT, .reflect = reflect_hold(*reflect) };
	} else if (lua_type(L, idx) == LUA_TSTRING) {
		luaL_error(L, "\"%s\" is no verdict (reply, rewrite, pass, drop or handled)",
			lua_tostring(L, idx));
	} else {
		luaL_error(L,
			"an action is a verdict, a C action like mt.reflect{} or a function, "
			"not a %s",
			luaL_typename(L, idx));
	}
}

void action_release(lua_State *L, const struct action *action)
{
	if (action->kind == ACTION_REFLECT)
		reflect_release(action->reflect);
	else if (action->ref)
		luaL_unref(L, LUA_REGISTRYINDEX, action->ref);
}

int laction_reflect(lua_State *L)
{
	static const char *const keys[] = { "net", "except", "ttl", "echo", NULL };
	unsigned net_count, except_count;

	if (lua_isnone(L, 1))
		lua_newtable(L);
	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, "mt.reflect", keys);
	const struct prefix *net = check_prefixes(L, 1, "mt.reflect", "net", &net_count);
	const struct prefix *except = check_prefixes(L, 1, "mt.reflect", "except", &except_count);
	uint8_t ttl = (uint8_t)check_integer_field(L, 1, "mt.reflect", "ttl", 1, 255, 64);
	bool echo = check_bool_field(L, 1, "mt.reflect", "echo", true);
	struct reflect **handle = lua_newuserdatauv(L, sizeof(struct reflect *), 0);

	*handle = NULL;
	luaL_setmetatable(L, type_reflect);
	*handle = reflect_new(net, net_count, except, except_count);
	if (!*handle)
		return luaL_error(L, "mt.reflect: out of memory");
	(*handle)->ttl = ttl;
	(*handle)->echo = echo;
	return 1;
}

static int lreflect_gc(lua_State *L)
{
	struct reflect **handle = lua_touserdata(L, 1);

	if (*handle)
		reflect_release(*handle);
	*handle = NULL;
	return 0;
}

void action_open(lua_State *L)
{
	luaL_newmetatable(L, type_reflect);
	lua_pushcfunction(L, lreflect_gc);
	lua_setfield(L, -2, "__gc");
	lua_pushliteral(L, "moontap.reflect");
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
