/* SPDX-License-Identifier: MIT */
/* Ports: made by mt.tun and mt.pair, ruled by :on, joined by :pass_to. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/engine/lane.h"

void port_open(lua_State *L);

/* Pushes the lane's one handle. */
void port_push(lua_State *L, struct lane *lane);

/* The lane of the port at idx, which may be closed; NULL: it is no port. */
struct lane *to_port(lua_State *L, int idx);

int lport_tun(lua_State *L);
int lport_tap(lua_State *L);
int lport_bridge(lua_State *L);
int lport_pair(lua_State *L);
int lport_attach(lua_State *L);
int lport_veth(lua_State *L);
