/* SPDX-License-Identifier: MIT */
/* Ends the host in order when a script says so, and tells the script that it ends. */
#include "bindings/end.h"

#include "bindings/glue.h"
#include "host/base/log.h"

static const char functions; /* its address is the registry key of the list */

/* mt.stop(code): ends in order, after the current call. */
int lend_stop(lua_State *L)
{
	struct script *script = state_of(L);

	host_stop(script->worker->host, check_status(L, 1));
	worker_stop(script->worker);
	return 0;
}

/* mt.on_end(fn): called at the end, before ports are closed and the network is put back */
int lend_on_end(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &functions);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	return 0;
}

void end_call(struct script *script)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &functions);
	for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i > 0; i--) {
		lua_rawgeti(L, top + 1, i);
		if (lua_pcall(L, 0, 0, SLOT_TRACEBACK) != LUA_OK) {
			state_fault(script, luaL_tolstring(L, -1, NULL));
			log_line(LOG_LEVEL_ERROR, "on_end: %s", lua_tostring(L, -1));
		}
		lua_settop(L, top + 1);
	}
	lua_settop(L, top);
}

void end_open(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &functions);
}
