/* SPDX-License-Identifier: MIT */
/* print, mt.log.info, mt.log.warn, mt.log.debug. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Pushes the table mt.log. */
void log_open_table(lua_State *L);

int llog_print(lua_State *L);
