/* SPDX-License-Identifier: MIT */
/* Ties a Lua state to its worker. */
#include "bindings/state.h"

#include <stdio.h>
#include <string.h>

#include "bindings/lent.h"

static const char key; /* its address is the registry key */

struct script *state_of(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
	struct script *script = lua_touserdata(L, -1);

	lua_pop(L, 1);
	return script;
}

static void words_intern(struct script *script, lua_State *L)
{
	lua_createtable(L, VERDICT_COUNT, 0);
	for (int i = 0; i < VERDICT_COUNT; i++) {
		script->words[i] = lua_pushstring(L, verdict_name(i));
		lua_rawseti(L, -2, i + 1);
	}
	luaL_ref(L, LUA_REGISTRYINDEX); /* keeps the strings where they are */
}

struct script *state_new(lua_State *L, struct worker *worker, bool is_owner)
{
	struct script *script = lua_newuserdatauv(L, sizeof(*script), 0);

	memset(script, 0, sizeof(*script));
	script->L = L;
	script->worker = worker;
	script->is_owner = is_owner;
	script->chunk_ref = LUA_NOREF;
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
	words_intern(script, L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	script->main = lua_tothread(L, -1);
	lua_pop(L, 1);
	script->handle = lent_new(L);
	return script;
}

static int traceback(lua_State *L)
{
	const char *message = lua_tostring(L, 1);

	if (!message) {
		if (luaL_callmeta(L, 1, "__tostring"))
			message = lua_tostring(L, -1);
		else
			message = lua_pushfstring(
				L, "(error object is a %s value)", luaL_typename(L, 1));
	}
	luaL_traceback(L, L, message, 1);
	return 1;
}

void state_slots(struct script *script, lua_State *L)
{
	lua_settop(L, 0);
	lua_pushcfunction(L, traceback);
	lent_push(L);
	lent_shapes_push(L);
	script->L = L;
}

void state_fault(struct script *script, const char *message)
{
	struct host *host = script->worker->host;

	if (host->is_recorded)
		snprintf(host->fault, sizeof(host->fault), "%.*s", (int)strcspn(message, "\n"),
			message);
}

void state_check_may_wait(lua_State *L, const char *what)
{
	if (state_of(L)->is_in_call)
		luaL_error(L, "%s cannot wait inside a rule's function (use mt.after)", what);
}
