/* SPDX-License-Identifier: MIT */
/* mt.testing: scripts that are run against a recorded network, and fed packets by a test. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Pushes the table. */
void testing_open_table(lua_State *L);
