/* SPDX-License-Identifier: MIT */
/* The kernel's numbers for routes in the words of ip(8). */
#pragma once

#include <stdint.h>

enum { ROUTE_WORD = 16 };

/* "main", "link", "unicast" and back. Numbers where there is no word; -1: no such word. */
const char *route_table_text(uint32_t table, char *out);
const char *route_scope_text(int scope, char *out);
const char *route_kind_text(int kind, char *out);
long route_table_parse(const char *text);
int route_scope_parse(const char *text);
int route_kind_parse(const char *text);
