/* SPDX-License-Identifier: MIT */
/* pkt.dns: the records of a DNS message as lists, and answers to a question. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

/* questions, answers, answer: methods of the view of a dns layer. */
extern const struct luaL_Reg dns_methods[];
