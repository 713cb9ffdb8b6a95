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

/* Pushes the store: an upvalue of who uses it for each packet. */
void addresses_push(lua_State *L);

/* Pushes the address as RFC 5952 (or dotted) text; the store is at `store`. */
void push_address(lua_State *L, int store, enum family family, const uint8_t *bytes);

/* The address in the string at idx, in wire order, family_bytes(family) of them; false: the string
 * is no address of that family, and bytes is untouched. */
bool to_address(lua_State *L, int store, int idx, enum family family, uint8_t *bytes);
