/* SPDX-License-Identifier: MIT */
/* mt.pcap: capture files, read and written. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

struct outfile;

void pcap_open_table(lua_State *L);

/* What the value at idx writes; NULL: nothing. */
struct outfile *to_outfile(lua_State *L, int idx);
