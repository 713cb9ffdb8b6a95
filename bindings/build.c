/* SPDX-License-Identifier: MIT */
/* Makes packets of the layers that a script lists. */
#include "bindings/build.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/layer.h"
#include "bindings/pack.h"
#include "bindings/packet.h"
#include "bindings/value.h"
#include "host/base/nearest.h"
#include "host/packet/pack.h"
#include "host/packet/stack.h"

static int field_compare(const void *left, const void *right)
{
	const struct build_field *a = left, *b = right;

	return a->field < b->field ? -1 : a->field > b->field;
}

/* The layer's name at idx; where one tag follows another it is the second. */
static enum layer_id check_layer_name(
	lua_State *L, int idx, const char *what, lua_Integer n, enum layer_id before)
{
	const char *words[LAYER_COUNT] = { NULL };

	if (lua_type(L, idx) != LUA_TSTRING)
		luaL_error(L, "%s: layer %d must start with its name, like {\"ip\"}, not with a %s",
			what, (int)n, luaL_typename(L, idx));
	const char *name = lua_tostring(L, idx);

	for (enum layer_id id = LAYER_none + 1; id < LAYER_COUNT; id++) {
		if (!strcmp(name, layer_name(id)))
			return id == LAYER_vlan && before == LAYER_vlan ? LAYER_vlan2 : id;
		words[id - 1] = layer_name(id);
	}
	const char *meant = nearest(name, words);

	luaL_error(L,
		meant ? "%s: there is no layer \"%s\" (did you mean \"%s\"?)"
		      : "%s: there is no layer \"%s\"",
		what, name, meant);
	return LAYER_none;
}

/* A field's name at the key, its value at the top. */
static void check_layer_field(
	lua_State *L, const char *what, lua_Integer n, enum layer_id id, struct build_field *out)
{
	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "%s: layer %d (%s) has a value without a field's name", what, (int)n,
			layer_name(id));
	lua_pushfstring(L, "%s.%s", layer_name(id), lua_tostring(L, -2));
	enum layer_id whose;
	unsigned depth;

	out->field = check_field_name(L, -1, &whose, &depth);
	lua_pop(L, 1);
	/* What is an option as a whole cannot be written once it is there, but can be put there. */
	if (out->field->call && out->field->option && pack_is_list(id, "options"))
		check_field_wanted(L, -1, out->field, &out->value);
	else
		check_field_value(L, -1, out->field, &out->value);
}

/* The fields among the keys of the table at `table`, which describes a layer, or its options, into
 * `out` if there is one; how many there are. */
static unsigned fields_take(lua_State *L, int table, const char *what, lua_Integer n,
	enum layer_id id, bool is_options, struct build_field *out)
{
	unsigned count = 0;

	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		bool is_element = lua_isinteger(L, -2) && (is_options || lua_tointeger(L, -2) == 1);
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

		if (is_element)
			continue;
		if (!is_options && pack_is_list(id, key)) {
			if (pack_has(id) && lua_istable(L, -1))
				count += fields_take(L, lua_gettop(L), what, n, id, true,
					out ? out + count : NULL);
			continue;
		}
		if (out)
			check_layer_field(L, what, n, id, &out[count]);
		count++;
	}
	return count;
}

/* The table { NAME, FIELD = VALUE... } at the top. What it says lies in a userdata that takes
 * its place. */
static void check_layer(lua_State *L, const char *what, lua_Integer n, enum layer_id before,
	struct build_layer *out)
{
	int table = lua_gettop(L);

	memset(out, 0, sizeof(*out));
	lua_rawgeti(L, table, 1);
	out->id = check_layer_name(L, -1, what, n, before);
	lua_pop(L, 1);
	out->count = fields_take(L, table, what, n, out->id, false, NULL);
	struct build_field *fields = lua_newuserdatauv(L, out->count * sizeof(*fields), 1);

	fields_take(L, table, what, n, out->id, false, fields);
	qsort(fields, out->count, sizeof(*fields), field_compare);
	out->fields = fields;
	pack_take(L, table, what, fields, out);
	lua_setiuservalue(L, -2, 1);
	lua_replace(L, table);
}

const struct layer_list *check_layers(lua_State *L, int idx, lua_Integer length, const char *what)
{
	enum layer_id before = LAYER_none;
	struct layer_list *list = lua_newuserdatauv(L, sizeof(*list), PACKET_LAYERS);

	if (length > PACKET_LAYERS)
		luaL_error(L, "%s: at most %d layers", what, PACKET_LAYERS);
	list->count = (unsigned)length;
	for (lua_Integer n = 1; n <= length; n++) {
		if (lua_rawgeti(L, idx, n) != LUA_TTABLE)
			luaL_error(L,
				lua_isstring(L, -1)
					? "%s: element %d is a %s: the payload comes last, a layer "
					  "is a table like {\"ip\"}"
					: "%s: element %d must be a layer like {\"ip\"}, not a %s",
				what, (int)n, luaL_typename(L, -1));
		check_layer(L, what, n, before, &list->layers[n - 1]);
		before = list->layers[n - 1].id;
		lua_setiuservalue(L, -2, (int)n);
	}
	return list;
}

/* Pushes "a, b or c": what may follow the layer. */
static const char *followers_push(lua_State *L, enum layer_id parent)
{
	lua_pushliteral(L, "");
	for (enum layer_id id = LAYER_none + 1; id < LAYER_COUNT; id++) {
		if (!stack_may_follow(parent, id))
			continue;
		const char *so_far = lua_tostring(L, -1);

		lua_pushfstring(L, "%s%s%s", so_far, *so_far ? ", " : "", layer_name(id));
		lua_remove(L, -2);
	}
	return lua_tostring(L, -1);
}

static int order_refused(lua_State *L, const char *what, const struct layer_list *list, unsigned i)
{
	enum layer_id parent = i ? list->layers[i - 1].id : LAYER_none;
	const char *child = i < list->count ? layer_name(list->layers[i].id) : "this";
	const char *may = followers_push(L, parent);

	if (!i)
		return luaL_error(L, "%s: %s cannot come first (%s can)", what, child, may);
	if (!*may)
		return luaL_error(L, "%s: %s cannot follow %s (only a payload can)", what, child,
			layer_name(parent));
	return luaL_error(
		L, "%s: %s cannot follow %s (%s can)", what, child, layer_name(parent), may);
}

int build_refused(lua_State *L, const char *what, const struct layer_list *list,
	enum build_status status, const struct build_why *why)
{
	const char *layer = why->field ? layer_name(list->layers[why->layer].id) : "";

	switch (status) {
	case BUILD_OK:
		break;
	case BUILD_ORDER:
		return order_refused(L, what, list, why->layer);
	case BUILD_ABSENT:
		return luaL_error(
			L, "%s: a header of this kind has no %s.%s", what, layer, why->field->name);
	case BUILD_LENGTH:
		return luaL_error(L, "%s: too long: %s.%s = %I is out of range (0 to %I)", what,
			layer, why->field->name, (lua_Integer)why->length,
			(lua_Integer)field_max(why->field));
	case BUILD_ROOM:
		return luaL_error(L, "%s: no room for the headers", what);
	}
	return 0;
}

int lbuild_new(lua_State *L)
{
	static const char *const what = "mt.packet";
	lua_Integer length = luaL_len(L, 1);
	size_t payload_len = 0;
	struct build_why why;

	lua_settop(L, 1);
	const char *payload = lua_rawgeti(L, 1, length) == LUA_TSTRING
				      ? lua_tolstring(L, -1, &payload_len)
				      : NULL;
	const struct layer_list *list = check_layers(L, 1, length - (payload != NULL), what);
	size_t headers = build_length(list->layers, list->count);

	if (!list->count)
		return luaL_error(L, "%s: needs at least one layer, like {\"ip\"}", what);
	if (headers + payload_len > PACKET_BYTES_MAX)
		return luaL_error(L, "%s: %I bytes are too many (at most %d)", what,
			(lua_Integer)headers + (lua_Integer)payload_len, PACKET_BYTES_MAX);
	struct packet *p = packet_new(headers, (const uint8_t *)payload, payload_len);

	if (!p)
		return luaL_error(L, "%s: out of memory", what);
	enum build_status status = build(p, list->layers, list->count, &why);

	if (status == BUILD_OK) {
		packet_push_own(L, p);
		return 1;
	}
	packet_free(p);
	return build_refused(L, what, list, status, &why);
}
