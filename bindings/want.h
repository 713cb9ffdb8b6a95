/* SPDX-License-Identifier: MIT */
/* mt.range, mt.mask and mt.field: what a field may be, or be copied from. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/policy/match.h"

/* mt.range, mt.mask: user values 1 and 2; mt.field: 1 is its name. */
struct want_handle {
	enum want_kind kind; /* WANT_SPAN, WANT_MASK or WANT_SAME */
	const struct field *field;
	struct layer_ref place;
};

void want_open(lua_State *L);

/* The handle at idx, or NULL if it is none. */
const struct want_handle *to_want_handle(lua_State *L, int idx);

/* The field of the mt.field at idx; NULL: it is none. */
const struct field *to_field(lua_State *L, int idx, struct layer_ref *place);

/* "inner.ip.src" at idx: the field, and of which layer of which packet. Raises if there is none. */
const struct field *check_layer_field(lua_State *L, int idx, struct layer_ref *place);

/* mt.range(a, b), mt.mask(value, mask), mt.field "ip.src" */
int lwant_range(lua_State *L);
int lwant_mask(lua_State *L);
int lwant_field(lua_State *L);
