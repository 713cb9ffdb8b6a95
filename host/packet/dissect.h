/* SPDX-License-Identifier: MIT */
/* A packet in many words: a line a layer, with where it lies; a line a field, with its value. */
#pragma once

#include "host/packet/packet.h"

/* Columns of a line at most; bytes that hold every packet's dissection. */
enum { DISSECT_COLUMNS = 80, DISSECT_ROOM = 64 << 10 };

/* Lines, each with its newline, of a parsed packet and the packets inside it into `out`; what does
 * not fit is cut. Says which checksums are right, and where a header does not fit. Returns the
 * length. */
size_t dissect(struct packet *p, char *out, size_t room);
