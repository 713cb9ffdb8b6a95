/* SPDX-License-Identifier: MIT */
/* Lets scripts add, delete and list neighbours. */
#include "bindings/neigh.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/list.h"
#include "bindings/network.h"
#include "host/netlink/neigh.h"

/* { dst=, lladdr=, dev=, netns= } at 1. Raises. */
static struct netlink *check_entry(
	lua_State *L, const char *what, struct link *link, struct neigh *neigh)
{
	static const char *const keys[] = { "dst", "lladdr", "dev", "netns", NULL };
	struct refusal why;

	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, what, keys);
	memset(neigh, 0, sizeof(*neigh));
	if (lua_getfield(L, 1, "dst") != LUA_TSTRING ||
		!addr_parse(&neigh->dst, lua_tostring(L, -1)))
		luaL_error(L, "%s: dst must be an address like \"10.1.1.2\"", what);
	neigh->has_lladdr = check_mac_field(L, 1, what, "lladdr", neigh->lladdr);
	struct netlink *netlink = netlink_of(L, check_netns(L, 1, what), &why);

	if (!netlink || check_link_field(L, 1, what, "dev", netlink, link, &why))
		raise_refusal(L, &why);
	return netlink;
}

/* mt.neigh.add{ dst=, lladdr=, dev=, netns= }: permanent */
static int lneigh_add(lua_State *L)
{
	struct refusal why;
	struct neigh neigh;
	struct link link;
	struct netlink *netlink = check_entry(L, "mt.neigh.add", &link, &neigh);

	if (!neigh.has_lladdr)
		return luaL_error(L, "mt.neigh.add: lladdr is missing");
	return neigh_add(netlink, &link, &neigh, &why) ? raise_refusal(L, &why) : 0;
}

/* mt.neigh.del{ dst=, dev=, netns= } */
static int lneigh_del(lua_State *L)
{
	struct refusal why;
	struct neigh neigh;
	struct link link;
	struct netlink *netlink = check_entry(L, "mt.neigh.del", &link, &neigh);

	return neigh_del(netlink, &link, &neigh.dst, &why) ? raise_refusal(L, &why) : 0;
}

static void push_entry(lua_State *L, const struct place *place, const void *record)
{
	const struct neigh *entry = record;
	char text[ADDR_TEXT];

	lua_createtable(L, 0, 5);
	lua_pushstring(L, addr_text(&entry->dst, text));
	lua_setfield(L, -2, "dst");
	if (entry->has_lladdr) {
		push_mac(L, entry->lladdr);
		lua_setfield(L, -2, "lladdr");
	}
	set_link_field(L, "dev", place, entry->ifindex);
	lua_pushstring(L, neigh_state_text(entry->state));
	lua_setfield(L, -2, "state");
	set_netns_field(L, place->netns);
}

/* mt.neigh.list([{ dev=, netns= }]) -> list | nil, why, errno */
static int lneigh_list(lua_State *L)
{
	static const char *const keys[] = { "dev", "netns", NULL };
	static const char *const columns[] = { "dst", "lladdr", "dev", "state", NULL };
	struct neigh *entries = NULL;
	struct refusal why;
	struct place place;
	unsigned count = 0;

	if (check_place(L, 1, "mt.neigh.list", keys, &place, &why))
		return push_refusal(L, &why);
	int error = neigh_list(place.netlink, place.ifindex, &entries, &count);

	list_push(L, &place, entries, sizeof(*entries), count, push_entry, columns);
	free(entries);
	place_close(&place);
	return error ? push_unlisted(L, "neigh", error) : 1;
}

static const struct luaL_Reg functions[] = { { "add", lneigh_add }, { "del", lneigh_del },
	{ "list", lneigh_list }, { NULL, NULL } };

void neigh_open_table(lua_State *L)
{
	luaL_newlib(L, functions);
}
