/* SPDX-License-Identifier: MIT */
/* mt.netns and mt.sysctl: namespaces by name, and kernel settings. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Push the tables mt.netns and mt.sysctl. */
void netns_open_table(lua_State *L);
void sysctl_open_table(lua_State *L);
