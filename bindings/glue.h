/* SPDX-License-Identifier: MIT */
/* Arguments from Lua, checked in one way and refused in one way. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/base/prefix.h"
#include "host/base/refusal.h"
#include "host/packet/packet.h"

/* Raises unless the table at idx has only keys from the NULL-terminated list: "mt.tun: unknown
 * key "adr" (did you mean "addr"?)". */
void check_keys(lua_State *L, int idx, const char *what, const char *const *keys);

/* A maker's refusal: pushes nil, the text, errno; returns 3. */
int push_refusal(lua_State *L, const struct refusal *why);

/* The prefix, or list of prefixes, in field `key` of the table at idx: a new array in a userdata
 * that is left on the stack (also for none). Raises on anything else. */
const struct prefix *check_prefixes(
	lua_State *L, int idx, const char *what, const char *key, unsigned *count);

/* The same, of addresses that a host can have, with their prefixes. */
const struct prefix *check_hosts(
	lua_State *L, int idx, const char *what, const char *key, unsigned *count);

/* An integer field within [min, max], or `otherwise` where it is absent. */
lua_Integer check_integer_field(lua_State *L, int idx, const char *what, const char *key,
	lua_Integer min, lua_Integer max, lua_Integer otherwise);

/* A boolean field; a number is refused: 0 would be true. */
bool check_bool_field(lua_State *L, int idx, const char *what, const char *key, bool otherwise);

/* A MAC address field, written to `mac`; false (untouched) where it is absent. */
bool check_mac_field(lua_State *L, int idx, const char *what, const char *key, uint8_t *mac);

/* The index of the word at idx in a NULL-terminated list; raises, with the nearest, otherwise. */
int check_word(lua_State *L, int idx, const char *what, const char *key, const char *const *words);

/* "aa:bb:cc:dd:ee:ff"; false: it is none. */
bool mac_parse(const char *text, uint8_t *mac);
void push_mac(lua_State *L, const uint8_t *mac);

/* "ip" or "eth"; raises otherwise. */
enum layer_id check_first(lua_State *L, int idx);

/* An exit status: nothing is 0, true 0, false 1; the kernel would cut other than 0 to 255. */
int check_status(lua_State *L, int idx);
