/* SPDX-License-Identifier: MIT */
/* Hands a packet to a Lua function and takes its verdict. */
#include "bindings/call.h"

#include <string.h>

#include "bindings/lent.h"
#include "bindings/port.h"
#include "host/base/log.h"

static void error_log(struct script *script, const char *text)
{
	int64_t now = clock_now(&script->worker->clock).ns;

	state_fault(script, text);
	if (script->error_logged_at && now - script->error_logged_at < NS_PER_S) {
		script->errors_unlogged++;
		return;
	}
	if (script->errors_unlogged)
		log_line(LOG_LEVEL_ERROR, "%s (and %llu errors more since the last line)", text,
			(unsigned long long)script->errors_unlogged);
	else
		log_line(LOG_LEVEL_ERROR, "%s", text);
	script->errors_unlogged = 0;
	script->error_logged_at = now;
}

/* "ping.lua:9: the rule's function returned ...": the function named by `ref`. */
static enum verdict nonsense(struct script *script, int ref, const char *what)
{
	lua_State *L = script->L;
	lua_Debug ar;

	lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
	lua_getinfo(L, ">S", &ar);
	lua_pushfstring(L, "%s:%d: the rule's function %s", ar.short_src, ar.linedefined, what);
	error_log(script, lua_tostring(L, -1));
	return VERDICT_ERROR;
}

static bool port_take(lua_State *L, int idx, const struct packet *p, struct verdict_ports *to)
{
	struct lane *lane = to_port(L, idx);

	if (!lane || !lane->is_open || lane->port->first != p->first || to->count == VERDICT_PORTS)
		return false;
	to->lane[to->count++] = lane;
	return true;
}

/* The second result: nothing, a port or a list of ports. */
static bool ports_take(lua_State *L, int idx, const struct packet *p, struct verdict_ports *to)
{
	if (lua_isnil(L, idx))
		return true;
	if (!lua_istable(L, idx))
		return port_take(L, idx, p, to);
	idx = lua_absindex(L, idx);
	for (lua_Integer i = 1; lua_rawgeti(L, idx, i) != LUA_TNIL; i++) {
		bool is_taken = port_take(L, -1, p, to);

		lua_pop(L, 1);
		if (!is_taken)
			return false;
	}
	lua_pop(L, 1);
	return to->count > 0;
}

static enum verdict word_take(struct script *script, lua_State *L, int idx)
{
	const char *word = lua_tostring(L, idx);

	for (enum verdict v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++) {
		if (word == script->words[v])
			return v;
	}
	return VERDICT_NONE;
}

/* Results at -2 and -1. */
static enum verdict results_take(
	struct script *script, int ref, const struct packet *p, struct verdict_ports *to)
{
	lua_State *L = script->L;

	if (lua_isnil(L, -2))
		return VERDICT_NONE;
	enum verdict verdict =
		lua_type(L, -2) == LUA_TSTRING ? word_take(script, L, -2) : VERDICT_NONE;

	if (verdict == VERDICT_NONE) {
		lua_pushfstring(L,
			"returned %s, which is no verdict (reply, rewrite, pass, drop, "
			"handled or nil)",
			luaL_tolstring(L, -2, NULL));
		return nonsense(script, ref, lua_tostring(L, -1));
	}
	if (verdict == VERDICT_REPLY && (p->written & (WRITTEN_ADDRESS | WRITTEN_PORT)))
		return nonsense(script, ref,
			"wrote addresses or ports by hand and said reply: it "
			"means rewrite");
	if (verdict == VERDICT_REPLY && (p->written & WRITTEN_TURNED))
		return nonsense(script, ref, "called pkt:turn() and said reply: it means rewrite");
	bool takes_ports = verdict == VERDICT_REWRITE || verdict == VERDICT_PASS;

	if (!lua_isnil(L, -1) && (!takes_ports || !ports_take(L, -1, p, to)))
		return nonsense(script, ref,
			takes_ports ? "named something else than an open port (or a list of them) "
				      "that carries such packets"
				    : "named a port, but only pass and rewrite take one");
	return verdict;
}

/* Function and packet are called; `results` of them, or an error text, are on top. */
static bool lend(struct script *script, int ref, struct packet *p, int results)
{
	lua_State *L = script->L;

	lent_begin(script, p);
	lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
	lua_pushvalue(L, SLOT_HANDLE);
	script->is_in_call = true;
	int status = lua_pcall(L, 1, results, SLOT_TRACEBACK);

	script->is_in_call = false;
	packet_handle_end(script->handle);
	if (status == LUA_OK)
		return true;
	if (!script->is_unwinding)
		error_log(script, luaL_tolstring(L, -1, NULL));
	return false;
}

enum verdict call_verdict(
	struct script *script, int ref, struct packet *p, struct verdict_ports *to)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);
	enum verdict verdict = VERDICT_ERROR;

	to->count = 0;
	if (lend(script, ref, p, 2))
		verdict = results_take(script, ref, p, to);
	lua_settop(L, top);
	return verdict;
}

enum verdict call_match(struct script *script, int ref, struct packet *p)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);
	enum verdict verdict = VERDICT_ERROR;

	if (lend(script, ref, p, 1))
		verdict = lua_toboolean(L, -1) ? VERDICT_PASS : VERDICT_NONE;
	lua_settop(L, top);
	return verdict;
}

void call_burst_over(struct script *script)
{
	lent_shapeless(script->L, script);
}
