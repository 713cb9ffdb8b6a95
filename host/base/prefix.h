/* SPDX-License-Identifier: MIT */
/* Addresses and prefixes of both families, as data: one path for v4 and v6. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family { FAMILY_NONE = 0, FAMILY_4 = 4, FAMILY_6 = 6 };

/* Bytes in wire order; 4 or 16 of them count. */
struct addr {
	uint8_t family;
	uint8_t bytes[16];
};

struct prefix {
	struct addr addr; /* may have bits set beyond len: an address with its prefix */
	uint8_t len;	  /* bits */
};

enum { ADDR_TEXT = 46, PREFIX_TEXT = ADDR_TEXT + 4 };

static inline size_t family_bytes(uint8_t family)
{
	return family == FAMILY_4 ? 4 : 16;
}

/* From text to bytes; false if it is none (out untouched). A prefix without "/len" is a host. */
bool addr_parse(struct addr *out, const char *text);
bool prefix_parse(struct prefix *out, const char *text);

/* Canonical text (RFC 5952 for v6) into `out` of ADDR_TEXT or PREFIX_TEXT bytes; returns out. */
const char *addr_text(const struct addr *addr, char *out);
const char *prefix_text(const struct prefix *prefix, char *out);

bool addr_equal(const struct addr *a, const struct addr *b);

/* Is the address of `family` at `bytes` inside the prefix? */
bool prefix_contains(const struct prefix *prefix, uint8_t family, const uint8_t *bytes);

/* Does one of the two contain the other? */
bool prefix_overlap(const struct prefix *a, const struct prefix *b);

/* Can a host have that address? NULL if it can, else what it is instead: "a multicast address". */
const char *prefix_host_check(const struct prefix *prefix);

/* The network address (all host bits 0) or the v4 broadcast address (all 1) of a prefix that has
 * them (v4, shorter than /31: RFC 3021). */
bool prefix_is_network_or_broadcast(const struct prefix *prefix, const uint8_t *bytes);
