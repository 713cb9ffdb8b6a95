/* SPDX-License-Identifier: MIT */
/* Brings a script's words to the terminal without making packets wait for it. */
#include "bindings/log.h"

#include "bindings/console.h"
#include "bindings/state.h"
#include "host/base/log.h"

/* All arguments as print shows them, tabs between, as one string on top. */
static const char *words_join(lua_State *L, size_t *len)
{
	int count = lua_gettop(L);
	luaL_Buffer out;

	luaL_buffinit(L, &out);
	for (int i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addchar(&out, '\t');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&out);
	}
	luaL_pushresult(&out);
	return lua_tolstring(L, -1, len);
}

/* Inside a rule's function a full queue loses the line and counts it; elsewhere print waits. */
int llog_print(lua_State *L)
{
	size_t len;

	words_join(L, &len);
	lua_pushliteral(L, "\n");
	lua_concat(L, 2);
	if (state_of(L)->worker->host->is_silent)
		return 0;
	if (!console_print(state_of(L), lua_tostring(L, -1), len + 1))
		log_write(LOG_OUT, lua_tostring(L, -1), len + 1, !state_of(L)->is_in_call);
	return 0;
}

static int log_at(lua_State *L, enum log_level level)
{
	size_t len;

	if (log_wants(level))
		log_line(level, "%s", words_join(L, &len));
	return 0;
}

static int llog_info(lua_State *L)
{
	return log_at(L, LOG_LEVEL_INFO);
}

static int llog_warn(lua_State *L)
{
	return log_at(L, LOG_LEVEL_WARN);
}

static int llog_debug(lua_State *L)
{
	return log_at(L, LOG_LEVEL_DEBUG);
}

static const struct luaL_Reg functions[] = { { "info", llog_info }, { "warn", llog_warn },
	{ "debug", llog_debug }, { NULL, NULL } };

void log_open_table(lua_State *L)
{
	luaL_newlib(L, functions);
}
