/* SPDX-License-Identifier: MIT */
/* Lets Lua read and write the fields of a packet's layers where they lie. */
#include "bindings/layer.h"

#include <string.h>

#include "bindings/address.h"
#include "bindings/dns.h"
#include "bindings/glue.h"
#include "bindings/packet.h"
#include "host/base/nearest.h"
#include "host/packet/inner.h"
#include "host/packet/names.h"
#include "host/packet/option.h"

/* Names that were asked for lately. Lua has each short string once, and upvalue 1 keeps those of
 * fields where they are: the same place is the same name. */
enum { NAMES_KEPT = 16 };

struct kept_name {
	const char *name;
	const struct field *field;
};

struct layer_view {
	struct packet_handle *handle; /* kept alive by a user value */
	enum layer_id layer;
	struct kept_name kept[NAMES_KEPT];
};

enum { WORDS_MAX = 64 };

static const char *const used_late = "packet used after its verdict; keep one with pkt:copy()";

/* Upvalues of what reads and writes fields. */
enum { UP_NAMES = 1, UP_ADDRESSES = 2 };

/* The store of addresses is at `store`. */
static void field_push(lua_State *L, int store, const struct packet *p, const struct layer *layer,
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

static void field_write(lua_State *L, int store, int idx, struct packet *p,
	const struct layer *layer, const struct field *field)
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

/* Upvalue 1 maps names to rows of the field table, and to methods. Only our own metatable calls
 * these, and it is not to be had from Lua: the first argument needs no check. NULL: a method, left
 * on the stack. */
static const struct field *field_at_key(lua_State *L, struct layer_view *view)
{
	const char *name = lua_tostring(L, 2);
	struct kept_name *kept = &view->kept[(uintptr_t)name / 16 % NAMES_KEPT];

	if (kept->name == name && name)
		return kept->field;
	lua_pushvalue(L, 2);
	int type = lua_rawget(L, lua_upvalueindex(UP_NAMES));

	if (type == LUA_TFUNCTION)
		return NULL;
	if (type != LUA_TLIGHTUSERDATA)
		unknown_field(L, view->layer, luaL_tolstring(L, 2, NULL));
	*kept = (struct kept_name){ name, lua_touserdata(L, -1) };
	return kept->field;
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
	const struct field *field = field_at_key(L, view);
	uint64_t number;

	if (!field)
		return 1;
	if (layer && field_number(p, layer, field, &number))
		lua_pushinteger(L, (lua_Integer)number);
	else if (layer)
		field_push(L, lua_upvalueindex(UP_ADDRESSES), p, layer, field);
	else
		lua_pushnil(L);
	return 1;
}

static int llayer_newindex(lua_State *L)
{
	struct layer_view *view = lua_touserdata(L, 1);
	struct packet *p = packet_of(L, view);
	const struct layer *layer = packet_layer(p, view->layer);
	const struct field *field = field_at_key(L, view);

	if (!field)
		unknown_field(L, view->layer, lua_tostring(L, 2));
	if (!layer)
		return luaL_error(L, "this packet has no %s", layer_name(view->layer));
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

/* pkt.tcp:options(): { { name=, number=, bytes= }, ... } */
static int llayer_options(lua_State *L)
{
	const struct layer_view *view = to_view(L, 1);
	const struct layer *layer;
	struct option_walk walk;
	struct option option;

	if (!view)
		return luaL_typeerror(L, 1, "layer of a packet");
	struct packet *p = check_view(L, view, &layer);
	bool has_options = option_walk(&walk, p, layer);

	lua_newtable(L);
	for (lua_Integer i = 1; has_options && option_next(&walk, &option); i++) {
		lua_createtable(L, 0, 3);
		lua_pushstring(L, option.name);
		lua_setfield(L, -2, "name");
		lua_pushinteger(L, option.number);
		lua_setfield(L, -2, "number");
		lua_pushlstring(L, (const char *)option.data, option.length);
		lua_setfield(L, -2, "bytes");
		lua_rawseti(L, -2, i);
	}
	return 1;
}

static const struct luaL_Reg option_methods[] = { { "options", llayer_options }, { NULL, NULL } };

static const struct luaL_Reg *methods_of(enum layer_id layer)
{
	static const struct luaL_Reg none[] = { { NULL, NULL } };

	switch (layer) {
	case LAYER_ip:
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
		lua_createtable(L, 0, 4);
		field_names_push(L, layer);
		addresses_push(L);
		luaL_setfuncs(L, meta, 2);
		lua_pushcfunction(L, llayer_tostring);
		lua_setfield(L, -2, "__tostring");
		lua_pushliteral(L, "moontap.layer");
		lua_setfield(L, -2, "__metatable");
		lua_rawseti(L, -2, layer);
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

static enum layer_id layer_by_name(const char *name, size_t len)
{
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++) {
		if (strlen(layer_name(layer)) == len && !strncmp(layer_name(layer), name, len))
			return layer;
	}
	return LAYER_none;
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
