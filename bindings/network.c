/* SPDX-License-Identifier: MIT */
/* Finds the namespace and the link that a script means. */
#include "bindings/network.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
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

int push_unlisted(lua_State *L, const char *what, int error)
{
	struct refusal why;

	refuse(&why, -error, "%s: cannot list: %s", what, strerror(-error));
	return push_refusal(L, &why);
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

int check_place(lua_State *L, int idx, const char *what, const char *const *keys,
	struct place *place, struct refusal *why)
{
	bool has_options = !lua_isnoneornil(L, idx);
	struct link link = { 0 };

	if (has_options)
		check_keys(L, idx, what, keys);
	const char *netns = check_netns(L, idx, what);
	struct netlink *netlink = netlink_of(L, netns, why);
	int error = netlink ? 0 : -why->code;

	/* keys has been asked: where a function takes no dev, there is none. */
	if (!error && has_options && lua_getfield(L, idx, "dev") != LUA_TNIL)
		error = check_link_field(L, idx, what, "dev", netlink, &link, why);
	return error ? error : place_open(place, netlink, netns, link.ifindex, why);
}

int place_open(struct place *place, struct netlink *netlink, const char *netns, int ifindex,
	struct refusal *why)
{
	*place = (struct place){ .netlink = netlink, .ifindex = ifindex };
	strcpy(place->netns, netns);
	return link_list(netlink, &place->links, &place->link_count, why);
}

void place_close(struct place *place)
{
	free(place->links);
	place->links = NULL;
}

void set_link_field(lua_State *L, const char *key, const struct place *place, int ifindex)
{
	const char *name = NULL;

	for (unsigned i = 0; !name && i < place->link_count; i++) {
		if (place->links[i].ifindex == ifindex)
			name = place->links[i].name;
	}
	if (name)
		lua_pushstring(L, name);
	else
		lua_pushfstring(L, "if%d", ifindex);
	lua_setfield(L, -2, key);
}

void set_netns_field(lua_State *L, const char *netns)
{
	if (!netns[0])
		return;
	lua_pushstring(L, netns);
	lua_setfield(L, -2, "netns");
}
