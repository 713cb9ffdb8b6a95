/* SPDX-License-Identifier: MIT */
/* Lends a packet to Lua for one call, and copies those that shall stay. */
#include "bindings/packet.h"

#include <stdio.h>
#include <string.h>

#include "bindings/build.h"
#include "bindings/edit.h"
#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/layer.h"
#include "bindings/port.h"
#include "bindings/state.h"
#include "bindings/value.h"
#include "host/packet/edit.h"
#include "host/packet/dissect.h"
#include "host/packet/inner.h"
#include "host/packet/inspect.h"
#include "host/packet/parse.h"
#include "host/packet/print.h"
#include "host/packet/reply.h"

static const char metatable; /* its address is the registry key, and marks it */

struct packet *check_packet(lua_State *L, int idx)
{
	struct packet_handle *handle = lua_touserdata(L, idx);

	if (!is_packet(L, idx))
		luaL_typeerror(L, idx, "packet");
	if (!handle->packet)
		luaL_error(L, "packet used after its verdict; keep one with pkt:copy()");
	return handle->packet;
}

void packet_metatable_push(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable);
}

void packet_names_push(lua_State *L)
{
	packet_metatable_push(L);
	handle_names_push(L, -1);
	lua_remove(L, -2);
}

bool is_packet(lua_State *L, int idx)
{
	if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return false;
	bool is_marked = lua_rawgetp(L, -1, &metatable) == LUA_TBOOLEAN;

	lua_pop(L, 2);
	return is_marked;
}

/* User values: the views of the layers by their numbers, then these. */
enum { VALUE_INNER = PACKET_COMMENT + 1, VALUE_OUTER, VALUES = VALUE_OUTER };

void packet_outer_push(lua_State *L, int idx)
{
	lua_getiuservalue(L, idx, VALUE_OUTER);
}

struct packet_handle *packet_handle_new(lua_State *L, size_t extra)
{
	struct packet_handle *handle = lua_newuserdatauv(L, sizeof(*handle) + extra, VALUES);

	*handle = (struct packet_handle){ 0 };
	packet_metatable_push(L);
	lua_setmetatable(L, -2);
	return handle;
}

void packet_push_own(lua_State *L, struct packet *p)
{
	struct packet_handle *handle = packet_handle_new(L, 0);

	handle->packet = p;
	handle->is_own = true;
}

struct packet_handle *packet_push_seen(
	lua_State *L, struct packet *p, const char *link, const char *dir)
{
	packet_push_own(L, p);
	struct packet_handle *handle = lua_touserdata(L, -1);

	snprintf(handle->link, sizeof(handle->link), "%s", link);
	handle->dir = dir;
	return handle;
}

static int lpacket_gc(lua_State *L)
{
	struct packet_handle *handle = lua_touserdata(L, 1);

	if (handle->is_own && handle->packet)
		packet_free(handle->packet);
	packet_handle_end(handle);
	return 0;
}

static int lpacket_len(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)packet_length(check_packet(L, 1)));
	return 1;
}

static int lpacket_tostring(lua_State *L)
{
	const struct packet_handle *handle = lua_touserdata(L, 1);
	char line[512];

	if (!handle->packet) {
		lua_pushliteral(L, "packet (its verdict is over)");
		return 1;
	}
	lua_pushlstring(L, line, print_line(handle->packet, line, sizeof(line)));
	return 1;
}

static int lpacket_hex(lua_State *L)
{
	const struct packet *p = check_packet(L, 1);
	luaL_Buffer out;
	size_t room = PRINT_HEX(packet_length(p));
	char *text = luaL_buffinitsize(L, &out, room);

	luaL_pushresultsize(&out, print_hex(p, text, room));
	return 1;
}

static int lpacket_tree(lua_State *L)
{
	struct packet *p = check_packet(L, 1);
	luaL_Buffer out;
	char *text = luaL_buffinitsize(L, &out, DISSECT_ROOM);

	luaL_pushresultsize(&out, dissect(p, text, DISSECT_ROOM));
	return 1;
}

static int lpacket_copy(lua_State *L)
{
	struct packet *copy = packet_copy(check_packet(L, 1));

	if (!copy)
		return luaL_error(L, "pkt:copy: out of memory");
	const struct packet_handle *from = lua_touserdata(L, 1);

	packet_push_seen(L, copy, from->link, from->dir)->cut = from->cut;
	lua_getiuservalue(L, 1, PACKET_COMMENT);
	lua_setiuservalue(L, -2, PACKET_COMMENT);
	return 1;
}

/* pkt:bytes(i, j): a string, positions as in string.sub. */
static int lpacket_bytes(lua_State *L)
{
	const struct packet *p = check_packet(L, 1);
	lua_Integer len = (lua_Integer)packet_length(p);
	lua_Integer i = luaL_optinteger(L, 2, 1), j = luaL_optinteger(L, 3, -1);

	i = i < 0 ? i + len + 1 : i;
	j = j < 0 ? j + len + 1 : j;
	i = i < 1 ? 1 : i;
	j = j > len ? len : j;
	if (i > j)
		lua_pushliteral(L, "");
	else
		lua_pushlstring(L, (const char *)p->data + i - 1, (size_t)(j - i + 1));
	return 1;
}

static int lpacket_layers(lua_State *L)
{
	const struct packet *p = check_packet(L, 1);

	lua_createtable(L, p->layer_count, 0);
	for (unsigned i = 0; i < p->layer_count; i++) {
		lua_pushstring(L, layer_name(p->layer[i].id));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* What pkt:get and pkt:set name: a field, of which packet (itself or one of the views inside it)
 * and where; layer NULL: it has none such. */
struct named {
	struct packet views[INNER_DEPTH];
	const struct field *field;
	struct packet *packet;
	const struct layer *layer;
	enum layer_id id;
	unsigned depth;
};

/* The packet is at 1, the name at 2. */
static void check_named(lua_State *L, struct named *out)
{
	out->field = check_field_name(L, 2, &out->id, &out->depth);
	out->packet = inner_at(check_packet(L, 1), out->views, out->depth);
	out->layer = out->packet ? packet_layer(out->packet, out->id) : NULL;
}

static int lpacket_get(lua_State *L)
{
	struct named named;

	check_named(L, &named);
	if (named.layer)
		push_field(L, named.packet, named.layer, named.field);
	else
		lua_pushnil(L);
	return 1;
}

static int lpacket_set(lua_State *L)
{
	struct named named;

	check_named(L, &named);
	luaL_checkany(L, 3);
	if (!named.layer)
		return luaL_error(L, "this packet has no %s%s", named.depth ? "inner " : "",
			layer_name(named.id));
	set_field(L, 3, named.packet, named.layer, named.field);
	lua_settop(L, 1);
	return 1;
}

/* pkt:turn(): the packet becomes its own answer, to be edited and sent with "rewrite". */
static int lpacket_turn(lua_State *L)
{
	struct packet *p = check_packet(L, 1);
	enum reply_check check = reply_check(p);

	if (p->outer)
		return luaL_error(L, "pkt.inner:turn: turn the packet around it, or a copy");
	if (check != REPLY_MAY)
		return luaL_error(L, "pkt:turn: this packet may not be answered: %s",
			reply_check_text(check));
	struct reply_self self = { .epoch_ns = state_of(L)->worker->clock.epoch_ns };

	if (p->port)
		self = p->port->lane->station.self;
	reply_turn(p, &self, 64);
	p->written |= WRITTEN_TURNED;
	packet_handle_end(((struct packet_handle *)lua_touserdata(L, 1))->inner);
	lua_settop(L, 1);
	return 1;
}

/* The properties that are no layers; payload lies behind the transport header. */
enum property {
	PROPERTY_PAYLOAD = 100,
	PROPERTY_PORT,
	PROPERTY_TIME,
	PROPERTY_MALFORMED,
	PROPERTY_LINK,
	PROPERTY_DIR,
	PROPERTY_CUT,
	PROPERTY_COMMENT,
	PROPERTY_INNER,
};

static void payload_push(lua_State *L, const struct packet *p)
{
	size_t at = edit_payload_at(p), end = p->datagram_end;

	lua_pushlstring(L, (const char *)p->data + at, end > at ? end - at : 0);
}

static void malformed_push(lua_State *L, const struct packet *p)
{
	size_t at;
	enum malformed_reason reason = inspect(p, &at);

	if (reason == MALFORMED_none)
		lua_pushnil(L);
	else
		lua_pushfstring(L, "%s at byte %d: %s", malformed_name(reason), (int)at,
			malformed_text(reason));
}

/* The one handle of the packet inside that at 1, with room for its view. */
static struct packet_handle *inner_handle(lua_State *L, struct packet_handle *outer)
{
	if (outer->inner) {
		lua_getiuservalue(L, 1, VALUE_INNER);
		return outer->inner;
	}
	struct packet_handle *handle = packet_handle_new(L, sizeof(struct packet));

	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, VALUE_OUTER);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, VALUE_INNER);
	outer->inner = handle;
	return handle;
}

/* The packet inside that at 1, or nil. Made anew each time: the outer packet may have changed. */
static void inner_push(lua_State *L, struct packet_handle *outer)
{
	struct packet_handle *handle = inner_handle(L, outer);
	struct packet *view = (struct packet *)(handle + 1);
	const uint8_t *was = handle->packet ? view->data : NULL;

	handle->packet = inner_view(view, outer->packet) ? view : NULL;
	handle->dir = outer->dir;
	memcpy(handle->link, outer->link, sizeof(handle->link));
	if (!handle->packet)
		lua_pushnil(L);
	if (!handle->packet || view->data != was)
		packet_handle_end(handle->inner);
}

static int property_push(lua_State *L, struct packet_handle *handle, enum property property)
{
	const struct packet *p = handle->packet;

	switch (property) {
	case PROPERTY_PAYLOAD:
		payload_push(L, p);
		break;
	case PROPERTY_PORT:
		if (p->port)
			port_push(L, p->port->lane);
		else
			lua_pushnil(L);
		break;
	case PROPERTY_TIME:
		lua_pushnumber(L, clock_seconds(&state_of(L)->worker->clock, p->time));
		break;
	case PROPERTY_MALFORMED:
		malformed_push(L, p);
		break;
	case PROPERTY_LINK:
		lua_pushstring(L, handle->link[0] ? handle->link : NULL);
		break;
	case PROPERTY_DIR:
		lua_pushstring(L, handle->dir);
		break;
	case PROPERTY_CUT:
		if (handle->cut)
			lua_pushinteger(L, handle->cut);
		else
			lua_pushnil(L);
		break;
	case PROPERTY_COMMENT:
		lua_getiuservalue(L, 1, PACKET_COMMENT);
		break;
	case PROPERTY_INNER:
		inner_push(L, handle);
	}
	return 1;
}

static int layer_push(lua_State *L, const struct packet_handle *handle, enum layer_id layer)
{
	if (packet_layer(handle->packet, layer))
		layer_view_push(L, 1, layer);
	else
		lua_pushnil(L);
	return 1;
}

int packet_index(lua_State *L)
{
	struct packet_handle *handle = lua_touserdata(L, 1);
	const char *name = lua_tostring(L, 2);
	struct kept_layer *kept = &handle->kept[(uintptr_t)name / 16 % LAYERS_KEPT];

	if (kept->name == name && name && handle->packet)
		return layer_push(L, handle, kept->layer);
	lua_pushvalue(L, 2);
	int type = lua_rawget(L, lua_upvalueindex(1));

	if (type == LUA_TFUNCTION)
		return 1;
	if (!handle->packet)
		return luaL_error(L, "packet used after its verdict; keep one with pkt:copy()");
	if (type != LUA_TNUMBER)
		return handle_unknown(L, "a packet", lua_upvalueindex(1), 2);
	int what = (int)lua_tointeger(L, -1);

	if (what >= PROPERTY_PAYLOAD)
		return property_push(L, handle, what);
	*kept = (struct kept_layer){ name, (uint8_t)what };
	return layer_push(L, handle, what);
}

static int lpacket_newindex(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TSTRING && !strcmp(lua_tostring(L, 2), "payload"))
		return ledit_payload(L);
	return luaL_error(L,
		"packet.%s cannot be written (pkt.payload can, and fields, like pkt.ip.ttl = 42)",
		luaL_tolstring(L, 2, NULL));
}

int lpacket_new(lua_State *L)
{
	size_t len;

	if (lua_istable(L, 1))
		return lbuild_new(L);
	const char *bytes = luaL_checklstring(L, 1, &len);
	enum layer_id first = check_first(L, 2);

	if (len > PACKET_BYTES_MAX)
		return luaL_error(L, "mt.packet: %d bytes are too many (at most %d)", (int)len,
			PACKET_BYTES_MAX);
	struct packet *p = packet_from_bytes((const uint8_t *)bytes, len, first);

	if (!p)
		return luaL_error(L, "mt.packet: out of memory");
	parse(p);
	packet_push_own(L, p);
	return 1;
}

static const struct luaL_Reg methods[] = { { "copy", lpacket_copy }, { "hex", lpacket_hex },
	{ "tree", lpacket_tree }, { "bytes", lpacket_bytes }, { "layers", lpacket_layers },
	{ "get", lpacket_get }, { "set", lpacket_set }, { "turn", lpacket_turn },
	{ "push", ledit_push }, { "pop", ledit_pop }, { NULL, NULL } };

static const struct luaL_Reg meta[] = { { "__gc", lpacket_gc }, { "__close", lpacket_gc },
	{ "__len", lpacket_len }, { "__tostring", lpacket_tostring },
	{ "__newindex", lpacket_newindex }, { NULL, NULL } };

static void names_push(lua_State *L)
{
	static const struct {
		const char *name;
		enum property property;
	} properties[] = { { "payload", PROPERTY_PAYLOAD }, { "port", PROPERTY_PORT },
		{ "time", PROPERTY_TIME }, { "malformed", PROPERTY_MALFORMED },
		{ "link", PROPERTY_LINK }, { "dir", PROPERTY_DIR }, { "cut", PROPERTY_CUT },
		{ "comment", PROPERTY_COMMENT }, { "inner", PROPERTY_INNER } };

	luaL_newlib(L, methods);
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++) {
		lua_pushinteger(L, layer);
		lua_setfield(L, -2, layer_name(layer));
	}
	for (unsigned i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		lua_pushinteger(L, properties[i].property);
		lua_setfield(L, -2, properties[i].name);
	}
}

void packet_open(lua_State *L)
{
	luaL_newlib(L, meta);
	names_push(L);
	lua_pushvalue(L, -1);
	lua_pushcclosure(L, packet_index, 1);
	lua_setfield(L, -3, "__index");
	handle_names_set(L);
	lua_pushliteral(L, "moontap.packet");
	lua_setfield(L, -2, "__metatable");
	lua_pushboolean(L, true);
	lua_rawsetp(L, -2, &metatable);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable);
}
