/* SPDX-License-Identifier: MIT */
/* How a script ends: mt.stop, mt.on_end. */
#pragma once

#include "bindings/state.h"

void end_open(lua_State *L);

int lend_stop(lua_State *L);
int lend_on_end(lua_State *L);

/* The end has come: calls the functions of mt.on_end, the last one first. */
void end_call(struct script *script);
