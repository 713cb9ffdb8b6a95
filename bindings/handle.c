/* SPDX-License-Identifier: MIT */
/* Looks up what a script reads of a handle. */
#include "bindings/handle.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/nearest.h"

static const char key; /* its address is the key of the names in a metatable */

enum { NAMES_MAX = 64 };

static int name_compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The keys of the table at idx in order, NULL-terminated. */
static void names_collect(lua_State *L, int idx, const char *words[NAMES_MAX + 1])
{
	unsigned count = 0;

	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
		if (count < NAMES_MAX && lua_type(L, -2) == LUA_TSTRING)
			words[count++] = lua_tostring(L, -2);
	}
	qsort(words, count, sizeof(words[0]), name_compare);
	words[count] = NULL;
}

int handle_unknown(lua_State *L, const char *noun, int names, int name)
{
	const char *words[NAMES_MAX + 1], *text = luaL_tolstring(L, name, NULL);
	luaL_Buffer all;

	/* A pseudo-index would move with each value pushed: the table itself does not. */
	lua_pushvalue(L, names);
	names_collect(L, lua_gettop(L), words);
	const char *meant = nearest(text, words);

	if (!words[0])
		return luaL_error(L, "%s has no \"%s\", nor anything else", noun, text);
	if (meant)
		return luaL_error(L, "%s has no \"%s\" (did you mean \"%s\"?)", noun, text, meant);
	luaL_buffinit(L, &all);
	for (unsigned i = 0; words[i]; i++) {
		luaL_addstring(&all, i ? ", " : "");
		luaL_addstring(&all, words[i]);
	}
	luaL_pushresult(&all);
	return luaL_error(L, "%s has no \"%s\" (it has %s)", noun, text, lua_tostring(L, -1));
}

enum { UP_NAMES = 1, UP_TYPE = 2 };

static int lhandle_index(lua_State *L)
{
	const struct handle_type *type = lua_touserdata(L, lua_upvalueindex(UP_TYPE));
	void *handle = luaL_checkudata(L, 1, type->name);

	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	switch (lua_rawget(L, lua_upvalueindex(UP_NAMES))) {
	case LUA_TFUNCTION:
		return 1;
	case LUA_TLIGHTUSERDATA: {
		const struct handle_field *field = lua_touserdata(L, -1);

		lua_settop(L, 2);
		field->push(L, handle);
		return 1;
	}
	default:
		return handle_unknown(L, type->noun, lua_upvalueindex(UP_NAMES), 2);
	}
}

void handle_names_set(lua_State *L)
{
	lua_rawsetp(L, -2, &key);
}

bool handle_names_push(lua_State *L, int idx)
{
	int top = lua_gettop(L);

	if (lua_istable(L, idx))
		lua_pushvalue(L, idx);
	else if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return false;
	if (lua_rawgetp(L, -1, &key) != LUA_TTABLE) {
		lua_settop(L, top);
		return false;
	}
	lua_remove(L, -2);
	return true;
}

void handle_open(lua_State *L, const struct handle_type *type)
{
	luaL_newmetatable(L, type->name);
	if (type->meta)
		luaL_setfuncs(L, type->meta, 0);
	lua_newtable(L);
	if (type->methods)
		luaL_setfuncs(L, type->methods, 0);
	for (const struct handle_field *field = type->fields; field && field->name; field++) {
		lua_pushlightuserdata(L, (void *)field);
		lua_setfield(L, -2, field->name);
	}
	lua_pushvalue(L, -1);
	lua_pushlightuserdata(L, (void *)type);
	lua_pushcclosure(L, lhandle_index, 2);
	lua_setfield(L, -3, "__index");
	handle_names_set(L);
	lua_pushstring(L, type->name);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
