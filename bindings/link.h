/* SPDX-License-Identifier: MIT */
/* mt.link: links, as tables with the kernel's words. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "bindings/network.h"

/* Pushes the table mt.link. */
void link_open_table(lua_State *L);

/* Pushes the record {name, ifindex, kind, mtu, mac, up, carrier, master, peer, netns} of a
 * struct link. */
void push_link(lua_State *L, const struct place *place, const void *link);

/* A link or address has changed: calls the functions of mt.link.on_change. */
struct script;
void link_event(struct script *script, const char *netns, int ifindex, bool is_gone);
