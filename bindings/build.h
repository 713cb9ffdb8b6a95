/* SPDX-License-Identifier: MIT */
/* Packets from a list of layers: mt.packet{ {"ip", dst = "192.0.2.1"}, {"icmp"}, "payload" }. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/packet/build.h"

/* A list of layers, in userdata that is left on the stack. */
struct layer_list {
	unsigned count;
	struct build_layer layers[PACKET_LAYERS];
};

/* The layers that are the first `length` elements of the table at idx; raises, in the name of
 * `what`, for anything else. */
const struct layer_list *check_layers(lua_State *L, int idx, lua_Integer length, const char *what);

/* Raises what build said no to. */
int build_refused(lua_State *L, const char *what, const struct layer_list *list,
	enum build_status status, const struct build_why *why);

/* mt.packet{...} with its table at 1 */
int lbuild_new(lua_State *L);
