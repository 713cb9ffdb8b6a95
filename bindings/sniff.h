/* SPDX-License-Identifier: MIT */
/* mt.sniff: looks at packets on links; changes nothing. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

void sniff_open(lua_State *L);

int lsniff_new(lua_State *L);
