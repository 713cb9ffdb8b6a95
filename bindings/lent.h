/* SPDX-License-Identifier: MIT */
/* The packet of the rule call that runs, as Lua sees it: one handle a state, reused. */
#pragma once

#include "bindings/packet.h"
#include "bindings/state.h"

/* Makes the state's handle; it stays in the registry. */
struct packet_handle *lent_new(lua_State *L);

/* Pushes the handle, and the list of shapes (see lent.c). */
void lent_push(lua_State *L);
void lent_shapes_push(lua_State *L);

/* Gives the handle, in its slot of the state's frame, the shape of a packet: packet.has. Raises
 * nothing. */
void lent_shape(struct script *script, uint32_t layers);

/* Takes the shape away: what is read of the handle is looked up in the packet, or raises if there
 * is none. Whoever changes which layers a lent packet has calls it, and the end of a burst. */
void lent_shapeless(lua_State *L, struct script *script);

/* Lends p to the call that is about to run. */
static inline void lent_begin(struct script *script, struct packet *p)
{
	if (p->has != script->shape)
		lent_shape(script, p->has);
	script->handle->packet = p;
}
