/* SPDX-License-Identifier: MIT */
/* Makes a packet the error about itself: ICMP, ICMPv6 or a TCP reset, in place. */
#pragma once

#include "host/packet/packet.h"

struct icmp_error {
	uint8_t type, code;
	uint32_t rest; /* the word after the checksum: next-hop MTU, pointer, or 0 */
};

/* May an error about this packet be sent (RFC 1122 3.2.2, RFC 4443 2.4 (e))? Not about errors,
 * resets, group or broadcast addresses, sources that name no host, later fragments, wrong checksums
 * or malformed packets. Reads only. */
bool error_may(const struct packet *p);

/* p, of a network header that error_may has seen, becomes the error; from (4 or 16 bytes, NULL: the
 * packet's destination) is its source. Quotes as much as RFC 1812 4.3.2.3 (576 bytes in all) and
 * RFC 4443 2.4 (c) (1280) allow. false: no headroom, p is untouched. */
bool error_make(struct packet *p, const struct icmp_error *error, const uint8_t *from);

/* May a reset answer it? As error_may, and a TCP segment that is whole and came by no source route.
 */
bool error_may_reset(const struct packet *p);

/* p, which error_may_reset has seen, becomes the reset that answers it (RFC 9293 3.10.7.1), without
 * IPv4 options and IPv6 extension headers. */
void error_reset(struct packet *p);
