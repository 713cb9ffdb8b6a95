/* SPDX-License-Identifier: MIT */
/* Rules: made from MATCH and ACTIONs; counted, labelled and removed by their handle. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/engine/lane.h"

void rule_open(lua_State *L);

/* A rule of the match at `match` and the actions from there + 1 up to `last`. Raises if one is
 * wrong. The caller owns the rule. */
struct rule *check_new_rule(lua_State *L, const struct lane *lane, int match, int last);

/* Pushes the handle of a rule of the lane. */
void rule_push(lua_State *L, struct lane *lane, struct rule *rule);

/* Makes the list of rules on top print as a table of them. */
void rule_list_mark(lua_State *L);

/* The rule whose handle is at idx, of this lane and not removed; raises otherwise. */
struct rule *check_rule(lua_State *L, int idx, const struct lane *lane);
