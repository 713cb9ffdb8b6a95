/* SPDX-License-Identifier: MIT */
/* What a rule does: verdict words, C actions, functions. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/policy/rule.h"

void action_open(lua_State *L);

/* The action at idx, for a rule; holds what it refers to. Raises, holding nothing, if it is none.
 */
void check_action(lua_State *L, int idx, struct action *out);

/* Gives back what check_action holds. */
void action_drop(lua_State *L, const struct action *action);

/* A verdict word at idx, VERDICT_NONE if it is none. */
enum verdict to_verdict(lua_State *L, int idx);

/* mt.reflect{}, mt.set{}, mt.reject{} */
int laction_reflect(lua_State *L);
int laction_set(lua_State *L);
int laction_reject(lua_State *L);
