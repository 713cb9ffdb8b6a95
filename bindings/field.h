/* SPDX-License-Identifier: MIT */
/* Tells Lua which fields packets have. */
#pragma once

#include <lua.h>

int lfield_list(lua_State *L);
