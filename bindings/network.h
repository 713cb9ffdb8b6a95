/* SPDX-License-Identifier: MIT */
/* What the bindings of links, addresses, routes and neighbours share: namespaces and devices. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/netlink/link.h"

struct world;

/* The field netns of the table at idx ("" where it or the table is absent); raises if it is no
 * name. */
const char *check_netns(lua_State *L, int idx, const char *what);

struct world *world_of(lua_State *L);

/* The netlink of that namespace; NULL with why. */
struct netlink *netlink_of(lua_State *L, const char *netns, struct refusal *why);

/* Raises the refusal: for calls that are made only for their effect. */
int raise_refusal(lua_State *L, const struct refusal *why);

/* The link named by field `key` of the table at idx. 0 or -errno with why; raises if it is no
 * string. */
int check_link_field(lua_State *L, int idx, const char *what, const char *key,
	struct netlink *netlink, struct link *out, struct refusal *why);

/* Pushes the name of a link of the namespace, or "if7" if it is gone. */
void push_link_name(lua_State *L, const struct link *links, unsigned count, int ifindex);
