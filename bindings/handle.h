/* SPDX-License-Identifier: MIT */
/* Handles: userdata whose names all stand in one table. What a script reads, what an error guesses
 * that it meant, and what a console completes come from there. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* A field that is computed: pushes one value, of the handle at 1 of the stack. */
struct handle_field {
	const char *name;
	void (*push)(lua_State *L, void *handle);
};

struct handle_type {
	const char *name;		   /* of the metatable: "moontap.port" */
	const char *noun;		   /* in errors: "a port" */
	const struct luaL_Reg *meta;	   /* but __index; NULL: none */
	const struct luaL_Reg *methods;	   /* NULL: none */
	const struct handle_field *fields; /* ends with a NULL name; NULL: none */
};

/* Registers the metatable of a type, which must stay where it is. */
void handle_open(lua_State *L, const struct handle_type *type);

/* The table at the top has the names of the handles whose metatable is below it: with a function a
 * method, with anything else a field. Popped. */
void handle_names_set(lua_State *L);

/* Pushes the names of the handle at idx, or of those whose metatable is there; false: it is
 * neither, and nothing was pushed. */
bool handle_names_push(lua_State *L, int idx);

/* Raises: a rule has no "hist" (did you mean "hits"?). The names are the keys of a table at
 * `names`, the wrong one is at `name`. */
int handle_unknown(lua_State *L, const char *noun, int names, int name);
