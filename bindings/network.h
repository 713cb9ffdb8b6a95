/* SPDX-License-Identifier: MIT */
/* What the bindings of links, addresses, routes and neighbours share: namespaces and devices. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/netlink/link.h"

struct world;

/* What records are pushed with: the namespace they are of, and the names of its links. */
struct place {
	struct netlink *netlink;
	struct link *links; /* malloc'ed */
	unsigned link_count;
	int ifindex; /* of the link that dev= names; 0: none */
	char netns[NETNS_NAME];
};

/* The field netns of the table at idx ("" where it or the table is absent); raises if it is no
 * name. */
const char *check_netns(lua_State *L, int idx, const char *what);

struct world *world_of(lua_State *L);

/* The netlink of that namespace; NULL with why. */
struct netlink *netlink_of(lua_State *L, const char *netns, struct refusal *why);

/* The refusal of a list that the kernel did not give (0 or -errno): returns 3. */
int push_unlisted(lua_State *L, const char *what, int error);

/* Raises the refusal: for calls that are made only for their effect. */
int raise_refusal(lua_State *L, const struct refusal *why);

/* The link named by field `key` of the table at idx. 0 or -errno with why; raises if it is no
 * string. */
int check_link_field(lua_State *L, int idx, const char *what, const char *key,
	struct netlink *netlink, struct link *out, struct refusal *why);

/* Opens the place that the options' table at idx (keys; nothing and nil too) means. 0 or -errno
 * with why; raises on a wrong option. place_close after it. */
int check_place(lua_State *L, int idx, const char *what, const char *const *keys,
	struct place *place, struct refusal *why);
int place_open(struct place *place, struct netlink *netlink, const char *netns, int ifindex,
	struct refusal *why);
void place_close(struct place *place);

/* The fields dev= and netns= of the record on top. Of a link that is gone "if7" is the name. */
void set_link_field(lua_State *L, const char *key, const struct place *place, int ifindex);
void set_netns_field(lua_State *L, const char *netns);
