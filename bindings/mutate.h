/* SPDX-License-Identifier: MIT */
/* Other packets of one, for tests: mt.fuzz(pkt, seed), mt.corrupt(pkt, seed). */
#pragma once

#include <lauxlib.h>
#include <lua.h>

int lmutate_fuzz(lua_State *L);
int lmutate_corrupt(lua_State *L);
