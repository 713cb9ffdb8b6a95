/* SPDX-License-Identifier: MIT */
/* With several workers, worker 1's script changes the world and the others' repeat it. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Replaces the functions of the mt table at idx that change the world. With one worker it does
 * nothing: a call then costs what it costs. */
void repeat_wrap(lua_State *L, int idx);

/* Pushes `function`, or what repeats it under that name. */
void repeat_push(lua_State *L, const char *name, lua_CFunction function);
