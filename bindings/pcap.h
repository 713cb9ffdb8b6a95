/* SPDX-License-Identifier: MIT */
/* mt.pcap: capture files, read and written. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

void pcap_open_table(lua_State *L);
