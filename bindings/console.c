/* SPDX-License-Identifier: MIT */
/* Evaluates what people type while packets flow. */
#include "bindings/console.h"

#include <string.h>

#include "bindings/coroutine.h"
#include "bindings/locals.h"
#include "bindings/open.h"
#include "bindings/timer.h"
#include "host/engine/control.h"

enum {
	SLICE = 20000, /* instructions of a line between looks at packets */
	NAME_ROOM = 32,
};

static const char lines; /* its address is the registry key of: coroutine -> connection id */

static void lines_push(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lines) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	lua_newtable(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &lines);
}

/* The connection whose line co is; 0: none. */
static uint64_t id_of(lua_State *L, lua_State *co)
{
	lines_push(L);
	lua_pushthread(co);
	if (co != L)
		lua_xmove(co, L, 1);
	lua_rawget(L, -2);
	uint64_t id = (uint64_t)lua_tointeger(L, -1);

	lua_pop(L, 2);
	return id;
}

static void line_forget(lua_State *L, lua_State *co)
{
	lines_push(L);
	lua_pushthread(co);
	lua_xmove(co, L, 1);
	lua_pushnil(L);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

/* Only the line's own coroutine gives way: a yield inside one of the script's would come out at its
 * resume. New coroutines inherit the hook and lose it here. */
static void hook_slice(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	if (!coroutine_is_ours(L)) {
		lua_sethook(L, NULL, 0, 0);
		return;
	}
	if (lua_isyieldable(L)) {
		timer_in(L, 0);
		lua_yield(L, 0);
	}
}

static void error_send(struct script *script, uint64_t id, const char *text)
{
	control_send(script->worker, id, CONTROL_ERROR, text, strlen(text));
}

/* "return LINE" first, so that an expression shows its value. */
static int compile(lua_State *co, const char *text, size_t len)
{
	lua_pushliteral(co, "return ");
	lua_pushlstring(co, text, len);
	lua_concat(co, 2);
	size_t full;
	const char *expression = lua_tolstring(co, -1, &full);
	int status = luaL_loadbufferx(co, expression, full, "=console", "t");

	lua_remove(co, -2);
	if (status == LUA_OK)
		return status;
	lua_pop(co, 1);
	return luaL_loadbufferx(co, text, len, "=console", "t");
}

/* The parser stumbled over the end: more lines may complete it. */
static bool is_incomplete(lua_State *co)
{
	size_t len;
	const char *message = lua_tolstring(co, -1, &len);
	static const char mark[] = "<eof>";

	return len >= sizeof(mark) - 1 && !strcmp(message + len - (sizeof(mark) - 1), mark);
}

/* In a console mt is a global. */
static void mt_set(lua_State *L)
{
	lua_pushglobaltable(L);
	lua_pushliteral(L, "mt");
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pushliteral(L, "mt");
		lua_rawgeti(L, LUA_REGISTRYINDEX, moontap_ref(L));
		lua_rawset(L, -4);
	}
	lua_pop(L, 2);
}

/* The line's globals are those of the script, and before them its local variables. */
static void globals_set(lua_State *co)
{
	locals_globals_push(co);
	lua_setupvalue(co, -2, 1);
}

void console_eval(struct script *script, uint64_t id, const char *text, size_t len)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);
	lua_State *co = coroutine_new(L);

	mt_set(L);

	if (compile(co, text, len) != LUA_OK) {
		if (is_incomplete(co))
			control_send(script->worker, id, CONTROL_MORE, "", 0);
		else
			error_send(script, id, lua_tostring(co, -1));
		lua_settop(L, top);
		return;
	}
	globals_set(co);
	lines_push(L);
	lua_pushvalue(L, -2);
	lua_pushinteger(L, (lua_Integer)id);
	lua_rawset(L, -3);
	lua_sethook(co, hook_slice, LUA_MASKCOUNT, SLICE);
	coroutine_resume(script, L, co, 0);
	lua_settop(L, top);
}

static void values_send(struct script *script, uint64_t id, lua_State *co, int results)
{
	luaL_Buffer out;
	int first = lua_gettop(co) - results + 1;

	luaL_checkstack(co, 4, NULL);
	luaL_buffinit(co, &out);
	for (int i = 0; i < results; i++) {
		if (i)
			luaL_addchar(&out, '\t');
		luaL_tolstring(co, first + i, NULL);
		luaL_addvalue(&out);
	}
	luaL_pushresult(&out);
	size_t len;
	const char *text = lua_tolstring(co, -1, &len);

	control_send(script->worker, id, CONTROL_VALUE, text, len);
}

/* tostring of a value may fail: that is an answer too. */
static int lvalues_send(lua_State *co)
{
	struct script *script = state_of(co);
	uint64_t id = (uint64_t)lua_tointeger(co, 1);

	values_send(script, id, co, lua_gettop(co) - 1);
	return 0;
}

bool console_resumed(struct script *script, lua_State *co, int status, int results)
{
	lua_State *L = script->L;
	uint64_t id = id_of(L, co);

	if (!id)
		return false;
	if (status == LUA_YIELD)
		return true;
	lua_sethook(co, NULL, 0, 0);
	if (status == LUA_OK) {
		lua_pushcfunction(co, lvalues_send);
		lua_insert(co, -results - 1);
		lua_pushinteger(co, (lua_Integer)id);
		lua_insert(co, -results - 1);
		if (lua_pcall(co, results + 1, 0, 0) != LUA_OK)
			error_send(script, id, luaL_tolstring(co, -1, NULL));
	} else {
		error_send(script, id, coroutine_error(co));
	}
	line_forget(L, co);
	return true;
}

void console_cancel(struct script *script, uint64_t id)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);

	lines_push(L);
	for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1)) {
		if ((uint64_t)lua_tointeger(L, -1) != id)
			continue;
		lua_State *co = lua_tothread(L, -2);

		lua_pushvalue(L, -2);
		lua_pushnil(L);
		lua_rawset(L, top + 1); /* of an existing key: allowed while traversing */
		coroutine_abandon(L, co);
		error_send(script, id, "cancelled");
	}
	lua_settop(L, top);
}

bool console_print(struct script *script, const char *text, size_t len)
{
	lua_State *co = script->running;

	if (!co || script->is_in_call)
		return false;
	uint64_t id = id_of(co, co);

	if (!id)
		return false;
	control_send(script->worker, id, CONTROL_PRINT, text, len);
	return true;
}
