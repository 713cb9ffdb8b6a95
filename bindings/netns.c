/* SPDX-License-Identifier: MIT */
/* Lets scripts make, delete and list namespaces, and read and write sysctls in them. */
#include "bindings/netns.h"

#include "bindings/glue.h"
#include "bindings/network.h"
#include "host/engine/world.h"
#include "host/netlink/netns.h"

static const char *check_name(lua_State *L, const char *what)
{
	const char *name = luaL_checkstring(L, 1);
	const char *wrong = netns_name_check(name);

	if (wrong)
		luaL_error(L, "%s: \"%s\": %s", what, name, wrong);
	return name;
}

/* mt.netns.add(name): lo is up in it; undone at the end */
static int lnetns_add(lua_State *L)
{
	const char *name = check_name(L, "mt.netns.add");
	struct refusal why;

	return world_netns_add(world_of(L), name, &why) ? raise_refusal(L, &why) : 0;
}

/* mt.netns.del(name) */
static int lnetns_del(lua_State *L)
{
	const char *name = check_name(L, "mt.netns.del");
	struct refusal why;

	return world_netns_del(world_of(L), name, &why) ? raise_refusal(L, &why) : 0;
}

static void name_add(void *arg, const char *name)
{
	lua_State *L = arg;

	lua_pushstring(L, name);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* mt.netns.list() -> list of names */
static int lnetns_list(lua_State *L)
{
	lua_newtable(L);
	netns_list(name_add, L);
	return 1;
}

static const struct luaL_Reg netns_functions[] = { { "add", lnetns_add }, { "del", lnetns_del },
	{ "list", lnetns_list }, { NULL, NULL } };

void netns_open_table(lua_State *L)
{
	luaL_newlib(L, netns_functions);
}

static const char *const sysctl_keys[] = { "netns", NULL };

/* mt.sysctl.get(name [, { netns= }]) -> string | nil, why, errno */
static int lsysctl_get(lua_State *L)
{
	char path[SYSCTL_NAME], value[SYSCTL_VALUE];
	struct refusal why;

	if (!lua_isnoneornil(L, 2))
		check_keys(L, 2, "mt.sysctl.get", sysctl_keys);
	const char *netns = check_netns(L, 2, "mt.sysctl.get");

	if (sysctl_path(luaL_checkstring(L, 1), path, &why) ||
		world_sysctl(world_of(L), netns, path, NULL, value, &why))
		return push_refusal(L, &why);
	lua_pushstring(L, value);
	return 1;
}

/* mt.sysctl.set(name, value [, { netns= }]): undone at the end */
static int lsysctl_set(lua_State *L)
{
	char path[SYSCTL_NAME];
	struct refusal why;

	if (!lua_isnoneornil(L, 3))
		check_keys(L, 3, "mt.sysctl.set", sysctl_keys);
	const char *netns = check_netns(L, 3, "mt.sysctl.set");
	const char *value =
		lua_isboolean(L, 2) ? (lua_toboolean(L, 2) ? "1" : "0") : luaL_checkstring(L, 2);

	if (sysctl_path(luaL_checkstring(L, 1), path, &why) ||
		world_sysctl(world_of(L), netns, path, value, NULL, &why))
		return raise_refusal(L, &why);
	return 0;
}

static const struct luaL_Reg sysctl_functions[] = { { "get", lsysctl_get }, { "set", lsysctl_set },
	{ NULL, NULL } };

void sysctl_open_table(lua_State *L)
{
	luaL_newlib(L, sysctl_functions);
}
