/* SPDX-License-Identifier: MIT */
/* pkt.ip and its like: views of one layer, whose fields are read and written in place. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/packet/field.h"

/* Registers a metatable for each layer. Before packet_open. */
void layer_open(lua_State *L);

/* Pushes the view of `layer` that belongs to the packet handle at idx (made once a handle). */
void layer_view_push(lua_State *L, int idx, enum layer_id layer);

/* The packet of a view of `id` at idx, and where its layer lies; raises for anything else. */
struct packet *check_layer_view(
	lua_State *L, int idx, enum layer_id id, const struct layer **layer);

/* The layer of that name; LAYER_none: there is none. */
enum layer_id layer_by_name(const char *name, size_t len);

/* Pushes the names of the views of a layer (bindings/handle.h). */
void layer_names_push(lua_State *L, enum layer_id layer);

/* Pushes the handle of the packet whose view is at idx. */
void layer_view_packet_push(lua_State *L, int idx);

/* "ip.ttl" at idx: the field, and in *layer whose: vlan2 has the fields of vlan. *depth is how many
 * times "inner." stands before it. Raises, with the nearest name, if there is none. */
const struct field *check_field_name(lua_State *L, int idx, enum layer_id *layer, unsigned *depth);
