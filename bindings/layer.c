/* SPDX-License-Identifier: MIT */
/* Lets Lua read and write the fields of a packet's layers where they lie. */
#include "bindings/layer.h"

#include <string.h>

#include "bindings/address.h"
#include "bindings/dns.h"
#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/packet.h"
#include "bindings/value.h"
#include "host/base/nearest.h"
#include "host/packet/inner.h"
#include "host/packet/option.h"
#include "host/packet/wire.h"

/* Names that were asked for lately. Lua has each short string once, and upvalue 1 keeps those of
 * fields where they are: the same place is the same name. */
enum { NAMES_KEPT = 64 };

struct kept_name {
	const char *name;
	const struct field *field;
	uint8_t way;  /* enum way: how it is read */
	bool is_word; /* how it is written: by field_put */
};

enum way {
	WAY_ASK,     /* by field_get */
	WAY_NUMBER,  /* an integer at a fixed place */
	WAY_ADDRESS, /* an IPv4 address there */
};

struct layer_view {
	struct packet_handle *handle; /* kept alive by a user value */
	enum layer_id layer;
	struct kept_name kept[NAMES_KEPT];
};

static const char *const used_late = "packet used after its verdict; keep one with pkt:copy()";

/* Upvalues of what reads and writes fields. */
enum { UP_NAMES = 1, UP_ADDRESSES = 2 };

static int unknown_field(lua_State *L, enum layer_id layer, const char *name)
{
	const char *words[64] = { NULL };
	unsigned count;
	const struct field *field = field_of_layer(layer, &count);

	for (unsigned i = 0; i < count && i < 63; i++)
		words[i] = field[i].name;
	const char *meant = nearest(name, words);

	return luaL_error(L,
		meant ? "%s has no field \"%s\" (did you mean \"%s\"?)" : "%s has no field \"%s\"",
		layer_name(layer), name, meant);
}

static enum way way_of(const struct field *field)
{
	if (!field_is_fixed(field))
		return WAY_ASK;
	if (field->kind == FIELD_UINT && field->scale <= 1)
		return WAY_NUMBER;
	return field->kind == FIELD_IP4 ? WAY_ADDRESS : WAY_ASK;
}

/* Upvalue 1 maps names to rows of the field table, and to methods. NULL: a method, left on the
 * stack. */
static const struct kept_name *name_look_up(
	lua_State *L, const struct layer_view *view, struct kept_name *kept, const char *name)
{
	lua_pushvalue(L, 2);
	int type = lua_rawget(L, lua_upvalueindex(UP_NAMES));

	if (type == LUA_TFUNCTION)
		return NULL;
	if (type != LUA_TLIGHTUSERDATA)
		unknown_field(L, view->layer, luaL_tolstring(L, 2, NULL));
	const struct field *field = lua_touserdata(L, -1);

	*kept = (struct kept_name){ name, field, (uint8_t)way_of(field), field_is_word(field) };
	return kept;
}

/* Only our own metatable calls these, and it is not to be had from Lua: the first argument needs no
 * check. NULL: a method, left on the stack. */
static inline const struct kept_name *name_at_key(lua_State *L, struct layer_view *view)
{
	const char *name = lua_tostring(L, 2);
	struct kept_name *kept = &view->kept[(uintptr_t)name / 16 % NAMES_KEPT];

	return kept->name == name && name ? kept : name_look_up(L, view, kept, name);
}

static struct packet *packet_of(lua_State *L, const struct layer_view *view)
{
	if (!view->handle->packet)
		luaL_error(L, used_late);
	return view->handle->packet;
}

static int llayer_index(lua_State *L)
{
	struct layer_view *view = lua_touserdata(L, 1);
	struct packet *p = packet_of(L, view);
	const struct layer *layer = packet_layer(p, view->layer);
	const struct kept_name *kept = name_at_key(L, view);

	if (!kept)
		return 1;
	if (!layer) {
		lua_pushnil(L);
		return 1;
	}
	const struct field *field = kept->field;
	const uint8_t *at = kept->way == WAY_ASK ? NULL : field_place(p, layer, field);

	if (!at)
		field_push(L, lua_upvalueindex(UP_ADDRESSES), p, layer, field);
	else if (kept->way == WAY_NUMBER)
		lua_pushinteger(L, field_load(at, field));
	else
		push_address(L, lua_upvalueindex(UP_ADDRESSES), FAMILY_4, at);
	return 1;
}

/* The value at 3 for field_put. false: it is none. */
static bool to_word(lua_State *L, const struct field *field, uint32_t *out)
{
	uint8_t bytes[4];

	if (field->kind == FIELD_UINT) {
		lua_Integer number = lua_isinteger(L, 3) ? lua_tointeger(L, 3) : -1;

		*out = (uint32_t)number;
		return number == *out;
	}
	if (!to_address(L, lua_upvalueindex(UP_ADDRESSES), 3, FAMILY_4, bytes))
		return false;
	*out = load_be32(bytes);
	return true;
}

static int llayer_newindex(lua_State *L)
{
	struct layer_view *view = lua_touserdata(L, 1);
	struct packet *p = packet_of(L, view);
	const struct layer *layer = packet_layer(p, view->layer);
	const struct kept_name *kept = name_at_key(L, view);

	if (!kept)
		unknown_field(L, view->layer, lua_tostring(L, 2));
	if (!layer)
		return luaL_error(L, "this packet has no %s", layer_name(view->layer));
	const struct field *field = kept->field;
	uint32_t word;

	if (!kept->is_word || !to_word(L, field, &word) || !field_put(p, layer, field, word))
		field_write(L, lua_upvalueindex(UP_ADDRESSES), 3, p, layer, field);
	return 0;
}

static int llayer_tostring(lua_State *L)
{
	const struct layer_view *view = lua_touserdata(L, 1);
	struct packet *p = packet_of(L, view);
	const struct layer *layer = packet_layer(p, view->layer);
	unsigned count;
	const struct field *field = field_of_layer(view->layer, &count);
	luaL_Buffer out;

	luaL_buffinit(L, &out);
	luaL_addstring(&out, layer_name(view->layer));
	for (; layer && count; field++, count--) {
		push_field(L, p, layer, field);
		if (lua_isnil(L, -1)) {
			lua_pop(L, 1);
			continue;
		}
		luaL_tolstring(L, -1, NULL);
		lua_remove(L, -2);
		lua_pushfstring(L, " %s=%s", field->name, lua_tostring(L, -1));
		lua_remove(L, -2);
		luaL_addvalue(&out);
	}
	luaL_pushresult(&out);
	return 1;
}

static const char metatables; /* its address is the registry key of a list by layer */

/* The view at idx, of any layer; NULL: it is none. */
static const struct layer_view *to_view(lua_State *L, int idx)
{
	const struct layer_view *view = lua_touserdata(L, idx);

	if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return NULL;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &metatables);
	bool is_view = false;

	for (enum layer_id id = LAYER_none + 1; id < LAYER_COUNT && !is_view; id++) {
		lua_rawgeti(L, -1, id);
		is_view = lua_rawequal(L, -1, -3);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	return is_view ? view : NULL;
}

static struct packet *check_view(
	lua_State *L, const struct layer_view *view, const struct layer **layer)
{
	struct packet *p = packet_of(L, view);

	*layer = packet_layer(p, view->layer);
	if (!*layer)
		luaL_error(L, "this packet has no %s", layer_name(view->layer));
	return p;
}

struct packet *check_layer_view(lua_State *L, int idx, enum layer_id id, const struct layer **layer)
{
	const struct layer_view *view = to_view(L, idx);

	if (!view || view->layer != id)
		luaL_typeerror(L, idx, lua_pushfstring(L, "pkt.%s", layer_name(id)));
	return check_view(L, view, layer);
}

void layer_view_packet_push(lua_State *L, int idx)
{
	lua_getiuservalue(L, idx, 1);
}

/* Appends the options of a walk to the list at the top. */
static void options_push(lua_State *L, struct option_walk *walk, const char *header)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
	struct option option;

	while (option_next(walk, &option)) {
		lua_createtable(L, 0, 4);
		lua_pushstring(L, option.name);
		lua_setfield(L, -2, "name");
		lua_pushinteger(L, option.number);
		lua_setfield(L, -2, "number");
		lua_pushlstring(L, (const char *)option.data, option.length);
		lua_setfield(L, -2, "bytes");
		lua_pushstring(L, header);
		lua_setfield(L, -2, "header");
		lua_rawseti(L, -2, ++count);
	}
}

/* pkt.tcp:options(): { { name=, number=, bytes= }, ... }; of ipv6 with header= */
static int llayer_options(lua_State *L)
{
	const struct layer_view *view = to_view(L, 1);
	const struct layer *layer;
	struct option_walk walk;
	uint8_t header;

	if (!view)
		return luaL_typeerror(L, 1, "layer of a packet");
	struct packet *p = check_view(L, view, &layer);

	lua_newtable(L);
	if (layer->id == LAYER_ipv6) {
		for (unsigned n = 0; option_walk_extension(&walk, p, layer, n, &header); n++)
			options_push(
				L, &walk, header == PROTO_HOPOPTS ? "hop-by-hop" : "destination");
	} else if (option_walk(&walk, p, layer)) {
		options_push(L, &walk, NULL);
	}
	return 1;
}

static const struct luaL_Reg option_methods[] = { { "options", llayer_options }, { NULL, NULL } };

static const struct luaL_Reg *methods_of(enum layer_id layer)
{
	static const struct luaL_Reg none[] = { { NULL, NULL } };

	switch (layer) {
	case LAYER_ip:
	case LAYER_ipv6:
	case LAYER_icmpv6:
	case LAYER_tcp:
	case LAYER_dhcp:
		return option_methods;
	case LAYER_dns:
		return dns_methods;
	default:
		return none;
	}
}

static void field_names_push(lua_State *L, enum layer_id layer)
{
	unsigned count;
	const struct field *field = field_of_layer(layer, &count);

	lua_createtable(L, 0, (int)count);
	for (; count; field++, count--) {
		lua_pushlightuserdata(L, (void *)field);
		lua_setfield(L, -2, field->name);
	}
	luaL_setfuncs(L, methods_of(layer), 0);
}

void layer_open(lua_State *L)
{
	static const struct luaL_Reg meta[] = { { "__index", llayer_index },
		{ "__newindex", llayer_newindex }, { NULL, NULL } };

	lua_createtable(L, LAYER_COUNT, 0);
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++) {
		field_names_push(L, layer);
		/* With room for all, what comes first lies where Lua looks first. */
		lua_createtable(L, 0, 8);
		lua_pushvalue(L, -2);
		addresses_push(L);
		luaL_setfuncs(L, meta, 2);
		lua_pushvalue(L, -2);
		handle_names_set(L);
		lua_pushcfunction(L, llayer_tostring);
		lua_setfield(L, -2, "__tostring");
		lua_pushliteral(L, "moontap.layer");
		lua_setfield(L, -2, "__metatable");
		lua_rawseti(L, -3, layer);
		lua_pop(L, 1);
	}
	lua_rawsetp(L, LUA_REGISTRYINDEX, &metatables);
}

void layer_view_push(lua_State *L, int idx, enum layer_id layer)
{
	if (lua_getiuservalue(L, idx, layer) == LUA_TUSERDATA)
		return;
	lua_pop(L, 1);
	idx = lua_absindex(L, idx);
	struct layer_view *view = lua_newuserdatauv(L, sizeof(*view), 1);

	view->handle = lua_touserdata(L, idx);
	view->layer = layer;
	memset(view->kept, 0, sizeof(view->kept));
	lua_pushvalue(L, idx);
	lua_setiuservalue(L, -2, 1);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &metatables);
	lua_rawgeti(L, -1, layer);
	lua_setmetatable(L, -3);
	lua_pop(L, 1);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, idx, layer);
}

enum layer_id layer_by_name(const char *name, size_t len)
{
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++) {
		if (strlen(layer_name(layer)) == len && !strncmp(layer_name(layer), name, len))
			return layer;
	}
	return LAYER_none;
}

void layer_names_push(lua_State *L, enum layer_id layer)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &metatables);
	lua_rawgeti(L, -1, layer);
	handle_names_push(L, -1);
	lua_replace(L, -3);
	lua_pop(L, 1);
}

const struct field *check_field_name(lua_State *L, int idx, enum layer_id *layer, unsigned *depth)
{
	static const char inner[] = "inner.";
	const char *name = luaL_checkstring(L, idx);

	for (*depth = 0; !strncmp(name, inner, sizeof(inner) - 1); name += sizeof(inner) - 1) {
		if (++*depth > INNER_DEPTH)
			luaL_error(L, "\"%s\": at most %d packets inside each other are followed",
				lua_tostring(L, idx), INNER_DEPTH);
	}
	const char *dot = strchr(name, '.');

	*layer = dot ? layer_by_name(name, (size_t)(dot - name)) : LAYER_none;

	if (*layer == LAYER_none)
		luaL_error(L, "\"%s\" is no field: write layer.field, like \"ip.ttl\"", name);
	const struct field *field = field_find(*layer, dot + 1);

	if (!field)
		unknown_field(L, *layer, dot + 1);
	return field;
}
