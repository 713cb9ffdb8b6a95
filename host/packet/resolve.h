/* SPDX-License-Identifier: MIT */
/* Who has this address? Questions of ARP and neighbour discovery, and their answers. */
#pragma once

#include "host/packet/packet.h"

/* Is it an ARP request (RFC 826) that may be answered? *target: the address asked for, 4 bytes.
 * A probe (sender 0) may; a gratuitous one and one from a group MAC may not. */
bool resolve_is_arp_question(const struct packet *p, const uint8_t **target);

/* Is it a neighbour solicitation that may be answered (RFC 4861 7.1.1: hop limit 255, code 0,
 * checksum, options, source and destination as they must be), with room for the answer's option?
 * *target: 16 bytes. */
bool resolve_is_nd_question(const struct packet *p, const uint8_t **target);

/* Is it a duplicate-address probe (source ::) rather than a question? Of a nd question. */
bool resolve_is_dad(const struct packet *p);

/* Make a question its answer: "it is at `mac`". */
void resolve_arp_turn(struct packet *p, const uint8_t *mac);
void resolve_nd_turn(struct packet *p, const uint8_t *mac);
