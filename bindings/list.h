/* SPDX-License-Identifier: MIT */
/* Lists of records (tables of the kernel's words, or handles) that print as neat tables. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

struct place;

/* Pushes one record, as a table. */
typedef void list_record(lua_State *L, const struct place *place, const void *record);

/* Makes the table on top a list whose tostring has these columns, NULL-terminated. */
void list_mark(lua_State *L, const char *const *columns);

/* Pushes `count` records of `size` bytes each as such a list. */
void list_push(lua_State *L, const struct place *place, const void *records, size_t size,
	unsigned count, list_record *push, const char *const *columns);
