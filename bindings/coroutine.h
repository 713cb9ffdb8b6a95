/* SPDX-License-Identifier: MIT */
/* The coroutines that the host resumes: a script's main part and what mt.go starts. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "bindings/state.h"

void coroutine_open(lua_State *L);

/* A new coroutine of ours, pushed. */
lua_State *coroutine_new(lua_State *L);

/* Is the running coroutine one that the host resumes, so that it may wait? */
bool coroutine_is_ours(lua_State *L);

/* Goes on with co, from L. What it says of an error is logged; if it was the script's main part,
 * the host ends with status 1. */
void coroutine_resume(struct script *script, lua_State *L, lua_State *co, int count);

/* Gives co up: what it waits for resumes it no more. */
void coroutine_abandon(lua_State *L, lua_State *co);

/* The error that co died of: "file:line: what", one line, on top of co. */
const char *coroutine_error(lua_State *co);

/* Under a stock lua5.4: serves packets for so long. Returns 0 results. */
int coroutine_turn_for(lua_State *L, struct script *script, int64_t ns);

/* mt.run(): waits for the end. */
int lcoroutine_run(lua_State *L);

/* The end has come: what waits in mt.run() goes on. */
void coroutine_end(struct script *script);
