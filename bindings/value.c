/* SPDX-License-Identifier: MIT */
/* Carries the values of fields between Lua and a packet, and says which do not fit. */
#include "bindings/value.h"

#include <string.h>

#include "bindings/address.h"
#include "bindings/glue.h"
#include "host/base/nearest.h"
#include "host/packet/names.h"

enum { WORDS_MAX = 64 };

void field_push(lua_State *L, int store, const struct packet *p, const struct layer *layer,
	const struct field *field)
{
	struct value value;

	if (field_get(p, layer, field, &value) != FIELD_OK) {
		lua_pushnil(L);
		return;
	}
	switch ((enum field_kind)value.kind) {
	case FIELD_UINT:
	case FIELD_FLAGS:
		lua_pushinteger(L, (lua_Integer)value.number);
		break;
	case FIELD_BOOL:
		lua_pushboolean(L, value.number != 0);
		break;
	case FIELD_MAC:
		push_mac(L, value.bytes);
		break;
	case FIELD_IP4:
		push_address(L, store, FAMILY_4, value.bytes);
		break;
	case FIELD_IP6:
		push_address(L, store, FAMILY_6, value.bytes);
		break;
	case FIELD_BYTES:
	case FIELD_TEXT:
	case FIELD_KINDS:
		lua_pushlstring(L, (const char *)value.bytes, value.length);
	}
}

void push_field(
	lua_State *L, const struct packet *p, const struct layer *layer, const struct field *field)
{
	addresses_push(L);
	field_push(L, lua_gettop(L), p, layer, field);
	lua_remove(L, -2);
}

/* What was written is no value of the field; of a word the nearest is named. */
static int wrong_kind(lua_State *L, int idx, const struct field *field)
{
	static const char *const wanted[] = { "an integer", "true or false",
		"an integer or names of bits", "a MAC address like \"02:00:00:00:00:01\"",
		"an IPv4 address like \"192.0.2.1\"", "an IPv6 address like \"2001:db8::1\"",
		"a string", "a string" };
	const char *words[WORDS_MAX];
	const char *meant = NULL;

	if (names_list(field, words, WORDS_MAX) && lua_type(L, idx) == LUA_TSTRING)
		meant = nearest(lua_tostring(L, idx), words);
	lua_pushfstring(
		L, "%s.%s takes %s", layer_name(field->layer), field->name, wanted[field->kind]);
	if (words[0])
		lua_pushfstring(L,
			field->kind == FIELD_FLAGS ? " like \"%s|%s\"" : " or a word like \"%s\"",
			words[0], words[1]);
	else
		lua_pushliteral(L, "");
	if (meant)
		return luaL_error(L, "%s%s, not \"%s\" (did you mean \"%s\"?)", lua_tostring(L, -2),
			lua_tostring(L, -1), lua_tostring(L, idx), meant);
	const char *what = lua_tostring(L, -2), *like = lua_tostring(L, -1);

	return luaL_error(L, "%s%s, not %s", what, like, luaL_tolstring(L, idx, NULL));
}

/* Integers, and the words that stand for them. */
static bool to_number(lua_State *L, int idx, const struct field *field, uint64_t *out)
{
	int is_integer = 0;

	if (lua_type(L, idx) == LUA_TSTRING)
		return names_number(field, lua_tostring(L, idx), out);
	if (lua_type(L, idx) == LUA_TNUMBER)
		*out = (uint64_t)lua_tointegerx(L, idx, &is_integer);
	return is_integer;
}

/* false: too long to be a value. */
static bool to_bytes(lua_State *L, int idx, struct value *out)
{
	size_t len;
	const char *bytes = lua_tolstring(L, idx, &len);

	if (len > VALUE_BYTES)
		return false;
	out->length = (uint16_t)len;
	memcpy(out->bytes, bytes, len);
	return true;
}

static void check_value(
	lua_State *L, int store, int idx, const struct field *field, struct value *out)
{
	const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
	bool is_fit = false;

	out->kind = field->kind;
	switch ((enum field_kind)field->kind) {
	case FIELD_UINT:
	case FIELD_FLAGS:
		is_fit = to_number(L, idx, field, &out->number);
		break;
	case FIELD_BOOL:
		is_fit = lua_isboolean(L, idx);
		out->number = (uint64_t)lua_toboolean(L, idx);
		break;
	case FIELD_MAC:
		is_fit = text && mac_parse(text, out->bytes);
		break;
	case FIELD_IP4:
		is_fit = to_address(L, store, idx, FAMILY_4, out->bytes);
		break;
	case FIELD_IP6:
		is_fit = to_address(L, store, idx, FAMILY_6, out->bytes);
		break;
	case FIELD_BYTES:
	case FIELD_TEXT:
	case FIELD_KINDS:
		is_fit = text && to_bytes(L, idx, out);
	}
	if (!is_fit)
		wrong_kind(L, idx, field);
}

/* What field_set says of a value, raised. */
static void field_refused(lua_State *L, int idx, const struct field *field,
	enum field_status status, lua_Integer number)
{
	const char *of = layer_name(field->layer);

	switch (status) {
	case FIELD_OK:
		return;
	case FIELD_ABSENT:
		luaL_error(L, "%s.%s: this packet has no such field", of, field->name);
		return;
	case FIELD_READ_ONLY:
		luaL_error(L, "%s.%s cannot be written", of, field->name);
		return;
	case FIELD_RANGE:
		if (!kind_is_number(field->kind))
			luaL_error(L, "%s.%s takes a string of %d bytes", of, field->name,
				(int)field->width);
		luaL_error(L, "%s.%s = %I is out of range (0 to %I%s)", of, field->name, number,
			(lua_Integer)field_max(field),
			field->scale > 1 ? ", in steps of its unit" : "");
		return;
	case FIELD_KIND:
		wrong_kind(L, idx, field);
	}
}

void field_write(lua_State *L, int store, int idx, struct packet *p, const struct layer *layer,
	const struct field *field)
{
	struct value value;

	value.number = 0; /* not all of it: this is a packet's way */
	check_value(L, store, idx, field, &value);
	field_refused(L, idx, field, field_set(p, layer, field, &value), (lua_Integer)value.number);
}

void set_field(lua_State *L, int idx, struct packet *p, const struct layer *layer,
	const struct field *field)
{
	idx = lua_absindex(L, idx);
	addresses_push(L);
	field_write(L, lua_gettop(L), idx, p, layer, field);
	lua_pop(L, 1);
}

/* A value to keep: all of it is set. */
static void value_take(lua_State *L, int idx, const struct field *field, struct value *out)
{
	memset(out, 0, sizeof(*out));
	idx = lua_absindex(L, idx);
	addresses_push(L);
	check_value(L, lua_gettop(L), idx, field, out);
	lua_pop(L, 1);
}

void check_field_value(lua_State *L, int idx, const struct field *field, struct value *out)
{
	value_take(L, idx, field, out);
	field_refused(L, idx, field, field_check(field, out), (lua_Integer)out->number);
}

void check_field_wanted(lua_State *L, int idx, const struct field *field, struct value *out)
{
	struct field writable = *field;

	writable.is_read_only = false;
	value_take(L, idx, field, out);
	if (kind_is_number(field->kind))
		field_refused(L, idx, field, field_check(&writable, out), (lua_Integer)out->number);
}
