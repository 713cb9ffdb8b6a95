/* SPDX-License-Identifier: MIT */
/* Edits of a packet that move its bytes. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* pkt.payload = bytes: the packet at 1, the bytes at 3 */
int ledit_payload(lua_State *L);

/* pkt:push("vlan" [, { id = 5 }]), pkt:pop "vlan" */
int ledit_push(lua_State *L);
int ledit_pop(lua_State *L);
