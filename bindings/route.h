/* SPDX-License-Identifier: MIT */
/* mt.route: routes and routing rules. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Pushes the table mt.route. */
void route_open_table(lua_State *L);
