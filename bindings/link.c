/* SPDX-License-Identifier: MIT */
/* Lets scripts make, change, delete and list links, and hear of changes. */
#include "bindings/link.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/list.h"
#include "bindings/network.h"
#include "bindings/state.h"
#include "host/base/log.h"
#include "host/engine/follow.h"
#include "host/engine/setup.h"

static const char listeners; /* its address is the registry key of the list of functions */

void push_link(lua_State *L, const struct place *place, const void *record)
{
	const struct link *link = record;

	lua_createtable(L, 0, 10);
	lua_pushstring(L, link->name);
	lua_setfield(L, -2, "name");
	lua_pushinteger(L, link->ifindex);
	lua_setfield(L, -2, "ifindex");
	lua_pushstring(L, link->kind[0] ? link->kind : "device");
	lua_setfield(L, -2, "kind");
	lua_pushinteger(L, link->mtu);
	lua_setfield(L, -2, "mtu");
	lua_pushboolean(L, link->is_up);
	lua_setfield(L, -2, "up");
	lua_pushboolean(L, link->has_carrier);
	lua_setfield(L, -2, "carrier");
	if (link->has_mac) {
		push_mac(L, link->mac);
		lua_setfield(L, -2, "mac");
	}
	if (link->master)
		set_link_field(L, "master", place, link->master);
	if (link->peer && link->peer_netns < 0)
		set_link_field(L, "peer", place, link->peer);
	set_netns_field(L, place->netns);
}

/* The record of one link, by name. 1 result, or nil, why, errno. */
static int link_found(lua_State *L, const char *name, const char *netns)
{
	struct refusal why;
	struct netlink *netlink = netlink_of(L, netns, &why);
	struct place place;
	struct link link;

	if (!netlink || link_get(netlink, name, 0, &link, &why) ||
		place_open(&place, netlink, netns, 0, &why))
		return push_refusal(L, &why);
	push_link(L, &place, &link);
	place_close(&place);
	return 1;
}

static const char *const option_keys[] = { "netns", NULL };

/* mt.link.get(name [, { netns= }]) -> record | nil, why, errno */
static int llink_get(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);

	if (!lua_isnoneornil(L, 2))
		check_keys(L, 2, "mt.link.get", option_keys);
	return link_found(L, name, check_netns(L, 2, "mt.link.get"));
}

/* mt.link.list([{ netns= }]) -> list */
static int llink_list(lua_State *L)
{
	static const char *const columns[] = { "ifindex", "name", "kind", "up", "mtu", "mac",
		"master", "peer", NULL };
	struct refusal why;
	struct place place;

	if (check_place(L, 1, "mt.link.list", option_keys, &place, &why))
		return push_refusal(L, &why);
	list_push(
		L, &place, place.links, sizeof(*place.links), place.link_count, push_link, columns);
	place_close(&place);
	return 1;
}

static const char *check_link_name(lua_State *L, const char *what, const char *key)
{
	if (lua_getfield(L, 1, key) != LUA_TSTRING)
		luaL_error(L, "%s: %s must be a string like \"veth0\", not a %s", what, key,
			luaL_typename(L, -1));
	const char *name = lua_tostring(L, -1);
	const char *wrong = link_name_check(name);

	if (wrong)
		luaL_error(L, "%s: %s = \"%s\": %s", what, key, name, wrong);
	lua_pop(L, 1);
	return name;
}

/* mt.link.add{ name=, kind=, peer=, link=, id=, port=, mtu=, mac=, up=, netns= }
 * -> record | nil, why, errno */
static int llink_add(lua_State *L)
{
	static const char *const keys[] = { "name", "kind", "peer", "link", "id", "port", "mtu",
		"mac", "up", "netns", NULL };
	static const char *const kinds[] = { "veth", "bridge", "macvlan", "vxlan", "ifb", "dummy",
		NULL };
	static const char *const what = "mt.link.add";
	struct link_new spec = { 0 };
	struct link link, parent;
	struct refusal why;
	uint8_t mac[6];

	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, what, keys);
	spec.name = check_link_name(L, what, "name");
	lua_getfield(L, 1, "kind");
	spec.kind = kinds[check_word(L, -1, what, "kind", kinds)];
	if (!strcmp(spec.kind, "veth"))
		spec.peer = check_link_name(L, what, "peer");
	spec.mtu = (uint32_t)check_integer_field(L, 1, what, "mtu", 68, 65535, 0);
	spec.vni = (int32_t)check_integer_field(L, 1, what, "id", 0, 0xffffff, -1);
	spec.port = (uint16_t)check_integer_field(L, 1, what, "port", 1, 65535, 0);
	bool is_up = check_bool_field(L, 1, what, "up", true);
	const char *netns = check_netns(L, 1, what);

	if (check_mac_field(L, 1, what, "mac", mac))
		spec.mac = mac;
	struct netlink *netlink = netlink_of(L, netns, &why);
	bool has_parent = lua_getfield(L, 1, "link") != LUA_TNIL;

	if (!netlink ||
		(has_parent && check_link_field(L, 1, what, "link", netlink, &parent, &why)))
		return push_refusal(L, &why);
	spec.parent = has_parent ? parent.ifindex : 0;
	if (link_add(netlink, &spec, &why) || link_get(netlink, spec.name, 0, &link, &why))
		return push_refusal(L, &why);
	if (is_up && link_set(netlink, &link, &(struct link_change){ .up = 1 }, &why))
		return push_refusal(L, &why);
	return link_found(L, spec.name, netns);
}

/* mt.link.del(name [, { netns= }]) */
static int llink_del(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	struct refusal why;
	struct link link;

	if (!lua_isnoneornil(L, 2))
		check_keys(L, 2, "mt.link.del", option_keys);
	struct netlink *netlink = netlink_of(L, check_netns(L, 2, "mt.link.del"), &why);

	if (!netlink || link_get(netlink, name, 0, &link, &why) || link_del(netlink, &link, &why))
		return raise_refusal(L, &why);
	return 0;
}

/* What mt.link.set changes, from the table at 2; to: where it moves. */
static void check_change(lua_State *L, const char *what, struct link_change *change, uint8_t *mac,
	const char **master)
{
	static const char *const keys[] = { "up", "mtu", "mac", "name", "master", "netns", NULL };

	luaL_checktype(L, 2, LUA_TTABLE);
	check_keys(L, 2, what, keys);
	if (lua_getfield(L, 2, "up") != LUA_TNIL)
		change->up = check_bool_field(L, 2, what, "up", true) ? 1 : -1;
	change->mtu = (uint32_t)check_integer_field(L, 2, what, "mtu", 68, 65535, 0);
	if (check_mac_field(L, 2, what, "mac", mac))
		change->mac = mac;
	if (lua_getfield(L, 2, "name") != LUA_TNIL) {
		change->name = luaL_checkstring(L, -1);
		const char *wrong = link_name_check(change->name);

		if (wrong)
			luaL_error(L, "%s: name = \"%s\": %s", what, change->name, wrong);
	}
	if (lua_getfield(L, 2, "master") == LUA_TSTRING)
		*master = lua_tostring(L, -1);
	else if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
		change->master = -1;
	else if (!lua_isnil(L, -1))
		luaL_error(L, "%s: master is the name of a bridge, or false for none", what);
	if (lua_getfield(L, 2, "netns") != LUA_TNIL)
		change->netns = check_netns(L, 2, what);
}

/* mt.link.set(name, { up=, mtu=, mac=, name=, master=, netns= } [, { netns= }]): netns in the
 * second argument moves the link, in the third it says where the link is. */
static int llink_set(lua_State *L)
{
	static const char *const what = "mt.link.set";
	const char *name = luaL_checkstring(L, 1);
	struct link_change change = { 0 };
	const char *master = NULL;
	struct link link, bridge;
	struct refusal why;
	uint8_t mac[6];

	lua_settop(L, 3);
	if (!lua_isnil(L, 3))
		check_keys(L, 3, what, option_keys);
	const char *netns = check_netns(L, 3, what);

	check_change(L, what, &change, mac, &master);
	struct netlink *netlink = netlink_of(L, netns, &why);

	if (!netlink || link_get(netlink, name, 0, &link, &why))
		return raise_refusal(L, &why);
	if (change.netns && change.netns[0] && !netlink_of(L, change.netns, &why))
		return raise_refusal(L, &why);
	if (master && link_get(netlink, master, 0, &bridge, &why))
		return raise_refusal(L, &why);
	if (master)
		change.master = bridge.ifindex;
	if (link_set(netlink, &link, &change, &why))
		return raise_refusal(L, &why);
	return 0;
}

/* mt.link.on_change(fn [, { netns= }]): fn{ ifindex=, name=, gone=, netns= }, while packets flow.
 */
static int llink_on_change(lua_State *L)
{
	struct refusal why;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	if (follow_open(state_of(L)->worker, check_netns(L, 2, "mt.link.on_change"), &why))
		return raise_refusal(L, &why);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &listeners);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	return 0;
}

static void event_push(
	lua_State *L, struct script *script, const char *netns, int ifindex, bool gone)
{
	struct netlink *netlink = world_netlink(script->worker->world, netns, NULL);
	struct link link;

	lua_createtable(L, 0, 4);
	lua_pushinteger(L, ifindex);
	lua_setfield(L, -2, "ifindex");
	lua_pushboolean(L, gone);
	lua_setfield(L, -2, "gone");
	if (netlink && !gone && !link_get(netlink, NULL, ifindex, &link, NULL)) {
		lua_pushstring(L, link.name);
		lua_setfield(L, -2, "name");
	}
	set_netns_field(L, netns);
}

void link_event(struct script *script, const char *netns, int ifindex, bool is_gone)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &listeners);
	for (lua_Integer i = 1; lua_rawgeti(L, top + 1, i) == LUA_TFUNCTION; i++) {
		event_push(L, script, netns, ifindex, is_gone);
		if (lua_pcall(L, 1, 0, SLOT_TRACEBACK) != LUA_OK) {
			state_fault(script, luaL_tolstring(L, -1, NULL));
			log_line(LOG_LEVEL_ERROR, "on_change: %s", lua_tostring(L, -1));
		}
		lua_settop(L, top + 1);
	}
	lua_settop(L, top);
}

static const struct luaL_Reg functions[] = { { "add", llink_add }, { "set", llink_set },
	{ "del", llink_del }, { "get", llink_get }, { "list", llink_list },
	{ "on_change", llink_on_change }, { NULL, NULL } };

void link_open_table(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &listeners);
	luaL_newlib(L, functions);
}
