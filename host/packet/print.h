/* SPDX-License-Identifier: MIT */
/* A packet in words: the line that tcpdump -n prints, and its bytes in hexadecimal. */
#pragma once

#include "host/packet/packet.h"

/* tcpdump's line (no time, no newline) of a parsed packet into `out`; what does not fit is cut.
 * Returns its length. */
size_t print_line(const struct packet *p, char *out, size_t room);

/* Lines of 16 bytes as tcpdump -xx shows them. Returns the length; room of PRINT_HEX(n) holds all.
 */
#define PRINT_HEX(bytes) (((bytes) / 16 + 1) * 52 + 1)
size_t print_hex(const struct packet *p, char *out, size_t room);
