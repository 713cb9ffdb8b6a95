/* SPDX-License-Identifier: MIT */
/* Children that scripts start: mt.spawn, mt.command. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* After state_new. */
void process_open(lua_State *L);

int lprocess_spawn(lua_State *L);
int lprocess_command(lua_State *L);
