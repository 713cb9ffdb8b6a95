/* SPDX-License-Identifier: MIT */
/* Turns Lua's values into the host's, and the host's refusals into Lua's. */
#include "bindings/glue.h"

#include <stdio.h>
#include <string.h>

#include "host/base/nearest.h"

static bool is_key(const char *key, const char *const *keys)
{
	for (; *keys; keys++) {
		if (!strcmp(*keys, key))
			return true;
	}
	return false;
}

/* Pushes "a, b, c". */
static const char *words_push(lua_State *L, const char *const *words)
{
	lua_pushliteral(L, "");
	for (const char *const *word = words; *word; word++) {
		lua_pushfstring(L, "%s%s", word == words ? "" : ", ", *word);
		lua_concat(L, 2);
	}
	return lua_tostring(L, -1);
}

void check_keys(lua_State *L, int idx, const char *what, const char *const *keys)
{
	idx = lua_absindex(L, idx);
	luaL_checktype(L, idx, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(
				L, "%s: takes names as keys, not a %s", what, luaL_typename(L, -2));
		const char *key = lua_tostring(L, -2);

		if (is_key(key, keys))
			continue;
		const char *meant = nearest(key, keys);

		if (meant)
			luaL_error(L, "%s: unknown key \"%s\" (did you mean \"%s\"?)", what, key,
				meant);
		luaL_error(
			L, "%s: unknown key \"%s\" (it knows %s)", what, key, words_push(L, keys));
	}
}

int push_refusal(lua_State *L, const struct refusal *why)
{
	lua_pushnil(L);
	lua_pushstring(L, why->text);
	lua_pushinteger(L, why->code);
	return 3;
}

static void check_prefix(
	lua_State *L, int idx, const char *what, const char *key, struct prefix *out)
{
	const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;

	if (!text)
		luaL_error(L,
			"%s: %s must be a prefix like \"192.168.1.134/24\" or a list of them, "
			"not a %s",
			what, key, luaL_typename(L, idx));
	if (!prefix_parse(out, text))
		luaL_error(L,
			"%s: %s: \"%s\" is no address or prefix (write \"192.168.1.134/24\" or "
			"\"2001:db8::1/64\")",
			what, key, text);
}

const struct prefix *check_prefixes(
	lua_State *L, int idx, const char *what, const char *key, unsigned *count)
{
	idx = lua_absindex(L, idx);
	bool is_list = lua_getfield(L, idx, key) == LUA_TTABLE;
	unsigned n = is_list ? (unsigned)lua_rawlen(L, -1) : !lua_isnil(L, -1);
	struct prefix *prefixes = lua_newuserdatauv(L, (n + 1) * sizeof(*prefixes), 0);

	for (unsigned i = 0; i < n; i++) {
		if (is_list)
			lua_rawgeti(L, -2, (lua_Integer)i + 1);
		else
			lua_pushvalue(L, -2);
		check_prefix(L, -1, what, key, &prefixes[i]);
		lua_pop(L, 1);
	}
	lua_remove(L, -2);
	*count = n;
	return prefixes;
}

const struct prefix *check_hosts(
	lua_State *L, int idx, const char *what, const char *key, unsigned *count)
{
	const struct prefix *prefixes = check_prefixes(L, idx, what, key, count);

	for (unsigned i = 0; i < *count; i++) {
		const char *wrong = prefix_host_check(&prefixes[i]);
		char text[PREFIX_TEXT];

		if (wrong)
			luaL_error(L, "%s: %s: \"%s\" is %s: no host can have it", what, key,
				prefix_text(&prefixes[i], text), wrong);
	}
	return prefixes;
}

lua_Integer check_integer_field(lua_State *L, int idx, const char *what, const char *key,
	lua_Integer min, lua_Integer max, lua_Integer otherwise)
{
	int is_integer;

	if (lua_getfield(L, idx, key) == LUA_TNIL) {
		lua_pop(L, 1);
		return otherwise;
	}
	lua_Integer value = lua_tointegerx(L, -1, &is_integer);

	if (!is_integer || lua_type(L, -1) != LUA_TNUMBER)
		luaL_error(L, "%s: %s must be an integer, not %s", what, key,
			luaL_tolstring(L, -1, NULL));
	if (value < min || value > max)
		luaL_error(L, "%s: %s = %I is out of range (%I to %I)", what, key, value, min, max);
	lua_pop(L, 1);
	return value;
}

bool check_bool_field(lua_State *L, int idx, const char *what, const char *key, bool otherwise)
{
	int type = lua_getfield(L, idx, key);
	bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);

	if (type != LUA_TNIL && type != LUA_TBOOLEAN)
		luaL_error(L, "%s: %s must be true or false, not %s", what, key,
			luaL_tolstring(L, -1, NULL));
	lua_pop(L, 1);
	return value;
}

bool mac_parse(const char *text, uint8_t *mac)
{
	unsigned byte[6];
	char rest;

	if (strlen(text) != 17 || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &byte[0], &byte[1],
					  &byte[2], &byte[3], &byte[4], &byte[5], &rest) != 6)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)byte[i];
	return true;
}

void push_mac(lua_State *L, const uint8_t *mac)
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	lua_pushlstring(L, text, 17);
}

enum layer_id check_first(lua_State *L, int idx)
{
	static const char *const kinds[] = { "ip", "eth", NULL };

	return luaL_checkoption(L, idx, "ip", kinds) ? LAYER_eth : LAYER_ip;
}

bool check_mac_field(lua_State *L, int idx, const char *what, const char *key, uint8_t *mac)
{
	if (lua_getfield(L, idx, key) == LUA_TNIL) {
		lua_pop(L, 1);
		return false;
	}
	if (lua_type(L, -1) != LUA_TSTRING || !mac_parse(lua_tostring(L, -1), mac))
		luaL_error(L, "%s: %s must be a MAC address like \"02:00:00:00:00:01\", not %s",
			what, key, luaL_tolstring(L, -1, NULL));
	if (mac[0] & 1)
		luaL_error(L, "%s: %s = \"%s\" is a group address (its first byte must be even)",
			what, key, lua_tostring(L, -1));
	lua_pop(L, 1);
	return true;
}

int check_word(lua_State *L, int idx, const char *what, const char *key, const char *const *words)
{
	const char *word = luaL_tolstring(L, idx, NULL);

	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], word)) {
			lua_pop(L, 1);
			return i;
		}
	}
	const char *meant = nearest(word, words);

	if (meant)
		return luaL_error(
			L, "%s: unknown %s \"%s\" (did you mean \"%s\"?)", what, key, word, meant);
	return luaL_error(
		L, "%s: unknown %s \"%s\" (it knows %s)", what, key, word, words_push(L, words));
}

int check_status(lua_State *L, int idx)
{
	if (lua_isboolean(L, idx))
		return lua_toboolean(L, idx) ? 0 : 1;
	lua_Integer code = luaL_optinteger(L, idx, 0);

	if (code < 0 || code > 255)
		luaL_error(L, "an exit status is 0 to 255, not %I", code);
	return (int)code;
}
