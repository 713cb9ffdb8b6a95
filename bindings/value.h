/* SPDX-License-Identifier: MIT */
/* The values of fields as Lua has them: numbers, booleans, strings of addresses. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/packet/field.h"

/* Pushes a field's value, or nil where the packet has none. */
void push_field(
	lua_State *L, const struct packet *p, const struct layer *layer, const struct field *field);

/* Writes the value at idx; raises with field and range, and the packet untouched. */
void set_field(lua_State *L, int idx, struct packet *p, const struct layer *layer,
	const struct field *field);

/* A value that may be written into the field; raises otherwise. */
void check_field_value(lua_State *L, int idx, const struct field *field, struct value *out);

/* A value that the field may have, though perhaps not be given; raises otherwise. */
void check_field_wanted(lua_State *L, int idx, const struct field *field, struct value *out);

/* push_field and set_field for who has the store of addresses (bindings/address.h) at `store`. */
void field_push(lua_State *L, int store, const struct packet *p, const struct layer *layer,
	const struct field *field);
void field_write(lua_State *L, int store, int idx, struct packet *p, const struct layer *layer,
	const struct field *field);
