/* SPDX-License-Identifier: MIT */
/* Lends packets to rule functions, and lets Lua find their layers by itself.
 *
 * A metamethod in C costs more than what it does. So the lent handle has, for the set of layers
 * of the packet, its shape, a metatable of its own, whose __index is a table of these layers'
 * views: Lua finds pkt.ip there without a call. What is not in it is asked of packet.c. Packets
 * that follow each other are mostly of one shape. */
#include "bindings/lent.h"

#include "bindings/handle.h"
#include "bindings/layer.h"

enum { SHAPES_MAX = 256 }; /* more are looked up as those of other handles are */

static const char lent, shapes; /* their addresses are registry keys */

struct packet_handle *lent_new(lua_State *L)
{
	struct packet_handle *handle = packet_handle_new(L, 0);

	lua_rawsetp(L, LUA_REGISTRYINDEX, &lent);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &shapes);
	return handle;
}

void lent_push(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &lent);
}

void lent_shapes_push(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &shapes);
}

/* What the table of a shape lacks. Upvalues: a packet's names, the handle. */
static int llent_index(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_replace(L, 1);
	return packet_index(L);
}

/* Sets in the table at `to` what that at `from` has and it lacks: of one type, or LUA_TNONE: all.
 */
static void table_fill(lua_State *L, int to, int from, int type)
{
	for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
		lua_pushvalue(L, -2);
		bool is_there = lua_rawget(L, to) != LUA_TNIL;

		lua_pop(L, 1);
		if (is_there || (type != LUA_TNONE && lua_type(L, -1) != type))
			continue;
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, to);
	}
}

enum { ARG_LAYERS = 1, ARG_HANDLE, ARG_METATABLE, ARG_NAMES };

/* The views of `layers` and the methods, as a table that asks packet_index for the rest. With room
 * for all, what comes first lies where Lua looks first. */
static void views_push(lua_State *L, uint32_t layers)
{
	lua_createtable(L, 0, 32);
	for (enum layer_id id = LAYER_none + 1; id < LAYER_COUNT; id++) {
		if (!(layers >> id & 1))
			continue;
		layer_view_push(L, ARG_HANDLE, id);
		lua_setfield(L, -2, layer_name(id));
	}
	table_fill(L, lua_gettop(L), ARG_NAMES, LUA_TFUNCTION);
	lua_createtable(L, 0, 1);
	lua_pushvalue(L, ARG_NAMES);
	lua_pushvalue(L, ARG_HANDLE);
	lua_pushcclosure(L, llent_index, 2);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* The metatable of a shape: that of packets, but for __index. */
static int llent_shape_new(lua_State *L)
{
	uint32_t layers = (uint32_t)lua_tointeger(L, ARG_LAYERS);

	lent_push(L);
	packet_metatable_push(L);
	packet_names_push(L);
	lua_createtable(L, 0, 16);
	views_push(L, layers);
	lua_setfield(L, -2, "__index");
	table_fill(L, lua_gettop(L), ARG_METATABLE, LUA_TNONE);
	lent_shapes_push(L);
	lua_insert(L, -2);
	lua_rawseti(L, -2, layers);
	return 0;
}

/* false: there is no memory for it, or there are too many. */
static bool shape_new(struct script *script, uint32_t layers)
{
	lua_State *L = script->L;

	if (script->shapes == SHAPES_MAX)
		return false;
	lua_pushcfunction(L, llent_shape_new);
	lua_pushinteger(L, layers);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		lua_pop(L, 1);
		return false;
	}
	script->shapes++;
	return true;
}

void lent_shape(struct script *script, uint32_t layers)
{
	lua_State *L = script->L;

	if (lua_rawgeti(L, SLOT_SHAPES, layers) == LUA_TTABLE) {
		lua_setmetatable(L, SLOT_HANDLE);
		script->shape = layers;
		return;
	}
	lua_pop(L, 1);
	if (shape_new(script, layers))
		lent_shape(script, layers);
	else
		lent_shapeless(L, script);
}

void lent_shapeless(lua_State *L, struct script *script)
{
	if (!script->shape)
		return;
	lent_push(L);
	packet_metatable_push(L);
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
	script->shape = 0;
}
