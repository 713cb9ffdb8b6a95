/* SPDX-License-Identifier: MIT */
/* Turns a packet round: what came from there goes back there. */
#pragma once

#include "host/packet/packet.h"

enum reply_check {
	REPLY_MAY,
	REPLY_MALFORMED,  /* a layer does not fit, or nothing is known that could be answered */
	REPLY_NO_ANSWER,  /* an error, a reply, a reset: never answer an answer */
	REPLY_FRAGMENT,	  /* its checksum cannot be verified, nor its other parts turned */
	REPLY_ROUTED,	  /* came by a source route */
	REPLY_BAD_SOURCE, /* group, unspecified, loopback, or the destination itself */
	REPLY_GROUP,	  /* sent to a group or broadcast address */
	REPLY_BAD_CHECKSUM,
	REPLY_WRITTEN, /* the script wrote addresses or ports by hand: it means rewrite */
};

/* May this packet be answered? Reads only. */
enum reply_check reply_check(const struct packet *p);

/* What an answer says of who answers. */
struct reply_self {
	uint8_t mac[6];	  /* on L2 ports */
	int64_t epoch_ns; /* added to packet.time it is the time since 1970: for timestamp options
			   */
};

/* Turns a packet that may be answered: Ethernet and network addresses, ports, ICMP type, the bodies
 * of ARP and neighbour solicitations; TTL or hop limit `ttl`, unless it was written by hand. IPv4's
 * record route and timestamp are updated, other options and IPv6 extension headers are taken off,
 * padding is trimmed. Checksums follow. */
void reply_turn(struct packet *p, const struct reply_self *self, uint8_t ttl);

/* A phrase for people: why it may not be answered. */
const char *reply_check_text(enum reply_check check);
