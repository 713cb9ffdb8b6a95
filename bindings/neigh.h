/* SPDX-License-Identifier: MIT */
/* mt.neigh: the kernel's neighbours. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Pushes the table mt.neigh. */
void neigh_open_table(lua_State *L);
