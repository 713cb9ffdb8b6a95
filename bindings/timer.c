/* SPDX-License-Identifier: MIT */
/* Lets scripts wait while packets flow. */
#include "bindings/timer.h"

#include <stdio.h>

#include "bindings/coroutine.h"
#include "bindings/handle.h"
#include "bindings/state.h"
#include "host/base/log.h"

static const char type_timer[] = "moontap.timer";

struct timer_handle {
	uint64_t id;
};

static const double SECONDS_MAX = 1e9; /* thirty years */

static int64_t check_seconds(lua_State *L, int idx, const char *what, double min)
{
	double seconds = luaL_checknumber(L, idx);

	if (!(seconds >= min && seconds <= SECONDS_MAX))
		luaL_error(L, "%s: %f seconds is out of range (%f to 1e9)", what, seconds, min);
	return (int64_t)(seconds * NS_PER_S);
}

static uint64_t timer_start(lua_State *L, int64_t ns, int64_t period_ns, int ref)
{
	struct worker *worker = state_of(L)->worker;
	struct mono due = mono_add(clock_now(&worker->clock), ns);
	uint64_t id;

	if (timer_add(&worker->timers, due, period_ns, ref, &id)) {
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
		luaL_error(L, "timer: out of memory");
	}
	return id;
}

static int timer_make(lua_State *L, const char *what, bool is_periodic)
{
	int64_t ns = check_seconds(L, 1, what, is_periodic ? 1e-6 : 0);

	luaL_checktype(L, 2, LUA_TFUNCTION);
	struct timer_handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);

	luaL_setmetatable(L, type_timer);
	lua_pushvalue(L, 2);
	handle->id = timer_start(L, ns, is_periodic ? ns : 0, luaL_ref(L, LUA_REGISTRYINDEX));
	return 1;
}

/* mt.after(seconds, fn) -> timer */
int ltimer_after(lua_State *L)
{
	return timer_make(L, "mt.after", false);
}

/* mt.every(seconds, fn) -> timer */
int ltimer_every(lua_State *L)
{
	return timer_make(L, "mt.every", true);
}

/* timer:cancel() */
static int ltimer_cancel(lua_State *L)
{
	const struct timer_handle *handle = luaL_checkudata(L, 1, type_timer);
	int ref;

	if (timer_cancel(&state_of(L)->worker->timers, handle->id, &ref))
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
	return 0;
}

int ltimer_now(lua_State *L)
{
	const struct worker *worker = state_of(L)->worker;

	lua_pushnumber(L, clock_seconds(&worker->clock, clock_now(&worker->clock)));
	return 1;
}

/* mt.sleep(seconds): the coroutine waits, packets flow. */
int ltimer_sleep(lua_State *L)
{
	struct script *script = state_of(L);
	int64_t ns = check_seconds(L, 1, "mt.sleep", 0);

	state_check_may_wait(L, "mt.sleep");
	if (!coroutine_is_ours(L)) {
		if (script->is_owner)
			return luaL_error(L,
				"mt.sleep cannot wait inside a coroutine of the script's "
				"own (use mt.go)");
		return coroutine_turn_for(L, script, ns);
	}
	lua_pushthread(L);
	timer_start(L, ns, 0, luaL_ref(L, LUA_REGISTRYINDEX));
	return lua_yield(L, 0);
}

void timer_in(lua_State *L, int64_t ns)
{
	lua_pushthread(L);
	timer_start(L, ns, 0, luaL_ref(L, LUA_REGISTRYINDEX));
}

/* mt.go(fn, ...): runs fn as a coroutine that may wait. */
int ltimer_go(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	int count = lua_gettop(L) - 1;
	lua_State *co = coroutine_new(L);

	lua_insert(L, 1);
	lua_xmove(L, co, count + 1);
	coroutine_resume(state_of(L), L, co, count);
	return 0;
}

static void function_call(struct script *script, lua_State *L)
{
	if (lua_pcall(L, 0, 0, SLOT_TRACEBACK) != LUA_OK && !script->is_unwinding) {
		state_fault(script, luaL_tolstring(L, -1, NULL));
		log_line(LOG_LEVEL_ERROR, "timer: %s", lua_tostring(L, -1));
	}
}

void timer_fire(struct script *script, int ref, bool is_last)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);

	lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
	if (is_last)
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
	if (lua_isthread(L, -1))
		coroutine_resume(script, L, lua_tothread(L, -1), 0);
	else
		function_call(script, L);
	lua_settop(L, top);
}

static int ltimer_tostring(lua_State *L)
{
	const struct timer_handle *handle = luaL_checkudata(L, 1, type_timer);
	const struct worker *worker = state_of(L)->worker;
	const struct timer *timer = timer_find(&worker->timers, handle->id);
	char text[80] = "timer (over)";

	if (timer) {
		double left = (double)(timer->due.ns - clock_now(&worker->clock).ns) / NS_PER_S;

		snprintf(text, sizeof(text), "timer (%s%.3f s)", left > 0 ? "in " : "due for ",
			left > 0 ? left : -left);
	}
	lua_pushstring(L, text);
	return 1;
}

static const struct luaL_Reg meta[] = { { "__tostring", ltimer_tostring }, { NULL, NULL } };

static const struct luaL_Reg methods[] = { { "cancel", ltimer_cancel }, { NULL, NULL } };

static const struct handle_type type = {
	.name = type_timer, .noun = "a timer", .meta = meta, .methods = methods
};

void timer_open(lua_State *L)
{
	handle_open(L, &type);
}
