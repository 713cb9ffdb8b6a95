/* SPDX-License-Identifier: MIT */
/* The table that require "moontap" gives. */
#pragma once

#include "bindings/state.h"

/* Registers everything in L and makes the table. is_owner: the state is the host's own. */
struct script *moontap_open(lua_State *L, struct worker *worker, bool is_owner);

/* The registry reference of the table. */
int moontap_ref(lua_State *L);
