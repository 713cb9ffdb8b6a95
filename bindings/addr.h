/* SPDX-License-Identifier: MIT */
/* mt.addr: addresses of links. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Pushes the table mt.addr. */
void addr_open_table(lua_State *L);
