/* SPDX-License-Identifier: MIT */
/* Loads a Lua script into a worker and ends it in order. */
#include "bindings/script.h"

#include <errno.h>
#include <string.h>

#include "bindings/arena.h"
#include "bindings/call.h"
#include "bindings/complete.h"
#include "bindings/console.h"
#include "bindings/coroutine.h"
#include "bindings/end.h"
#include "bindings/glue.h"
#include "bindings/link.h"
#include "bindings/locals.h"
#include "bindings/log.h"
#include "bindings/match.h"
#include "bindings/open.h"
#include "bindings/state.h"
#include "bindings/timer.h"
#include "host/cli/scripts.h"

/* os.exit(code): as mt.stop(code), and the caller does not go on. */
static int lscript_exit(lua_State *L)
{
	struct script *script = state_of(L);

	host_stop(script->worker->host, check_status(L, 1));
	worker_stop(script->worker);
	script->is_unwinding = true;
	if (lua_isyieldable(L) && coroutine_is_ours(L))
		return lua_yield(L, 0); /* never resumed */
	return luaL_error(L, "os.exit");
}

static void path_prepend(lua_State *L, const char *dir)
{
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "path");
	lua_pushfstring(L, "%s/?.lua;%s", dir, lua_tostring(L, -1));
	lua_setfield(L, -3, "path");
	lua_pop(L, 2);
}

/* math.random gives the same numbers for the same seed; each worker has its own. */
static void seed_set(lua_State *L, uint64_t seed)
{
	lua_getglobal(L, "math");
	lua_getfield(L, -1, "randomseed");
	lua_pushinteger(L, (lua_Integer)seed);
	lua_call(L, 1, 0);
	lua_pop(L, 1);
}

static int state_prepare(lua_State *L)
{
	struct worker *worker = lua_touserdata(L, 1);

	luaL_openlibs(L);
	struct script *script = moontap_open(L, worker, true);

	lua_getglobal(L, "package");
	lua_getfield(L, -1, "loaded");
	lua_rawgeti(L, LUA_REGISTRYINDEX, script->worker->id ? moontap_ref(L) : LUA_NOREF);
	lua_setfield(L, -2, "moontap");
	lua_pushcfunction(L, llog_print);
	lua_setglobal(L, "print");
	lua_getglobal(L, "os");
	lua_pushcfunction(L, lscript_exit);
	lua_setfield(L, -2, "exit");
	if (scripts_dir()[0])
		path_prepend(L, scripts_dir());
	if (worker->host->is_seeded)
		seed_set(L, worker->host->seed + worker->id - 1);
	lua_pushlightuserdata(L, script);
	return 1;
}

static void state_close(lua_State *L)
{
	void *ud;
	bool has_arena = lua_getallocf(L, &ud) == arena_alloc;

	lua_close(L);
	if (has_arena)
		arena_free(ud);
}

static int script_open(struct script **out, struct worker *worker, struct refusal *why)
{
	struct arena *arena = worker->host->is_recorded ? arena_new() : NULL;
	lua_State *L = luaL_newstate();

	if (!L) {
		if (arena)
			arena_free(arena);
		return refuse(why, ENOMEM, "script: out of memory");
	}
	if (arena)
		lua_setallocf(L, arena_alloc, arena);
	lua_pushcfunction(L, state_prepare);
	lua_pushlightuserdata(L, worker);
	if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
		refuse(why, EIO, "script: %s", lua_tostring(L, -1));
		state_close(L);
		return -EIO;
	}
	struct script *script = lua_touserdata(L, -1);

	state_slots(script, L);
	*out = script;
	return 0;
}

/* The global `arg`, as the stand-alone lua makes it. */
static void arg_set(lua_State *L, const struct script_source *source)
{
	lua_createtable(L, source->argc, 1);
	lua_pushstring(L, source->path ? source->path : "moontap");
	lua_rawseti(L, -2, 0);
	for (int i = 0; i < source->argc; i++) {
		lua_pushstring(L, source->argv[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setglobal(L, "arg");
}

static enum script_state failed(struct script *script, const char *text, struct refusal *why)
{
	refuse(why, EINVAL, "%s", text);
	script->chunk = NULL;
	return SCRIPT_FAILED;
}

static enum script_state script_load(
	struct script *script, const struct script_source *source, struct refusal *why)
{
	lua_State *L = script->L;
	lua_State *co = coroutine_new(L);
	const char *path = source->path && strcmp(source->path, "-") ? source->path : NULL;
	int results;

	script->chunk_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	script->chunk = co;
	arg_set(L, source);
	if (!source->path) {
		script->chunk = NULL; /* a console alone */
		return SCRIPT_DONE;
	}
	if (luaL_loadfilex(co, path, "t") != LUA_OK)
		return failed(script, coroutine_error(co), why);
	luaL_checkstack(co, source->argc, "too many arguments");
	for (int i = 0; i < source->argc; i++)
		lua_pushstring(co, source->argv[i]);
	locals_watch(script, co);
	switch (lua_resume(co, L, source->argc, &results)) {
	case LUA_OK:
		script->chunk = NULL;
		lua_settop(co, 0);
		return SCRIPT_DONE;
	case LUA_YIELD:
		lua_pop(co, results);
		return SCRIPT_WAITING;
	default:
		return failed(script, coroutine_error(co), why);
	}
}

static void script_timer(struct script *script, int ref, bool is_last)
{
	timer_fire(script, ref, is_last);
}

static bool script_is_done(const struct script *script)
{
	return !script->chunk;
}

static bool script_is_waiting(const struct script *script)
{
	/* Who waits in mt.run() waits for the end itself. */
	return script->children > 0;
}

static void hook_interrupt(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	state_of(L)->is_unwinding = true;
	luaL_error(L, "interrupted: the host is ending");
}

/* Sticky: a pcall inside the script does not keep it running. */
static void script_interrupt(struct script *script)
{
	int mask = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;

	lua_sethook(script->L, hook_interrupt, mask, 1);
	if (script->chunk)
		lua_sethook(script->chunk, hook_interrupt, mask, 1);
	if (script->running)
		lua_sethook(script->running, hook_interrupt, mask, 1);
}

static void hook_clear(struct script *script)
{
	lua_sethook(script->L, NULL, 0, 0);
	if (script->chunk)
		lua_sethook(script->chunk, NULL, 0, 0);
}

static void script_ended(struct script *script)
{
	hook_clear(script);
	coroutine_end(script);
	end_call(script);
}

static void script_close(struct script *script)
{
	if (!script->is_owner)
		return;
	hook_clear(script);
	state_close(script->main);
}

const struct script_ops lua_script_ops = {
	.open = script_open,
	.load = script_load,
	.match_of = match_read,
	.verdict = call_verdict,
	.match = call_match,
	.burst_over = call_burst_over,
	.timer = script_timer,
	.event = link_event,
	.eval = console_eval,
	.cancel = console_cancel,
	.complete = complete_send,
	.is_done = script_is_done,
	.is_waiting = script_is_waiting,
	.ended = script_ended,
	.interrupt = script_interrupt,
	.close = script_close,
};
