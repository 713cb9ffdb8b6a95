/* SPDX-License-Identifier: MIT */
/* Lets scripts give a packet another payload, and put tags on it and take them off. */
#include "bindings/edit.h"

#include <string.h>

#include "bindings/build.h"
#include "bindings/layer.h"
#include "bindings/lent.h"
#include "host/packet/checksum.h"
#include "host/packet/edit.h"
#include "host/packet/inner.h"
#include "host/port/port.h"

/* The handle's packet is about to get other layers: the views of what is in it, and what Lua knows
 * of a lent one, are of the old ones. */
static void layers_forget(lua_State *L, const struct packet_handle *handle)
{
	packet_handle_end(handle->inner);
	lent_shapeless(L, state_of(L));
}

/* The packet at 1, of its own bytes, whose layers are about to change. */
static struct packet *check_edges(lua_State *L, const char *what)
{
	struct packet *p = check_packet(L, 1);

	if (p->outer)
		luaL_error(
			L, "%s: pkt.inner has no room of its own; edit a pkt.inner:copy()", what);
	layers_forget(L, lua_touserdata(L, 1));
	return p;
}

/* Makes room for `front` bytes of headers more, or `back` bytes behind. */
static void grow_handle(
	lua_State *L, const char *what, struct packet_handle *handle, size_t front, size_t back)
{
	struct packet *p = handle->packet;
	struct packet *grown = packet_grow(p, PACKET_HEADROOM + front, packet_length(p) + back);

	if (!grown)
		luaL_error(L, "%s: no memory for so long a packet", what);
	handle->packet = grown;
}

static void grow(lua_State *L, const char *what, size_t front)
{
	grow_handle(L, what, lua_touserdata(L, 1), front, 0);
}

/* The longest that it may become. A copy of the script's own may go anywhere; a packet that the
 * kernel segments is longer than its MTU. */
static size_t longest(const struct packet_handle *handle)
{
	const struct packet *p = handle->packet;
	size_t link = 0;

	if (handle->is_own || !p->port || p->gso.type)
		return PACKET_BYTES_MAX;
	for (unsigned i = 0; i < p->layer_count && p->layer[i].id <= LAYER_vlan2; i++)
		link += p->layer[i].length;
	return p->port->mtu + link;
}

/* The handles from that of the packet at 1 outwards; how many. */
static unsigned handles_take(lua_State *L, struct packet_handle **handles)
{
	unsigned count = 0;

	for (lua_pushvalue(L, 1); lua_isuserdata(L, -1);
		packet_outer_push(L, -1), lua_remove(L, -2))
		handles[count++] = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return count;
}

/* Makes room in the outermost packet, and the views in it anew. */
static void grow_around(
	lua_State *L, const char *what, struct packet_handle **handles, unsigned count, size_t back)
{
	grow_handle(L, what, handles[count - 1], 0, back);
	for (unsigned i = count - 1; i-- > 0;)
		inner_view(handles[i]->packet, handles[i + 1]->packet);
}

int ledit_payload(lua_State *L)
{
	static const char *const what = "pkt.payload";
	struct packet *p = check_packet(L, 1);
	struct packet_handle *handles[INNER_DEPTH + 1];
	unsigned count = handles_take(L, handles);
	const struct packet_handle *outermost = handles[count - 1];
	size_t len, most = longest(outermost);

	if (lua_type(L, 3) != LUA_TSTRING)
		return luaL_error(L, "%s takes a string, not a %s", what, luaL_typename(L, 3));
	const char *bytes = lua_tolstring(L, 3, &len);
	size_t payload_most = edit_payload_most(p, most);

	if (count > 1 && outermost->packet->gso.type)
		return luaL_error(L, "%s: this packet is still to be cut into segments", what);
	if (len > payload_most && edit_payload_most(p, PACKET_BYTES_MAX) > payload_most)
		return luaL_error(L, "%s: %I bytes are too many (at most %I: the MTU of %s is %I)",
			what, (lua_Integer)len, (lua_Integer)payload_most, p->port->name,
			(lua_Integer)p->port->mtu);
	if (len > payload_most)
		return luaL_error(L, "%s: %I bytes are too many (at most %I)", what,
			(lua_Integer)len, (lua_Integer)payload_most);
	layers_forget(L, handles[0]);
	if (edit_payload(p, (const uint8_t *)bytes, len) == EDIT_OK)
		return 0;
	grow_around(L, what, handles, count, len);
	edit_payload(handles[0]->packet, (const uint8_t *)bytes, len);
	return 0;
}

static enum layer_id check_tag(lua_State *L, const char *what)
{
	const char *name = luaL_checkstring(L, 2);

	if (!strcmp(name, "vlan"))
		return LAYER_vlan;
	if (strcmp(name, "vlan2"))
		luaL_error(L,
			"%s: \"%s\" is no layer that can be put on or taken off (vlan is, and "
			"tunnels)",
			what, name);
	return LAYER_vlan2;
}

/* The fields of a tag, checked before the packet is touched: { "vlan", FIELD = VALUE... }. */
static const struct build_layer *check_tag_fields(lua_State *L, const char *what)
{
	bool has_fields = !lua_isnoneornil(L, 3);

	if (has_fields)
		luaL_checktype(L, 3, LUA_TTABLE);
	lua_createtable(L, 1, 0);
	lua_createtable(L, 1, 4);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, 1);
	for (lua_pushnil(L); has_fields && lua_next(L, 3);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	if (!has_fields)
		lua_pop(L, 1);
	lua_rawseti(L, -2, 1);
	return &check_layers(L, lua_gettop(L), 1, what)->layers[0];
}

/* pkt:push{ LAYER... }: a tunnel's headers, or Ethernet's, around the whole packet. */
static int push_layers(lua_State *L, const char *what, const struct layer_list *list)
{
	struct packet_handle *handle = lua_touserdata(L, 1);
	struct packet *p = handle->packet;
	size_t headers = build_length(list->layers, list->count);
	bool is_eth = list->count && list->layers[0].id == LAYER_eth;
	struct build_why why;

	if (!list->count || !p->layer_count)
		return luaL_error(L, "%s: needs a layer and a packet of a known kind", what);
	if (!handle->is_own && is_eth != (p->first == LAYER_eth))
		return luaL_error(L,
			"%s: its port carries %s packets; push onto a pkt:copy() to make it "
			"another",
			what, layer_name(p->first));
	if (p->gso.type || p->datagram_end + headers > longest(handle))
		return luaL_error(L, "%s: too long with %I bytes more", what, (lua_Integer)headers);
	if (p->csum.state == CSUM_PARTIAL)
		checksum_complete(p);
	packet_trim(p, p->datagram_end);
	if (headers > packet_headroom(p))
		grow(L, what, headers);
	enum build_status status = build(handle->packet, list->layers, list->count, &why);

	if (status != BUILD_OK)
		return build_refused(L, what, list, status, &why);
	lua_settop(L, 1);
	return 1;
}

int ledit_push(lua_State *L)
{
	static const char *const what = "pkt:push";
	struct packet *p = check_edges(L, what);

	if (lua_istable(L, 2))
		return push_layers(L, what, check_layers(L, 2, luaL_len(L, 2), what));
	if (check_tag(L, what) != LAYER_vlan)
		return luaL_error(L, "%s: the new tag is always \"vlan\", the outer one", what);
	const struct build_layer *tag = check_tag_fields(L, what);
	enum edit_status status = edit_push_vlan(p);

	if (status == EDIT_ABSENT)
		return luaL_error(L, "%s: this packet has no eth", what);
	if (status == EDIT_FULL)
		return luaL_error(L, "%s: this packet has two tags already", what);
	if (status == EDIT_ROOM) {
		grow(L, what, 4);
		p = ((const struct packet_handle *)lua_touserdata(L, 1))->packet;
		edit_push_vlan(p);
	}
	for (unsigned i = 0; i < tag->count; i++)
		field_set(p, packet_layer(p, LAYER_vlan), tag->fields[i].field,
			&tag->fields[i].value);
	lua_settop(L, 1);
	return 1;
}

/* The header at 2 that carries another packet; false: it is none of these. */
static bool to_tunnel(lua_State *L, enum layer_id *out)
{
	const char *name = luaL_checkstring(L, 2);

	for (*out = LAYER_none + 1; *out < LAYER_COUNT; ++*out) {
		if (layer_kinds[*out].inner && !strcmp(name, layer_name(*out)))
			return true;
	}
	return false;
}

int ledit_pop(lua_State *L)
{
	static const char *const what = "pkt:pop";
	struct packet *p = check_edges(L, what);
	const struct packet_handle *handle = lua_touserdata(L, 1);
	enum edit_status status;
	enum layer_id id;

	if (to_tunnel(L, &id)) {
		status = p->gso.type ? EDIT_ABSENT : edit_pop_tunnel(p, id, handle->is_own);
	} else {
		id = check_tag(L, what);
		status = edit_pop_vlan(p, id);
	}
	if (status == EDIT_FIRST)
		return luaL_error(L,
			"%s: what %s carries is no %s packet; pop it from a pkt:copy()", what,
			layer_name(id), layer_name(p->first));
	if (status != EDIT_OK)
		return luaL_error(L,
			id >= LAYER_ip ? "%s: no packet is in this one's %s"
				       : "%s: this packet has no %s",
			what, layer_name(id));
	lua_settop(L, 1);
	return 1;
}
