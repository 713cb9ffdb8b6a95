/* SPDX-License-Identifier: MIT */
/* Prints lists of links, routes and rules with their columns under each other. */
#include "bindings/list.h"

#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 12, GAP = 2 };

/* A cell's text is pushed: "-" for nothing, "a, b" for a list. */
static const char *cell_push(lua_State *L, int record, const char *column, size_t *len)
{
	int type = lua_getfield(L, record, column);

	if (type == LUA_TNIL) {
		lua_pop(L, 1);
		lua_pushliteral(L, "-");
	} else {
		luaL_tolstring(L, -1, NULL);
		lua_remove(L, -2);
	}
	return lua_tolstring(L, -1, len);
}

static void widths_find(lua_State *L, const char *const *columns, size_t *widths)
{
	for (unsigned c = 0; columns[c]; c++)
		widths[c] = strlen(columns[c]);
	for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++) {
		for (unsigned c = 0; columns[c]; c++) {
			size_t len;

			cell_push(L, -1, columns[c], &len);
			widths[c] = len > widths[c] ? len : widths[c];
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void cell_add(luaL_Buffer *out, const char *text, size_t len, size_t width, bool is_last)
{
	luaL_addlstring(out, text, len);
	if (is_last)
		return;
	for (; len < width + GAP; len++)
		luaL_addchar(out, ' ');
}

static int llist_tostring(lua_State *L)
{
	const char *const *columns = lua_touserdata(L, lua_upvalueindex(1));
	size_t widths[COLUMNS] = { 0 };
	luaL_Buffer out;

	widths_find(L, columns, widths);
	luaL_buffinit(L, &out);
	for (unsigned c = 0; columns[c]; c++)
		cell_add(&out, columns[c], strlen(columns[c]), widths[c], !columns[c + 1]);
	lua_Integer count = (lua_Integer)lua_rawlen(L, 1);

	for (lua_Integer i = 1; i <= count; i++) {
		luaL_addchar(&out, '\n');
		for (unsigned c = 0; columns[c]; c++) {
			size_t len;

			/* The buffer may hold a slot of the stack: the cell is copied from below
			 * it. */
			lua_rawgeti(L, 1, i);
			const char *text = cell_push(L, -1, columns[c], &len);

			lua_remove(L, -2);
			char cell[256];

			len = len < sizeof(cell) ? len : sizeof(cell);
			memcpy(cell, text, len);
			lua_pop(L, 1);
			cell_add(&out, cell, len, widths[c], !columns[c + 1]);
		}
	}
	luaL_pushresult(&out);
	return 1;
}

void list_mark(lua_State *L, const char *const *columns)
{
	lua_createtable(L, 0, 1);
	lua_pushlightuserdata(L, (void *)columns);
	lua_pushcclosure(L, llist_tostring, 1);
	lua_setfield(L, -2, "__tostring");
	lua_setmetatable(L, -2);
}

void list_push(lua_State *L, const struct place *place, const void *records, size_t size,
	unsigned count, list_record *push, const char *const *columns)
{
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		push(L, place, (const char *)records + i * size);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	list_mark(L, columns);
}
