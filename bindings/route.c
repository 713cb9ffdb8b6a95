/* SPDX-License-Identifier: MIT */
/* Lets scripts add, delete, list and ask for routes. */
#include "bindings/route.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/list.h"
#include "bindings/network.h"
#include "host/netlink/route.h"

static void check_addr_field(
	lua_State *L, int idx, const char *what, const char *key, struct addr *out)
{
	if (lua_getfield(L, idx, key) != LUA_TNIL &&
		(lua_type(L, -1) != LUA_TSTRING || !addr_parse(out, lua_tostring(L, -1))))
		luaL_error(L, "%s: %s must be an address like \"10.1.1.1\", not %s", what, key,
			luaL_tolstring(L, -1, NULL));
	lua_pop(L, 1);
}

/* A word of the kernel's or a number. */
static long check_table_field(lua_State *L, int idx, const char *what)
{
	long table = 0;

	switch (lua_getfield(L, idx, "table")) {
	case LUA_TNIL:
		break;
	case LUA_TSTRING:
		table = route_table_parse(lua_tostring(L, -1));
		if (table < 0)
			luaL_error(L, "%s: table is main, local, default or a number, not %s", what,
				lua_tostring(L, -1));
		break;
	default:
		table = (long)check_integer_field(L, idx, what, "table", 0, UINT32_MAX, 0);
	}
	lua_pop(L, 1);
	return table;
}

/* via= and dev= of the table at idx. */
static int check_hop(lua_State *L, int idx, const char *what, struct netlink *netlink,
	struct route_hop *hop, struct refusal *why)
{
	struct link link;

	check_addr_field(L, idx, what, "via", &hop->via);
	hop->weight = (uint16_t)check_integer_field(L, idx, what, "weight", 1, 256, 0);
	if (lua_getfield(L, idx, "dev") == LUA_TNIL) {
		lua_pop(L, 1);
		return 0;
	}
	lua_pop(L, 1);
	int error = check_link_field(L, idx, what, "dev", netlink, &link, why);

	hop->ifindex = error ? 0 : link.ifindex;
	return error;
}

static int check_hops(lua_State *L, const char *what, struct netlink *netlink, struct route *route,
	struct refusal *why)
{
	int error = 0;

	if (lua_getfield(L, 1, "hops") == LUA_TTABLE) {
		unsigned count = (unsigned)lua_rawlen(L, -1);

		if (count > ROUTE_HOPS)
			luaL_error(L, "%s: at most %d hops", what, ROUTE_HOPS);
		for (unsigned i = 0; !error && i < count; i++) {
			lua_rawgeti(L, -1, (lua_Integer)i + 1);
			luaL_checktype(L, -1, LUA_TTABLE);
			error = check_hop(L, lua_gettop(L), what, netlink, &route->hops[i], why);
			lua_pop(L, 1);
		}
		route->hop_count = count;
	} else {
		error = check_hop(L, 1, what, netlink, &route->hops[0], why);
		route->hop_count = route->hops[0].ifindex || route->hops[0].via.family;
	}
	lua_pop(L, 1);
	return error;
}

static void check_words(lua_State *L, const char *what, struct route *route)
{
	route->scope = -1;
	if (lua_getfield(L, 1, "scope") != LUA_TNIL) {
		route->scope = route_scope_parse(luaL_tolstring(L, -1, NULL));
		if (route->scope < 0)
			luaL_error(L, "%s: scope is global, link, host, site or nowhere", what);
	}
	if (lua_getfield(L, 1, "kind") != LUA_TNIL) {
		int kind = route_kind_parse(luaL_tolstring(L, -1, NULL));

		if (kind < 0)
			luaL_error(L,
				"%s: kind is unicast, local, blackhole, unreachable, prohibit or "
				"throw",
				what);
		route->kind = (uint8_t)kind;
	}
}

/* { dst=, via=, dev=, hops=, metric=, table=, src=, scope=, kind=, netns= } at 1. Raises. */
static struct netlink *check_route(lua_State *L, const char *what, struct route *route)
{
	static const char *const keys[] = { "dst", "via", "dev", "hops", "metric", "table", "src",
		"scope", "kind", "netns", NULL };
	struct refusal why;
	unsigned count;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	check_keys(L, 1, what, keys);
	bool is_default =
		lua_getfield(L, 1, "dst") == LUA_TSTRING && !strcmp(lua_tostring(L, -1), "default");
	const struct prefix *dst = is_default ? NULL : check_prefixes(L, 1, what, "dst", &count);

	if (dst && count != 1)
		luaL_error(L, "%s: dst must be a prefix like \"10.2.0.0/16\" or \"default\"", what);
	memset(route, 0, sizeof(*route));
	if (dst)
		route->dst = *dst;
	check_words(L, what, route);
	check_addr_field(L, 1, what, "src", &route->src);
	route->table = (uint32_t)check_table_field(L, 1, what);
	route->metric = (uint32_t)check_integer_field(L, 1, what, "metric", 0, UINT32_MAX, 0);
	struct netlink *netlink = netlink_of(L, check_netns(L, 1, what), &why);

	if (!netlink || check_hops(L, what, netlink, route, &why))
		raise_refusal(L, &why);
	/* The family of a default route is that of its gateway. */
	if (is_default)
		route->dst.addr.family =
			route->hops[0].via.family == FAMILY_6 ? FAMILY_6 : FAMILY_4;
	return netlink;
}

/* mt.route.add{ ... } */
static int lroute_add(lua_State *L)
{
	struct refusal why;
	struct route route;
	struct netlink *netlink = check_route(L, "mt.route.add", &route);

	return route_add(netlink, &route, &why) ? raise_refusal(L, &why) : 0;
}

/* mt.route.del{ ... } */
static int lroute_del(lua_State *L)
{
	struct refusal why;
	struct route route;
	struct netlink *netlink = check_route(L, "mt.route.del", &route);

	return route_del(netlink, &route, &why) ? raise_refusal(L, &why) : 0;
}

static void push_addr_field(lua_State *L, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT];

	if (!addr->family)
		return;
	lua_pushstring(L, addr_text(addr, text));
	lua_setfield(L, -2, key);
}

static void push_hop(lua_State *L, const struct place *place, const struct route_hop *hop)
{
	push_addr_field(L, "via", &hop->via);
	if (hop->ifindex)
		set_link_field(L, "dev", place, hop->ifindex);
}

static void push_hops(lua_State *L, const struct place *place, const struct route *route)
{
	lua_createtable(L, (int)route->hop_count, 0);
	for (unsigned i = 0; i < route->hop_count; i++) {
		lua_createtable(L, 0, 3);
		push_hop(L, place, &route->hops[i]);
		lua_pushinteger(L, route->hops[i].weight);
		lua_setfield(L, -2, "weight");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "hops");
}

static void push_route(lua_State *L, const struct place *place, const void *record)
{
	const struct route *route = record;
	char text[PREFIX_TEXT], word[ROUTE_WORD];

	lua_createtable(L, 0, 10);
	lua_pushstring(L, route->dst.len ? prefix_text(&route->dst, text) : "default");
	lua_setfield(L, -2, "dst");
	lua_pushinteger(L, route->dst.addr.family);
	lua_setfield(L, -2, "family");
	if (route->hop_count == 1)
		push_hop(L, place, &route->hops[0]);
	if (route->hop_count > 1)
		push_hops(L, place, route);
	push_addr_field(L, "src", &route->src);
	lua_pushstring(L, route_table_text(route->table, word));
	lua_setfield(L, -2, "table");
	lua_pushstring(L, route_scope_text(route->scope, word));
	lua_setfield(L, -2, "scope");
	lua_pushstring(L, route_kind_text(route->kind, word));
	lua_setfield(L, -2, "kind");
	if (route->metric) {
		lua_pushinteger(L, route->metric);
		lua_setfield(L, -2, "metric");
	}
	set_netns_field(L, place->netns);
}

/* mt.route.get(addr [, { src=, netns= }]) -> record | nil, why, errno */
static int lroute_get(lua_State *L)
{
	static const char *const keys[] = { "src", "netns", NULL };
	struct addr dst, src = { 0 };
	struct refusal why;
	struct route route;
	struct place place;

	if (!addr_parse(&dst, luaL_checkstring(L, 1)))
		return luaL_error(L, "mt.route.get: \"%s\" is no address", lua_tostring(L, 1));
	if (!lua_isnoneornil(L, 2)) {
		check_keys(L, 2, "mt.route.get", keys);
		check_addr_field(L, 2, "mt.route.get", "src", &src);
	}
	if (check_place(L, 2, "mt.route.get", keys, &place, &why))
		return push_refusal(L, &why);
	int error = route_get(place.netlink, &dst, &src, &route, &why);

	if (!error)
		push_route(L, &place, &route);
	place_close(&place);
	return error ? push_refusal(L, &why) : 1;
}

/* mt.route.list([{ table=, netns= }]) -> list; table main unless said, 0 for all */
static int lroute_list(lua_State *L)
{
	static const char *const keys[] = { "table", "netns", NULL };
	static const char *const columns[] = { "dst", "via", "dev", "src", "table", "scope", "kind",
		"metric", NULL };
	struct route *routes = NULL;
	struct refusal why;
	struct place place;
	unsigned count = 0;
	uint32_t table = 254; /* RT_TABLE_MAIN */

	if (lua_istable(L, 1) && lua_getfield(L, 1, "table") != LUA_TNIL)
		table = (uint32_t)check_table_field(L, 1, "mt.route.list");
	if (check_place(L, 1, "mt.route.list", keys, &place, &why))
		return push_refusal(L, &why);
	int error = route_list(place.netlink, table, &routes, &count);

	list_push(L, &place, routes, sizeof(*routes), count, push_route, columns);
	free(routes);
	place_close(&place);
	return error ? push_unlisted(L, "route", error) : 1;
}

static void push_rule(lua_State *L, const struct place *place, const void *record)
{
	const struct route_rule *rule = record;
	char text[PREFIX_TEXT], word[ROUTE_WORD];

	lua_createtable(L, 0, 7);
	lua_pushinteger(L, rule->priority);
	lua_setfield(L, -2, "priority");
	lua_pushinteger(L, rule->family);
	lua_setfield(L, -2, "family");
	lua_pushstring(L, rule->src.len ? prefix_text(&rule->src, text) : "all");
	lua_setfield(L, -2, "src");
	lua_pushstring(L, rule->dst.len ? prefix_text(&rule->dst, text) : "all");
	lua_setfield(L, -2, "dst");
	lua_pushstring(L, route_table_text(rule->table, word));
	lua_setfield(L, -2, "table");
	lua_pushstring(L, route_action_text(rule->action));
	lua_setfield(L, -2, "kind");
	set_netns_field(L, place->netns);
}

/* mt.route.rules([{ netns= }]) -> list */
static int lroute_rules(lua_State *L)
{
	static const char *const keys[] = { "netns", NULL };
	static const char *const columns[] = { "priority", "family", "src", "dst", "table", "kind",
		NULL };
	struct route_rule *rules = NULL;
	struct refusal why;
	struct place place;
	unsigned count = 0;

	if (check_place(L, 1, "mt.route.rules", keys, &place, &why))
		return push_refusal(L, &why);
	int error = route_rules(place.netlink, &rules, &count);

	list_push(L, &place, rules, sizeof(*rules), count, push_rule, columns);
	free(rules);
	place_close(&place);
	return error ? push_unlisted(L, "rule", error) : 1;
}

static const struct luaL_Reg functions[] = { { "add", lroute_add }, { "del", lroute_del },
	{ "get", lroute_get }, { "list", lroute_list }, { "rules", lroute_rules }, { NULL, NULL } };

void route_open_table(lua_State *L)
{
	luaL_newlib(L, functions);
}
