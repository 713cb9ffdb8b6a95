/* SPDX-License-Identifier: MIT */
/* Lets scripts add, delete and list the kernel's addresses. */
#include "bindings/addr.h"

#include <linux/if_addr.h>
#include <stdlib.h>

#include "bindings/glue.h"
#include "bindings/list.h"
#include "bindings/network.h"
#include "host/netlink/addr.h"
#include "host/netlink/route.h"

/* { addr=, dev=, netns=, dad= } at 1: one address and its link. Raises if it is refused. */
static struct netlink *check_entry(
	lua_State *L, const char *what, struct link *link, struct prefix *prefix)
{
	static const char *const keys[] = { "addr", "dev", "netns", "dad", NULL };
	struct refusal why;
	unsigned count;

	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, what, keys);
	const struct prefix *prefixes = check_hosts(L, 1, what, "addr", &count);

	if (count != 1)
		luaL_error(L, "%s: addr must be one address like \"10.1.1.1/24\"", what);
	*prefix = prefixes[0];
	struct netlink *netlink = netlink_of(L, check_netns(L, 1, what), &why);

	if (!netlink || check_link_field(L, 1, what, "dev", netlink, link, &why))
		raise_refusal(L, &why);
	return netlink;
}

/* mt.addr.add{ addr="10.1.1.1/24", dev="veth0", netns=, dad= } */
static int laddr_add(lua_State *L)
{
	struct prefix prefix;
	struct refusal why;
	struct link link;
	struct netlink *netlink = check_entry(L, "mt.addr.add", &link, &prefix);
	bool dad = check_bool_field(L, 1, "mt.addr.add", "dad", false);

	return addr_add(netlink, &link, &prefix, dad, &why) ? raise_refusal(L, &why) : 0;
}

/* mt.addr.del{ addr=, dev=, netns= } */
static int laddr_del(lua_State *L)
{
	struct prefix prefix;
	struct refusal why;
	struct link link;
	struct netlink *netlink = check_entry(L, "mt.addr.del", &link, &prefix);

	return addr_del(netlink, &link, &prefix, &why) ? raise_refusal(L, &why) : 0;
}

static void push_entry(lua_State *L, const struct place *place, const void *record)
{
	const struct addr_entry *entry = record;
	char text[PREFIX_TEXT], word[ROUTE_WORD];

	lua_createtable(L, 0, 6);
	lua_pushstring(L, prefix_text(&entry->addr, text));
	lua_setfield(L, -2, "addr");
	set_link_field(L, "dev", place, entry->ifindex);
	lua_pushstring(L, route_scope_text(entry->scope, word));
	lua_setfield(L, -2, "scope");
	lua_pushboolean(L, (entry->flags & IFA_F_TENTATIVE) != 0);
	lua_setfield(L, -2, "tentative");
	lua_pushboolean(L, (entry->flags & IFA_F_DADFAILED) != 0);
	lua_setfield(L, -2, "dadfailed");
	set_netns_field(L, place->netns);
}

/* mt.addr.list([{ dev=, netns= }]) -> list | nil, why, errno */
static int laddr_list(lua_State *L)
{
	static const char *const keys[] = { "dev", "netns", NULL };
	static const char *const columns[] = { "addr", "dev", "scope", NULL };
	struct addr_entry *entries = NULL;
	struct refusal why;
	struct place place;
	unsigned count = 0;

	if (check_place(L, 1, "mt.addr.list", keys, &place, &why))
		return push_refusal(L, &why);
	int error = addr_list(place.netlink, place.ifindex, &entries, &count);

	list_push(L, &place, entries, sizeof(*entries), count, push_entry, columns);
	free(entries);
	place_close(&place);
	return error ? push_unlisted(L, "addr", error) : 1;
}

static const struct luaL_Reg functions[] = { { "add", laddr_add }, { "del", laddr_del },
	{ "list", laddr_list }, { NULL, NULL } };

void addr_open_table(lua_State *L)
{
	luaL_newlib(L, functions);
}
