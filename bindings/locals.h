/* SPDX-License-Identifier: MIT */
/* The local variables of a script's main part, for consoles: a script's port is such a variable. */
#pragma once

#include "bindings/state.h"

/* Before the main part runs as coroutine co: what its variables are at its end will be known. */
void locals_watch(struct script *script, lua_State *co);

/* Pushes the variable of that name; false: there is none, nothing was pushed. */
bool locals_get(struct script *script, lua_State *L, const char *name);

/* Pushes a table with the names as keys. */
void locals_names_push(struct script *script, lua_State *L);

/* Pushes the table that a console's lines have for globals: these variables come first. */
void locals_globals_push(lua_State *L);
