/* SPDX-License-Identifier: MIT */
/* Resumes scripts that have waited, and says what they died of. */
#include "bindings/coroutine.h"

#include <string.h>

#include "bindings/console.h"
#include "host/base/log.h"

static const char ours, waiting; /* registry keys: a weak set of coroutines; those in mt.run() */

lua_State *coroutine_new(lua_State *L)
{
	lua_State *co = lua_newthread(L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &ours);
	lua_pushvalue(L, -2);
	lua_pushboolean(L, 1);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	return co;
}

/* Pushes co onto L, whichever of the two runs. */
static void thread_push(lua_State *L, lua_State *co)
{
	lua_pushthread(co);
	if (co != L)
		lua_xmove(co, L, 1);
}

static bool is_kept(lua_State *L, lua_State *co)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &ours);
	thread_push(L, co);
	bool is_ours = lua_rawget(L, -2) != LUA_TNIL;

	lua_pop(L, 2);
	return is_ours;
}

bool coroutine_is_ours(lua_State *L)
{
	return is_kept(L, L);
}

void coroutine_abandon(lua_State *L, lua_State *co)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &ours);
	thread_push(L, co);
	lua_pushnil(L);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	lua_sethook(co, NULL, 0, 0);
	lua_resetthread(co); /* closes what it had to close */
}

/* Does the message begin with "file:line: "? */
static bool has_place(const char *message)
{
	const char *colon = strchr(message, ':');

	while (colon) {
		size_t digits = strspn(colon + 1, "0123456789");

		if (digits && colon[1 + digits] == ':')
			return true;
		if (strcspn(message, " ") < (size_t)(colon - message))
			return false;
		colon = strchr(colon + 1, ':');
	}
	return false;
}

/* An error object can be anything: its text is pushed. */
static const char *error_text(lua_State *co)
{
	if (lua_isstring(co, -1) || luaL_getmetafield(co, -1, "__tostring") != LUA_TNIL)
		return luaL_tolstring(co, lua_isstring(co, -1) ? -1 : -2, NULL);
	return lua_pushfstring(co, "(error object is a %s value)", luaL_typename(co, -1));
}

/* What is said on failure is one line; a longer message is shown in full by -v. */
static const char *first_line(lua_State *co, const char *message)
{
	size_t len = strcspn(message, "\n");

	if (!message[len])
		return message;
	log_line(LOG_LEVEL_DEBUG, "%s", message);
	if (len && message[len - 1] == ':')
		len--; /* "module 'x' not found:" */
	lua_pushlstring(co, message, len);
	return lua_pushfstring(co, "%s%s", lua_tostring(co, -1),
		log_wants(LOG_LEVEL_DEBUG) ? "" : " (-v shows the rest)");
}

static bool is_place(const char *message, const lua_Debug *ar)
{
	size_t len = strlen(ar->short_src);

	return !strncmp(message, ar->short_src, len) && message[len] == ':';
}

const char *coroutine_error(lua_State *co)
{
	const char *message = first_line(co, error_text(co));
	lua_Debug ar;

	if (has_place(message))
		return message;
	/* assert(mt.tun{...}) adds no place: it is that of the innermost Lua function. */
	for (int level = 0; lua_getstack(co, level, &ar); level++) {
		lua_getinfo(co, "Sl", &ar);
		if (is_place(message, &ar))
			return message; /* a name with a space in it */
		if (ar.currentline > 0)
			return lua_pushfstring(
				co, "%s:%d: %s", ar.short_src, ar.currentline, message);
	}
	return message;
}

static void died(struct script *script, lua_State *co)
{
	bool is_chunk = co == script->chunk;
	const char *message = coroutine_error(co);

	luaL_traceback(script->main, co, NULL, 0);
	log_line(LOG_LEVEL_DEBUG, "%s", lua_tostring(script->main, -1));
	lua_pop(script->main, 1);
	if (script->is_unwinding || (script->worker->is_stopping && script->is_owner))
		return; /* interrupted at the end: not its fault */
	state_fault(script, message);
	log_line(LOG_LEVEL_ERROR, "%s", message);
	if (is_chunk) {
		script->is_failed = true;
		host_stop(script->worker->host, 1);
		worker_stop(script->worker);
	}
}

void coroutine_resume(struct script *script, lua_State *L, lua_State *co, int count)
{
	lua_State *outer = script->running;
	int results;

	if (!is_kept(L, co))
		return; /* it was given up while it waited */
	script->running = co;
	int status = lua_resume(co, L, count, &results);

	script->running = outer;
	if (console_resumed(script, co, status, results) && status != LUA_YIELD) {
		lua_settop(co, 0);
		return;
	}
	if (status == LUA_YIELD) {
		lua_pop(co, results);
		return;
	}
	if (status != LUA_OK)
		died(script, co);
	if (co == script->chunk)
		script->chunk = NULL;
	lua_settop(co, 0);
}

/* A stock lua5.4 answers Ctrl-C with a hook, which only runs once we are back in Lua. */
static bool is_over(lua_State *L, const struct worker *worker)
{
	return worker->is_stopping || lua_gethook(L);
}

int coroutine_turn_for(lua_State *L, struct script *script, int64_t ns)
{
	struct worker *worker = script->worker;
	lua_State *outer = script->L;
	struct mono end = mono_add(clock_now(&worker->clock), ns);

	state_slots(script, L);
	while (!is_over(L, worker)) {
		int64_t left = end.ns - clock_now(&worker->clock).ns;

		if (left <= 0)
			break;
		worker_turn(worker, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
	}
	script->L = outer;
	return 0;
}

/* Under a stock lua5.4 the loop runs in here; under moontap the coroutine waits for the end. */
int lcoroutine_run(lua_State *L)
{
	struct script *script = state_of(L);
	struct worker *worker = script->worker;

	state_check_may_wait(L, "mt.run");
	if (coroutine_is_ours(L)) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &waiting);
		lua_pushthread(L);
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
		script->scripts_waiting++;
		return lua_yield(L, 0);
	}
	if (script->is_owner)
		return luaL_error(L, "mt.run cannot wait inside a coroutine of the script's own");
	lua_State *outer = script->L;

	state_slots(script, L);
	while (!is_over(L, worker) && worker_has_work(worker))
		worker_turn(worker, -1);
	script->L = outer;
	return 0;
}

void coroutine_end(struct script *script)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &waiting);
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, top + 1); i++) {
		lua_rawgeti(L, top + 1, i);
		coroutine_resume(script, L, lua_tothread(L, -1), 0);
		lua_pop(L, 1);
	}
	script->scripts_waiting = 0;
	lua_settop(L, top);
}

void coroutine_open(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &waiting);
	lua_newtable(L);
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "k");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &ours);
}
