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
	const struct prefix *prefixes = check_prefixes(L, 1, what, "addr", &count);

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

static void push_entry(lua_State *L, const struct addr_entry *entry, const struct link *links,
	unsigned count, const char *netns)
{
	char text[PREFIX_TEXT], word[ROUTE_WORD];

	lua_createtable(L, 0, 6);
	lua_pushstring(L, prefix_text(&entry->addr, text));
	lua_setfield(L, -2, "addr");
	push_link_name(L, links, count, entry->ifindex);
	lua_setfield(L, -2, "dev");
	lua_pushstring(L, route_scope_text(entry->scope, word));
	lua_setfield(L, -2, "scope");
	lua_pushboolean(L, (entry->flags & IFA_F_TENTATIVE) != 0);
	lua_setfield(L, -2, "tentative");
	lua_pushboolean(L, (entry->flags & IFA_F_DADFAILED) != 0);
	lua_setfield(L, -2, "dadfailed");
	if (netns[0]) {
		lua_pushstring(L, netns);
		lua_setfield(L, -2, "netns");
	}
}

/* mt.addr.list([{ dev=, netns= }]) -> list | nil, why, errno */
static int laddr_list(lua_State *L)
{
	static const char *const keys[] = { "dev", "netns", NULL };
	static const char *const columns[] = { "addr", "dev", "scope", NULL };
	struct addr_entry *entries;
	struct link *links, link = { 0 };
	struct refusal why;
	unsigned count, link_count;

	if (!lua_isnoneornil(L, 1))
		check_keys(L, 1, "mt.addr.list", keys);
	const char *netns = check_netns(L, 1, "mt.addr.list");
	struct netlink *netlink = netlink_of(L, netns, &why);
	bool has_dev = !lua_isnoneornil(L, 1) && lua_getfield(L, 1, "dev") != LUA_TNIL;

	if (!netlink ||
		(has_dev && check_link_field(L, 1, "mt.addr.list", "dev", netlink, &link, &why)) ||
		link_list(netlink, &links, &link_count, &why))
		return push_refusal(L, &why);
	int error = addr_list(netlink, link.ifindex, &entries, &count);

	if (error) {
		free(links);
		refuse(&why, -error, "addr: cannot list");
		return push_refusal(L, &why);
	}
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		push_entry(L, &entries[i], links, link_count, netns);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	free(entries);
	free(links);
	list_mark(L, columns);
	return 1;
}

static const struct luaL_Reg functions[] = { { "add", laddr_add }, { "del", laddr_del },
	{ "list", laddr_list }, { NULL, NULL } };

void addr_open_table(lua_State *L)
{
	luaL_newlib(L, functions);
}
