/* SPDX-License-Identifier: MIT */
/* pkt.dns: the records of a DNS message as lists, and answers to a question. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include "host/packet/build.h"

/* questions, answers, answer: methods of the view of a dns layer. */
extern const struct luaL_Reg dns_methods[];

/* The lists in "questions" and "answers" of the table at idx, in the shape in which those methods
 * read, become what stands behind the header: in a string that is pushed. Raises, in the name of
 * `what`, for anything else. */
void dns_records_take(lua_State *L, int idx, const char *what, struct build_layer *layer);
