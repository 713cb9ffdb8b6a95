/* SPDX-License-Identifier: MIT */
/* Takes the lists of options that scripts give a header, in the shape in which options() reads. */
#include "bindings/pack.h"

#include <string.h>

#include "bindings/dns.h"
#include "bindings/glue.h"
#include "host/base/nearest.h"
#include "host/packet/option.h"
#include "host/packet/pack.h"

enum { NAMES_MAX = 64 };

bool pack_is_list(enum layer_id layer, const char *key)
{
	if (layer == LAYER_dns)
		return !strcmp(key, "questions") || !strcmp(key, "answers");
	return pack_has(layer) && !strcmp(key, "options");
}

/* The number of the option's name at the top. */
static uint8_t check_name(lua_State *L, const char *where, enum layer_id layer)
{
	const char *words[NAMES_MAX];
	const char *name = luaL_tolstring(L, -1, NULL);
	uint8_t number = 0;

	if (!option_number(layer, name, &number)) {
		option_names(layer, words, NAMES_MAX);
		const char *meant = nearest(name, words);

		luaL_error(L,
			meant ? "%s: there is no option \"%s\" (did you mean \"%s\"?)"
			      : "%s: there is no option \"%s\" (a number will do)",
			where, name, meant);
	}
	lua_pop(L, 1);
	return number;
}

/* Which option the table at the top is; *least: how many bytes it has at least. */
static uint8_t check_number(lua_State *L, const char *where, enum layer_id layer, size_t *least)
{
	uint8_t number = 0;

	*least = 0;
	if (lua_getfield(L, -1, "number") == LUA_TNIL) {
		if (lua_getfield(L, -2, "name") == LUA_TNIL)
			luaL_error(L, "%s needs a name or a number", where);
		number = check_name(L, where, layer);
		*least = option_least(layer, number);
		lua_pop(L, 2);
		return number;
	}
	int is_integer;
	lua_Integer told = lua_tointegerx(L, -1, &is_integer);

	if (!is_integer)
		luaL_error(
			L, "%s.number must be an integer, not a %s", where, luaL_typename(L, -1));
	if (told < pack_least_number(layer) || told > pack_most_number(layer))
		luaL_error(L, "%s.number = %I is out of range (%d to %d)", where, told,
			pack_least_number(layer), pack_most_number(layer));
	lua_pop(L, 1);
	return (uint8_t)told;
}

static enum pack_header check_header(lua_State *L, const char *where, enum layer_id layer)
{
	static const char *const headers[] = { "hop-by-hop", "destination", NULL };
	enum pack_header header = PACK_HOP_BY_HOP;

	if (lua_getfield(L, -1, "header") != LUA_TNIL) {
		if (layer != LAYER_ipv6)
			luaL_error(L, "%s: only IPv6 has a header for its options", where);
		header = (enum pack_header)check_word(L, -1, where, "header", headers);
	}
	lua_pop(L, 1);
	return header;
}

/* The option { name=, number=, bytes=, header= } at the top. */
static void option_take(lua_State *L, const char *where, struct pack *pack)
{
	static const char *const keys[] = { "name", "number", "bytes", "header", NULL };
	size_t least, len;

	check_keys(L, -1, where, keys);
	uint8_t number = check_number(L, where, pack->layer, &least);
	enum pack_header header = check_header(L, where, pack->layer);

	if (lua_getfield(L, -1, "bytes") != LUA_TSTRING && !lua_isnil(L, -1))
		luaL_error(L, "%s.bytes must be a string, not a %s", where, luaL_typename(L, -1));
	const char *bytes = lua_isnil(L, -1) ? "" : lua_tostring(L, -1);

	len = lua_isnil(L, -1) ? 0 : lua_rawlen(L, -1);
	if (len < least)
		luaL_error(L, "%s.bytes: %d bytes are too few (at least %d)", where, (int)len,
			(int)least);
	if (len > pack_most_data(pack->layer))
		luaL_error(L, "%s.bytes: %d bytes are too many (at most %d)", where, (int)len,
			(int)pack_most_data(pack->layer));
	if (pack_option(pack, header, number, (const uint8_t *)bytes, len) != PACK_OK)
		luaL_error(L, "%s: the options are too long (at most %d bytes)", where,
			(int)pack_most(pack->layer));
	lua_pop(L, 1);
}

/* The list in the field "options" of the table at idx, if it is there. */
static void options_take(lua_State *L, int idx, const char *what, struct pack *pack)
{
	const char *layer = layer_name(pack->layer);
	int type = lua_getfield(L, idx, "options");

	if (type != LUA_TNIL && type != LUA_TTABLE)
		luaL_error(L,
			"%s: %s.options takes a list like { { name = \"...\", bytes = \"...\" } }, "
			"not a %s",
			what, layer, luaL_typename(L, -1));
	pack->is_listed = type == LUA_TTABLE;
	lua_Integer count = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;

	for (lua_Integer i = 1; i <= count; i++) {
		const char *where = lua_pushfstring(L, "%s: %s.options[%I]", what, layer, i);

		if (lua_rawgeti(L, -2, i) != LUA_TTABLE)
			luaL_error(L, "%s must be a table, not a %s", where, luaL_typename(L, -1));
		option_take(L, where, pack);
		lua_pop(L, 2);
	}
	lua_pop(L, 1);
}

void pack_take(lua_State *L, int idx, const char *what, struct build_field *fields,
	struct build_layer *layer)
{
	if (layer->id == LAYER_dns) {
		dns_records_take(L, idx, what, layer);
		return;
	}
	if (!pack_has(layer->id)) {
		lua_pushnil(L);
		return;
	}
	struct pack *pack = lua_newuserdatauv(L, sizeof(*pack), 0);

	pack_init(pack, layer->id);
	options_take(L, idx, what, pack);
	if (pack_fields(pack, fields, &layer->count) != PACK_OK)
		luaL_error(L, "%s: the options of %s are too long (at most %d bytes)", what,
			layer_name(layer->id), (int)pack_most(layer->id));
	uint8_t *bytes = lua_newuserdatauv(L, PACK_MAX, 0);

	pack_end(pack, bytes, layer);
	lua_remove(L, -2);
}
