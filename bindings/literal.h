/* SPDX-License-Identifier: MIT */
/* What a script gave, in a script's words: for people who look at rules and actions. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* Lua's reserved words, NULL-terminated. */
extern const char *const literal_keywords[];

/* Could a script write it after a dot? */
bool literal_is_name(const char *text);

/* Pushes the value at idx as a script would write it, cut after some hundred bytes; keys in order.
 * Runs nothing of the script's. */
void literal_push(lua_State *L, int idx);
