/* SPDX-License-Identifier: MIT */
/* Addresses as strings. Those that were met lately are kept: they are neither printed, nor made
 * strings, nor read again. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "host/base/prefix.h"

/* Makes the state's store of strings. */
void address_open(lua_State *L);

/* Pushes the store, and says where it keeps them: both are for who uses it for each packet. */
struct addresses *addresses_push(lua_State *L);

/* The store, and the index or upvalue where it is. */
struct addresses_at {
	struct addresses *all;
	int idx;
};

/* Pushes the address as RFC 5952 (or dotted) text. */
void push_address(
	lua_State *L, struct addresses_at store, enum family family, const uint8_t *bytes);

/* The address in the string at idx, in wire order, family_bytes(family) of them; false: the string
 * is no address of that family, and bytes is untouched. */
bool to_address(
	lua_State *L, struct addresses_at store, int idx, enum family family, uint8_t *bytes);
