/* SPDX-License-Identifier: MIT */
/* IPv4 options (RFC 791 3.1): walked with a bound, answered where RFC 1122 asks for it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_found {
	OPTIONS_LIE = 1 << 0,	       /* a length that does not fit */
	OPTIONS_SOURCE_ROUTE = 1 << 1, /* loose or strict */
	OPTIONS_RECORD = 1 << 2,       /* record route or timestamp */
};

/* What is among `len` bytes of options: a set of enum options_found. */
unsigned options_scan(const uint8_t *options, size_t len);

/* Makes the options of a request those of its answer (RFC 1122 3.2.2.6): record route and
 * timestamp get `addr` (4 bytes, wire order) and `ms`, milliseconds since midnight UT; all others
 * become no-operations. For options in which options_scan found no lie. */
void options_answer(uint8_t *options, size_t len, const uint8_t *addr, uint32_t ms);
