/* SPDX-License-Identifier: MIT */
/* MATCH: a pcap-filter string or a table of fields, compiled. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/base/refusal.h"
#include "host/policy/match.h"

void match_open(lua_State *L);

/* The match at idx for packets whose first layer is `first`, held for the caller; NULL: it is nil
 * or "", which all packets match. Raises, holding nothing, if it is none. */
struct match *check_match(lua_State *L, int idx, enum layer_id first);

/* The same for packets that start with IP (out[0]) and with Ethernet (out[1]). A filter that has no
 * meaning for one of the two ("arp" for IP) leaves NULL there. */
void check_match_of_both(lua_State *L, int idx, struct match *out[2]);

/* The table of fields that the text writes, as mt.sniff would take it, in an interpreter of its
 * own. 0 or -errno with why; held for the caller. */
int match_read(struct match *out[2], const char *text, struct refusal *why);
