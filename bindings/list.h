/* SPDX-License-Identifier: MIT */
/* Lists of records (tables with the kernel's words as keys) that print as neat tables. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* Makes the table on top a list whose tostring has these columns, NULL-terminated. */
void list_mark(lua_State *L, const char *const *columns);
