/* SPDX-License-Identifier: MIT */
/* Gives the same results to every worker's script, and to each its own queues of the ports. */
#include "bindings/repeat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/coroutine.h"
#include "bindings/pcap.h"
#include "bindings/port.h"
#include "bindings/state.h"
#include "bindings/timer.h"
#include "host/engine/setup.h"

enum { DEPTH_MAX = 16, PATIENCE_MS = 10000, LOOK_MS = 1 };

/* Values as text: n t f i7; d0x1p1; s3:abc {key value ...} p0; (a port) c (a function) u (a handle
 * of another kind). Keys are sorted by their text: Lua walks a table in no order. */
struct writer {
	lua_State *L;
	struct lane *lanes[CALL_LANES];
	unsigned lane_count;
	struct outfile *file;
	bool is_result;
};

static void value_write(struct writer *w, int idx, unsigned depth);

/* Pushes the port's text: by number where it is a result, by name where it is an argument. */
static void port_write(struct writer *w, struct lane *lane)
{
	if (!w->is_result || w->lane_count == CALL_LANES) {
		lua_pushfstring(w->L, "p%s@%s;", lane->port->name, lane->netns);
		return;
	}
	w->lanes[w->lane_count] = lane;
	lua_pushfstring(w->L, "p%d;", (int)w->lane_count++);
}

static void table_write(struct writer *w, int idx, unsigned depth)
{
	lua_State *L = w->L;
	lua_Integer count = 0;

	luaL_checkstack(L, 10, "a table of options");
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, idx);) {
		int value = lua_gettop(L), key = value - 1;

		value_write(w, key, depth + 1);
		value_write(w, value, depth + 1);
		lua_concat(L, 2);
		lua_rawseti(L, key - 1, ++count);
		lua_pop(L, 1);
	}
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_getfield(L, -1, "table");
	lua_remove(L, -2);
	lua_getfield(L, -1, "sort");
	lua_pushvalue(L, -3);
	lua_call(L, 1, 0);
	lua_getfield(L, -1, "concat");
	lua_pushvalue(L, -3);
	lua_call(L, 1, 1);
	lua_pushliteral(L, "{");
	lua_insert(L, -2);
	lua_pushliteral(L, "}");
	lua_concat(L, 3);
	lua_replace(L, -3);
	lua_pop(L, 1);
}

/* Pushes the text of the value at idx. */
static void value_write(struct writer *w, int idx, unsigned depth)
{
	lua_State *L = w->L;
	char text[64];
	struct lane *lane;
	size_t len;

	if (depth > DEPTH_MAX)
		luaL_error(L, "tables are nested too deep");
	switch (lua_type(L, idx)) {
	case LUA_TNIL:
		lua_pushliteral(L, "n");
		break;
	case LUA_TBOOLEAN:
		lua_pushstring(L, lua_toboolean(L, idx) ? "t" : "f");
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, idx))
			snprintf(text, sizeof(text), "i%lld;", (long long)lua_tointeger(L, idx));
		else
			snprintf(text, sizeof(text), "d%a;", lua_tonumber(L, idx));
		lua_pushstring(L, text);
		break;
	case LUA_TSTRING:
		lua_tolstring(L, idx, &len);
		lua_pushfstring(L, "s%d:", (int)len);
		lua_pushvalue(L, idx);
		lua_concat(L, 2);
		break;
	case LUA_TTABLE:
		table_write(w, idx, depth);
		break;
	case LUA_TUSERDATA:
		lane = to_port(L, idx);
		if (lane) {
			port_write(w, lane);
			break;
		}
		w->file = to_outfile(L, idx);
		lua_pushliteral(L, "u");
		break;
	default:
		lua_pushliteral(L, "c");
	}
}

/* Pushes the text of the values from `first` to the top, one string. */
static const char *values_write(struct writer *w, int first, size_t *len)
{
	int last = lua_gettop(w->L);

	luaL_checkstack(w->L, last + 8, "too many values");
	lua_pushliteral(w->L, "");
	for (int i = first; i <= last; i++) {
		value_write(w, i, 0);
		lua_concat(w->L, 2);
	}
	return lua_tolstring(w->L, -1, len);
}

/* Our own queue of a port of worker 1's: opened when it is first needed. */
static struct lane *queue_of(lua_State *L, struct lane *first)
{
	struct worker *worker = state_of(L)->worker;
	struct refusal why;
	struct lane *lane;

	for (lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (lane->origin == first)
			return lane;
	}
	if (setup_queue(worker, first, &lane, &why))
		luaL_error(L, "%s", why.text);
	return lane;
}

static const char *value_read(lua_State *L, const struct call *call, const char *at);

static const char *table_read(lua_State *L, const struct call *call, const char *at)
{
	luaL_checkstack(L, 4, "a table of results");
	lua_newtable(L);
	while (*at != '}') {
		at = value_read(L, call, at);
		at = value_read(L, call, at);
		lua_rawset(L, -3);
	}
	return at + 1;
}

/* Pushes the value that begins at `at`; returns where the next one does. The text is our own. */
static const char *value_read(lua_State *L, const struct call *call, const char *at)
{
	char *end = (char *)at + 1;
	size_t len;

	switch (*at) {
	case 't':
	case 'f':
		lua_pushboolean(L, *at == 't');
		return end;
	case 'i':
		lua_pushinteger(L, strtoll(at + 1, &end, 10));
		return end + 1;
	case 'd':
		lua_pushnumber(L, strtod(at + 1, &end));
		return end + 1;
	case 's':
		len = strtoull(at + 1, &end, 10);
		lua_pushlstring(L, end + 1, len);
		return end + 1 + len;
	case '{':
		return table_read(L, call, end);
	case 'p':
		len = strtoull(at + 1, &end, 10);
		port_push(L, queue_of(L, call->lanes[len]));
		return end + 1;
	default:
		lua_pushnil(L);
		return end;
	}
}

/* Upvalues: the function, its name. */
enum { UP_FUNCTION = 1, UP_NAME = 2 };

/* Pushes "mt.tun(" and its arguments as text. */
static const char *what_push(lua_State *L, size_t *len)
{
	struct writer w = { .L = L };

	values_write(&w, 1, len);
	lua_pushfstring(L, "%s(", lua_tostring(L, lua_upvalueindex(UP_NAME)));
	lua_insert(L, -2);
	lua_concat(L, 2);
	return lua_tolstring(L, -1, len);
}

/* Worker 1: the results, or the error, are from place 2 to the top; what was called is at 1. */
static int recorded(lua_State *L, int status, lua_KContext ctx)
{
	struct writer w = { .L = L, .is_result = true };
	struct call call = { 0 };

	(void)ctx;
	bool is_ok = status == LUA_OK || status == LUA_YIELD;

	if (!is_ok && lua_type(L, -1) == LUA_TSTRING && !strchr(lua_tostring(L, -1), ':')) {
		luaL_where(L, 1);
		lua_insert(L, -2);
		lua_concat(L, 2);
	}
	call.what = (char *)lua_tolstring(L, 1, &call.what_len);
	call.results = (char *)values_write(&w, 2, &call.results_len);
	if (!is_ok) {
		lua_pushfstring(L, "!%s", call.results);
		call.results = (char *)lua_tolstring(L, -1, &call.results_len);
	}
	memcpy(call.lanes, w.lanes, sizeof(w.lanes));
	call.lane_count = w.lane_count;
	call.file = w.file;
	if (calls_add(state_of(L)->worker->host->calls, &call))
		return luaL_error(L, "out of memory");
	lua_settop(L, is_ok ? lua_gettop(L) - 1 : 2);
	return is_ok ? lua_gettop(L) - 1 : lua_error(L);
}

static int record(lua_State *L)
{
	size_t len;
	int count = lua_gettop(L);

	what_push(L, &len);
	lua_insert(L, 1);
	lua_pushvalue(L, lua_upvalueindex(UP_FUNCTION));
	lua_insert(L, 2);
	return recorded(L, lua_pcallk(L, count, LUA_MULTRET, 0, 0, recorded), 0);
}

/* A handle that worker 1 has: here an inert one takes its place, or one of the same file. */
static int inert(lua_State *L, const struct call *call, int count)
{
	struct script *script = state_of(L);

	lua_settop(L, count);
	lua_pushvalue(L, lua_upvalueindex(UP_FUNCTION));
	lua_insert(L, 1);
	script->repeated = call;
	int status = lua_pcall(L, count, LUA_MULTRET, 0);

	script->repeated = NULL;
	return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static int results_give(lua_State *L, const struct call *call, int count)
{
	const char *at = call->results, *end = at + call->results_len;
	bool is_error = *at == '!';
	int top = lua_gettop(L);

	if (*at == 'u' && strcmp(lua_tostring(L, lua_upvalueindex(UP_NAME)), "child:wait"))
		return inert(L, call, count);
	for (at += is_error; at < end;)
		at = value_read(L, call, at);
	return is_error ? lua_error(L) : lua_gettop(L) - top;
}

static int repeat(lua_State *L);

/* Worker 1 has not come so far: look again soon, packets flow meanwhile. */
static int repeat_later(lua_State *L, int count)
{
	struct script *script = state_of(L);

	if (script->repeat_waited++ * LOOK_MS > PATIENCE_MS)
		return luaL_error(L,
			"%s: worker 1 has made no such call (the script must make the same in "
			"each worker)",
			lua_tostring(L, lua_upvalueindex(UP_NAME)));
	lua_settop(L, count);
	timer_in(L, LOOK_MS * (int64_t)NS_PER_MS);
	return 0;
}

static int repeat_again(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	lua_settop(L, (int)ctx);
	return repeat(L);
}

static int repeat(lua_State *L)
{
	struct script *script = state_of(L);
	int count = lua_gettop(L);
	size_t len;
	const struct call *call = calls_get(script->worker->host->calls, script->repeat_next);

	if (!call) {
		repeat_later(L, count);
		return lua_yieldk(L, 0, count, repeat_again);
	}
	const char *what = what_push(L, &len);

	if (len != call->what_len || memcmp(what, call->what, len)) {
		lua_pushlstring(L, call->what, strcspn(call->what, "("));
		return luaL_error(L,
			"%s: worker %d calls it with other arguments, or where worker 1 called %s "
			"(the "
			"script must make the same calls in each worker)",
			lua_tostring(L, lua_upvalueindex(UP_NAME)), (int)script->worker->id,
			lua_tostring(L, -1));
	}
	script->repeat_next++;
	script->repeat_waited = 0;
	return results_give(L, call, count);
}

/* All that is on the stack are results. */
static int aside_done(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	(void)ctx;
	return lua_gettop(L);
}

/* What is called outside the script's main part comes in another order in each worker. */
static int aside(lua_State *L)
{
	struct script *script = state_of(L);

	if (script->worker->id > 1)
		return 0;
	lua_pushvalue(L, lua_upvalueindex(UP_FUNCTION));
	lua_insert(L, 1);
	lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, aside_done);
	return aside_done(L, LUA_OK, 0);
}

/* A file that is read is each worker's own. */
static bool is_reading(lua_State *L)
{
	const char *mode = lua_tostring(L, 2);

	return !strcmp(lua_tostring(L, lua_upvalueindex(UP_NAME)), "mt.pcap.open") &&
	       (!mode || strcmp(mode, "w"));
}

static int lrepeat_call(lua_State *L)
{
	struct script *script = state_of(L);

	if (is_reading(L))
		return lua_tocfunction(L, lua_upvalueindex(UP_FUNCTION))(L);
	if (L != script->chunk)
		return aside(L);
	return script->worker->id == 1 ? record(L) : repeat(L);
}

void repeat_push(lua_State *L, const char *name, lua_CFunction function)
{
	const struct host *host = state_of(L)->worker->host;

	lua_pushcfunction(L, function);
	if (host->worker_count < 2)
		return;
	lua_pushstring(L, name);
	lua_pushcclosure(L, lrepeat_call, 2);
}

static void field_wrap(lua_State *L, int idx, const char *group, const char *name)
{
	/* Not every group has every verb, and their tables raise for what they lack. */
	lua_pushstring(L, name);
	lua_rawget(L, idx);
	lua_CFunction function = lua_tocfunction(L, -1);

	lua_pop(L, 1);
	if (!function)
		return;
	const char *dot = *group ? "." : "";
	const char *full = lua_pushfstring(L, "mt.%s%s%s", group, dot, name);

	repeat_push(L, full, function);
	lua_setfield(L, idx, name);
	lua_pop(L, 1);
}

void repeat_wrap(lua_State *L, int idx)
{
	static const char *const makers[] = { "tun", "tap", "attach", "veth", "spawn", "sniff",
		"command", NULL };
	static const char *const groups[] = { "link", "addr", "route", "neigh", "sysctl", "netns",
		NULL };
	static const char *const verbs[] = { "add", "del", "set", NULL };

	idx = lua_absindex(L, idx);
	if (state_of(L)->worker->host->worker_count < 2)
		return;
	for (unsigned i = 0; makers[i]; i++)
		field_wrap(L, idx, "", makers[i]);
	for (unsigned i = 0; groups[i]; i++) {
		lua_getfield(L, idx, groups[i]);
		for (unsigned j = 0; verbs[j]; j++)
			field_wrap(L, lua_gettop(L), groups[i], verbs[j]);
		lua_pop(L, 1);
	}
	lua_getfield(L, idx, "pcap");
	field_wrap(L, lua_gettop(L), "pcap", "open");
	lua_pop(L, 1);
}
