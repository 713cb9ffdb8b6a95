/* SPDX-License-Identifier: MIT */
/* Remembers the strings of addresses by their bytes, and the bytes by where the string lies. */
#include "bindings/address.h"

#include <string.h>

enum { KEPT = 128 };

struct known {
	uint8_t family; /* 0: nothing is kept here */
	uint8_t bytes[16];
	const char *text; /* of the string in user value 1 + its place: Lua does not move it */
};

struct addresses {
	struct known known[KEPT];
	uint8_t by_text[KEPT]; /* hash of where a string lies -> place */
};

static const char key; /* its address is the registry key */

void addresses_push(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
}

/* FNV-1a over the address's words. */
static unsigned place_of(enum family family, const uint8_t *bytes)
{
	uint32_t hash = 0x811c9dc5, word;

	for (unsigned i = 0; i < family_bytes(family); i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = (hash ^ word) * 0x01000193;
	}
	return (hash ^ hash >> 15 ^ hash >> 24) % KEPT;
}

static unsigned text_hash(const char *text)
{
	return (unsigned)((uintptr_t)text >> 4 ^ (uintptr_t)text >> 12) % KEPT;
}

/* Keeps the string on top. */
static void keep(lua_State *L, int store, unsigned place, enum family family, const uint8_t *bytes)
{
	struct addresses *all = lua_touserdata(L, store);
	struct known *known = &all->known[place];

	known->family = (uint8_t)family;
	memcpy(known->bytes, bytes, family_bytes(family));
	known->text = lua_tostring(L, -1);
	all->by_text[text_hash(known->text)] = (uint8_t)place;
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, store, (int)place + 1);
}

static bool is_known(const struct known *known, enum family family, const uint8_t *bytes)
{
	if (known->family != family)
		return false;
	return family == FAMILY_4 ? !memcmp(known->bytes, bytes, 4)
				  : !memcmp(known->bytes, bytes, 16);
}

void push_address(lua_State *L, int store, enum family family, const uint8_t *bytes)
{
	const struct addresses *all = lua_touserdata(L, store);
	unsigned place = place_of(family, bytes);
	struct addr addr = { .family = (uint8_t)family };
	char text[ADDR_TEXT];

	if (is_known(&all->known[place], family, bytes)) {
		lua_getiuservalue(L, store, (int)place + 1);
		return;
	}
	memcpy(addr.bytes, bytes, family_bytes(family));
	lua_pushstring(L, addr_text(&addr, text));
	keep(L, store, place, family, bytes);
}

static bool address_read(lua_State *L, int store, int idx, enum family family, uint8_t *bytes)
{
	const char *text = lua_tostring(L, idx);
	char canonical[ADDR_TEXT];
	struct addr addr;

	if (!addr_parse(&addr, text) || addr.family != family)
		return false;
	memcpy(bytes, addr.bytes, family_bytes(family));
	/* Another spelling must not come back when the address is read. */
	if (!strcmp(text, addr_text(&addr, canonical))) {
		lua_pushvalue(L, idx);
		keep(L, store, place_of(family, bytes), family, bytes);
		lua_pop(L, 1);
	}
	return true;
}

bool to_address(lua_State *L, int store, int idx, enum family family, uint8_t *bytes)
{
	if (lua_type(L, idx) != LUA_TSTRING)
		return false;
	const char *text = lua_tostring(L, idx);
	const struct addresses *all = lua_touserdata(L, store);
	const struct known *known = &all->known[all->by_text[text_hash(text)]];

	if (known->text != text || known->family != family)
		return address_read(L, store, idx, family, bytes);
	memcpy(bytes, known->bytes, family_bytes(family));
	return true;
}

void address_open(lua_State *L)
{
	struct addresses *all = lua_newuserdatauv(L, sizeof(*all), KEPT);

	memset(all, 0, sizeof(*all));
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}
