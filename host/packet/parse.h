/* SPDX-License-Identifier: MIT */
/* Finds the layers of a packet. */
#pragma once

#include "host/packet/packet.h"

/* Fills layer[], datagram_end, proto, traits and malformed from p->first and the bytes. Bounded:
 * every header is looked at once. A layer that does not fit is absent and `malformed` says why;
 * what lies outside it stays. Checksums are not looked at. */
void parse(struct packet *p);
