/* SPDX-License-Identifier: MIT */
/* pkt: a packet that is lent to Lua for one call, or a copy that Lua owns. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/packet/packet.h"

/* The name of a layer that was asked for lately: the names of a packet's own table stay where they
 * are, and Lua has each short string once. */
enum { LAYERS_KEPT = 8 };

struct kept_layer {
	const char *name;
	uint8_t layer;
};

struct packet_handle {
	struct packet *packet; /* NULL: the call is over */
	bool is_own;	       /* a copy; freed with the handle */
	const char *dir;       /* of one that was seen on a link: "in", "out", or NULL: unknown */
	uint32_t cut;	       /* bytes at its end that a capture file lacks */
	char link[32];	       /* where it was seen; "": unknown */
	struct kept_layer kept[LAYERS_KEPT];
	struct packet_handle *inner; /* of pkt.inner, once it was asked for */
};

/* The user value that holds a capture file's comment; those below are the layers' views. */
enum { PACKET_COMMENT = LAYER_COUNT + 1 };

/* The call is over: neither this handle nor those of the packets inside it may be used. */
static inline void packet_handle_end(struct packet_handle *handle)
{
	for (; handle; handle = handle->inner)
		handle->packet = NULL;
}

/* Registers the metatables of packets and layers. */
void packet_open(lua_State *L);

/* Pushes a handle of no packet yet, with `extra` bytes behind it. */
struct packet_handle *packet_handle_new(lua_State *L, size_t extra);

/* Pushes a handle that owns p. */
void packet_push_own(lua_State *L, struct packet *p);

/* The same for a packet that was seen on a link. dir is a literal. */
struct packet_handle *packet_push_seen(
	lua_State *L, struct packet *p, const char *link, const char *dir);

/* Pushes the handle of the packet around that at idx, or nil. */
void packet_outer_push(lua_State *L, int idx);

/* A packet at idx; raises for anything else and for one whose call is over. */
struct packet *check_packet(lua_State *L, int idx);
bool is_packet(lua_State *L, int idx);

/* Pushes the metatable of packets, and the names of a packet (bindings/handle.h). */
void packet_metatable_push(lua_State *L);
void packet_names_push(lua_State *L);

/* __index: handle at 1, name at 2. Upvalue 1 maps names to methods, layer numbers and properties.
 */
int packet_index(lua_State *L);

/* mt.packet(bytes, "ip"|"eth"), mt.packet{ LAYER..., payload } */
int lpacket_new(lua_State *L);
