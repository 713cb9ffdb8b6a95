/* SPDX-License-Identifier: MIT */
/* Which addresses a packet may be answered to or from. Bytes as they lie in the header. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* RFC 1122 3.2.1.3 and 3.2.2.6: not "this network", loopback, group, reserved or broadcast. */
static inline bool scope_is_unicast4(const uint8_t *addr)
{
	return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
}

/* RFC 4291 2.5: not unspecified, loopback, group, nor IPv4-mapped (never on the wire). */
static inline bool scope_is_unicast6(const uint8_t *addr)
{
	static const uint8_t zero[15];

	if (addr[0] == 0xff)
		return false;
	if (!memcmp(addr, zero, 10))
		return !(addr[10] == 0xff && addr[11] == 0xff) &&
		       !(!memcmp(addr, zero, 15) && addr[15] <= 1);
	return true;
}
