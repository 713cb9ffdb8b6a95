/* SPDX-License-Identifier: MIT */
/* Finds the namespace and the link that a script means. */
#include "bindings/network.h"

#include "bindings/state.h"
#include "host/netlink/netns.h"

const char *check_netns(lua_State *L, int idx, const char *what)
{
	if (lua_isnoneornil(L, idx))
		return "";
	if (lua_getfield(L, idx, "netns") == LUA_TNIL) {
		lua_pop(L, 1);
		return "";
	}
	const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;

	if (!name)
		luaL_error(L, "%s: netns must be a name, not a %s", what, luaL_typename(L, -1));
	const char *wrong = name[0] ? netns_name_check(name) : NULL;

	if (wrong)
		luaL_error(L, "%s: netns = \"%s\": %s", what, name, wrong);
	lua_pop(L, 1); /* the table keeps the string */
	return name;
}

struct world *world_of(lua_State *L)
{
	return state_of(L)->worker->world;
}

struct netlink *netlink_of(lua_State *L, const char *netns, struct refusal *why)
{
	return world_netlink(world_of(L), netns, why);
}

int raise_refusal(lua_State *L, const struct refusal *why)
{
	return luaL_error(L, "%s", why->text);
}

int check_link_field(lua_State *L, int idx, const char *what, const char *key,
	struct netlink *netlink, struct link *out, struct refusal *why)
{
	if (lua_getfield(L, idx, key) != LUA_TSTRING)
		luaL_error(L, "%s: %s must be the name of a link, not a %s", what, key,
			luaL_typename(L, -1));
	int error = link_get(netlink, lua_tostring(L, -1), 0, out, why);

	lua_pop(L, 1);
	return error;
}

void push_link_name(lua_State *L, const struct link *links, unsigned count, int ifindex)
{
	for (unsigned i = 0; i < count; i++) {
		if (links[i].ifindex == ifindex) {
			lua_pushstring(L, links[i].name);
			return;
		}
	}
	lua_pushfstring(L, "if%d", ifindex);
}
