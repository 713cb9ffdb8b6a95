/* SPDX-License-Identifier: MIT */
/* Makes the devices and ports that scripts ask for. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/link.h"
#include "bindings/network.h"
#include "bindings/port.h"
#include "bindings/state.h"
#include "host/engine/setup.h"

static void check_device_name(lua_State *L, const char *what, char *out)
{
	if (lua_getfield(L, 1, "name") != LUA_TSTRING)
		luaL_error(L, "%s: name must be a string like \"tun0\", not a %s", what,
			luaL_typename(L, -1));
	const char *name = lua_tostring(L, -1);
	const char *wrong = link_name_check(name);

	if (wrong)
		luaL_error(L, "%s: name = \"%s\": %s", what, name, wrong);
	strcpy(out, name);
	lua_pop(L, 1);
}

/* What mt.tun and mt.tap have in common: the table at 1 becomes a wish. */
static void check_wish(lua_State *L, const char *what, struct device_wish *wish)
{
	check_device_name(L, what, wish->name);
	wish->addrs = check_hosts(L, 1, what, "addr", &wish->addr_count);
	wish->routes = check_prefixes(L, 1, what, "routes", &wish->route_count);
	wish->mtu = (uint32_t)check_integer_field(
		L, 1, what, "mtu", 68, device_mtu_max(wish->first), 0);
	wish->is_up = check_bool_field(L, 1, what, "up", true);
	wish->with_dad = check_bool_field(L, 1, what, "dad", false);
	wish->is_forced = check_bool_field(L, 1, what, "force", false);
	wish->is_persistent = check_bool_field(L, 1, what, "persist", false);
	wish->owner = (int)check_integer_field(L, 1, what, "owner", 0, INT_MAX, -1);
	wish->group = (int)check_integer_field(L, 1, what, "group", 0, INT_MAX, -1);
	wish->netns = check_netns(L, 1, what);
}

/* io = "uring" or "uring,epoll": ways to move packets that such a port knows. */
static struct io_list check_io(lua_State *L, const char *what, enum io_kind kind)
{
	struct io_list io = { 0 };
	struct refusal why;

	if (lua_getfield(L, 1, "io") != LUA_TNIL &&
		io_list_parse(luaL_checkstring(L, -1), kind, &io, &why))
		luaL_error(L, "%s: io: %s", what, why.text);
	lua_pop(L, 1);
	return io;
}

/* What only ports on devices have. */
static void check_port_wish(lua_State *L, const char *what, struct device_wish *wish)
{
	wish->has_offload = check_bool_field(L, 1, what, "offload", false);
	wish->io = check_io(L, what, IO_DEVICE);
}

static int device_open(lua_State *L, struct device_wish *wish)
{
	struct refusal why = { 0 };
	struct lane *lane;

	if (setup_device(state_of(L)->worker, wish, &lane, &why))
		return push_refusal(L, &why);
	port_push(L, lane);
	return 1;
}

/* mt.tun{ name=, addr=, routes=, mtu=, up=, dad=, force= } -> port | nil, why, errno */
int lport_tun(lua_State *L)
{
	static const char *const keys[] = { "name", "addr", "routes", "mtu", "up", "dad", "force",
		"persist", "owner", "group", "netns", "io", "offload", NULL };
	struct device_wish wish = { .first = LAYER_ip };

	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, "mt.tun", keys);
	check_wish(L, "mt.tun", &wish);
	check_port_wish(L, "mt.tun", &wish);
	return device_open(L, &wish);
}

/* mt.tap{ as mt.tun, mac= of the kernel's end, port_mac= of ours } -> port | nil, why, errno */
int lport_tap(lua_State *L)
{
	static const char *const keys[] = { "name", "addr", "routes", "mtu", "up", "dad", "force",
		"mac", "port_mac", "persist", "owner", "group", "netns", "io", "offload", NULL };
	struct device_wish wish = { .first = LAYER_eth };
	uint8_t mac[6], port_mac[6];

	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, "mt.tap", keys);
	check_wish(L, "mt.tap", &wish);
	check_port_wish(L, "mt.tap", &wish);
	if (check_mac_field(L, 1, "mt.tap", "mac", mac))
		wish.mac = mac;
	if (check_mac_field(L, 1, "mt.tap", "port_mac", port_mac))
		wish.port_mac = port_mac;
	return device_open(L, &wish);
}

/* mt.pair("ip"|"eth" [, name, name]) -> port, port | nil, why, errno */
int lport_pair(lua_State *L)
{
	enum layer_id first = check_first(L, 1);
	const char *names[2] = { luaL_optstring(L, 2, "left"), luaL_optstring(L, 3, "right") };
	struct refusal why = { 0 };
	struct lane *lanes[2];

	if (setup_pair(state_of(L)->worker, first, names, lanes, &why))
		return push_refusal(L, &why);
	port_push(L, lanes[0]);
	port_push(L, lanes[1]);
	return 2;
}

/* mt.attach "veth1" or mt.attach{ name=, netns=, promisc=, io= } -> port | nil, why, errno */
int lport_attach(lua_State *L)
{
	static const char *const keys[] = { "name", "netns", "promisc", "io", NULL };
	static const char *const what = "mt.attach";
	struct attach_wish wish = { .netns = "" };
	struct refusal why;
	struct lane *lane;

	if (lua_type(L, 1) == LUA_TSTRING) {
		lua_createtable(L, 0, 1);
		lua_insert(L, 1);
		lua_setfield(L, 1, "name");
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, what, keys);
	check_device_name(L, what, wish.name);
	wish.netns = check_netns(L, 1, what);
	wish.is_promiscuous = check_bool_field(L, 1, what, "promisc", false);
	wish.io = check_io(L, what, IO_SOCKET);
	if (setup_attach(state_of(L)->worker, &wish, &lane, &why))
		return push_refusal(L, &why);
	port_push(L, lane);
	return 1;
}

/* One end of a pair: the table at idx comes to lie at 1 for the checks, then goes back. */
static void check_end(lua_State *L, int idx, struct device_wish *wish, uint8_t *mac)
{
	static const char *const keys[] = { "name", "addr", "routes", "mtu", "up", "dad", "force",
		"mac", "netns", NULL };

	luaL_checktype(L, idx, LUA_TTABLE);
	lua_pushvalue(L, idx);
	lua_insert(L, 1);
	check_keys(L, 1, "mt.veth", keys);
	*wish = (struct device_wish){ .first = LAYER_eth };
	check_wish(L, "mt.veth", wish);
	if (check_mac_field(L, 1, "mt.veth", "mac", mac))
		wish->mac = mac;
	lua_remove(L, 1);
}

static void push_end(lua_State *L, const struct link *link, const char *netns)
{
	struct netlink *netlink = netlink_of(L, netns, NULL);
	struct place place = { 0 };

	if (netlink)
		place_open(&place, netlink, netns, 0, NULL);
	push_link(L, &place, link);
	place_close(&place);
}

/* mt.veth({ name=, addr=, ... }, { ... }) -> link, link | nil, why, errno */
int lport_veth(lua_State *L)
{
	struct device_wish ends[2];
	struct refusal why = { 0 };
	struct link links[2];
	uint8_t macs[2][6];

	check_end(L, 1, &ends[0], macs[0]);
	check_end(L, 2, &ends[1], macs[1]);
	if (!strcmp(ends[0].name, ends[1].name) && !strcmp(ends[0].netns, ends[1].netns))
		return luaL_error(L, "mt.veth: both ends are called \"%s\"", ends[0].name);
	if (setup_veth(state_of(L)->worker, ends, links, &why))
		return push_refusal(L, &why);
	push_end(L, &links[0], ends[0].netns);
	push_end(L, &links[1], ends[1].netns);
	return 2;
}
