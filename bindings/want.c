/* SPDX-License-Identifier: MIT */
/* Keeps what a script says of a packet's field until it is known which. */
#include "bindings/want.h"

#include "bindings/handle.h"
#include "bindings/layer.h"

static const char type_want[] = "moontap.want";

static struct want_handle *want_new(lua_State *L, enum want_kind kind)
{
	struct want_handle *want = lua_newuserdatauv(L, sizeof(*want), 2);

	*want = (struct want_handle){ .kind = kind };
	luaL_setmetatable(L, type_want);
	return want;
}

static void want_take(lua_State *L)
{
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	lua_pushvalue(L, 2);
	lua_setiuservalue(L, -2, 2);
}

static void check_number_or_text(lua_State *L, int idx, const char *what)
{
	if (!lua_isinteger(L, idx) && lua_type(L, idx) != LUA_TSTRING)
		luaL_error(L, "%s takes two integers or two addresses, not %s", what,
			luaL_tolstring(L, idx, NULL));
}

int lwant_range(lua_State *L)
{
	check_number_or_text(L, 1, "mt.range");
	check_number_or_text(L, 2, "mt.range");
	if (lua_isinteger(L, 1) && lua_isinteger(L, 2) && lua_tointeger(L, 1) > lua_tointeger(L, 2))
		return luaL_error(L, "mt.range(%I, %I): the first must not be above the second",
			lua_tointeger(L, 1), lua_tointeger(L, 2));
	want_new(L, WANT_SPAN);
	want_take(L);
	return 1;
}

int lwant_mask(lua_State *L)
{
	check_number_or_text(L, 1, "mt.mask");
	check_number_or_text(L, 2, "mt.mask");
	want_new(L, WANT_MASK);
	want_take(L);
	return 1;
}

const struct field *check_layer_field(lua_State *L, int idx, struct layer_ref *place)
{
	enum layer_id layer;
	unsigned depth;
	const struct field *field = check_field_name(L, idx, &layer, &depth);

	*place = (struct layer_ref){ (uint8_t)layer, (uint8_t)depth };
	return field;
}

int lwant_field(lua_State *L)
{
	struct layer_ref place;
	const struct field *field = check_layer_field(L, 1, &place);
	struct want_handle *want = want_new(L, WANT_SAME);

	want->field = field;
	want->place = place;
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

const struct field *to_field(lua_State *L, int idx, struct layer_ref *place)
{
	const struct want_handle *want = luaL_testudata(L, idx, type_want);

	if (!want || want->kind != WANT_SAME)
		return NULL;
	*place = want->place;
	return want->field;
}

static int lwant_tostring(lua_State *L)
{
	const struct want_handle *want = luaL_checkudata(L, 1, type_want);

	lua_getiuservalue(L, 1, 1);
	if (want->kind == WANT_SAME) {
		lua_pushfstring(L, "mt.field \"%s\"", lua_tostring(L, -1));
		return 1;
	}
	const char *first = luaL_tolstring(L, -1, NULL);

	lua_getiuservalue(L, 1, 2);
	lua_pushfstring(L, "mt.%s(%s, %s)", want->kind == WANT_SPAN ? "range" : "mask", first,
		luaL_tolstring(L, -1, NULL));
	return 1;
}

const struct want_handle *to_want_handle(lua_State *L, int idx)
{
	return luaL_testudata(L, idx, type_want);
}

static const struct luaL_Reg meta[] = { { "__tostring", lwant_tostring }, { NULL, NULL } };

static const struct handle_type type = { .name = type_want, .noun = "a want", .meta = meta };

void want_open(lua_State *L)
{
	handle_open(L, &type);
}
