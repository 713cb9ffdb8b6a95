/* SPDX-License-Identifier: MIT */
/* Time in scripts: mt.now, mt.after, mt.every, mt.sleep, mt.go. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

void timer_open(lua_State *L);

/* A timer of the engine is due: `ref` is a function to call or a coroutine to go on with. */
struct script;
void timer_fire(struct script *script, int ref, bool is_last);

/* The running coroutine goes on after so long (0: at the loop's next turn); it must yield now. */
void timer_in(lua_State *L, int64_t ns);

int ltimer_now(lua_State *L);
int ltimer_after(lua_State *L);
int ltimer_every(lua_State *L);
int ltimer_sleep(lua_State *L);
int ltimer_go(lua_State *L);
