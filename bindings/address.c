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

static struct addresses *addresses_push(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
	return lua_touserdata(L, -1);
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

/* Keeps the string on top; the store is at idx. */
static void keep(lua_State *L, int idx, unsigned place, enum family family, const uint8_t *bytes)
{
	struct addresses *all = lua_touserdata(L, idx);
	struct known *known = &all->known[place];

	known->family = (uint8_t)family;
	memcpy(known->bytes, bytes, family_bytes(family));
	known->text = lua_tostring(L, -1);
	all->by_text[text_hash(known->text)] = (uint8_t)place;
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, idx, (int)place + 1);
}

void push_address(lua_State *L, enum family family, const uint8_t *bytes)
{
	struct addresses *all = addresses_push(L);
	unsigned place = place_of(family, bytes);
	const struct known *known = &all->known[place];

	if (known->family == family && !memcmp(known->bytes, bytes, family_bytes(family))) {
		lua_getiuservalue(L, -1, (int)place + 1);
	} else {
		struct addr addr = { .family = (uint8_t)family };
		char text[ADDR_TEXT];

		memcpy(addr.bytes, bytes, family_bytes(family));
		lua_pushstring(L, addr_text(&addr, text));
		keep(L, lua_absindex(L, -2), place, family, bytes);
	}
	lua_remove(L, -2);
}

bool to_address(lua_State *L, int idx, enum family family, uint8_t *bytes)
{
	const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
	struct addr addr;

	if (!text)
		return false;
	idx = lua_absindex(L, idx);
	struct addresses *all = addresses_push(L);
	const struct known *known = &all->known[all->by_text[text_hash(text)]];

	if (known->text == text && known->family == family) {
		memcpy(bytes, known->bytes, family_bytes(family));
		lua_pop(L, 1);
		return true;
	}
	bool is_fit = addr_parse(&addr, text) && addr.family == family;

	char canonical[ADDR_TEXT];

	if (is_fit)
		memcpy(bytes, addr.bytes, family_bytes(family));
	/* Another spelling must not come back when the address is read. */
	if (is_fit && !strcmp(text, addr_text(&addr, canonical))) {
		lua_pushvalue(L, idx);
		keep(L, lua_absindex(L, -2), place_of(family, bytes), family, bytes);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return is_fit;
}

void address_open(lua_State *L)
{
	struct addresses *all = lua_newuserdatauv(L, sizeof(*all), KEPT);

	memset(all, 0, sizeof(*all));
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}
