/* SPDX-License-Identifier: MIT */
/* Cuts a packet of many segments (packet.gso) into those that it stands for, where it leaves for a
 * place that cannot. */
#pragma once

#include "host/packet/packet.h"

/* What is left to be cut of a packet, which stays untouched and must outlive it. */
struct segments {
	const struct packet *p;
	const struct layer *network, *transport;
	uint32_t headers; /* bytes before the payload */
	uint32_t size;	  /* bytes of payload a segment */
	uint32_t at;	  /* bytes from data where the next one's payload starts */
	uint32_t number;  /* of the next one */
};

/* false: p is no large TCP segment or UDP datagram that could be cut: of another kind, a fragment,
 * malformed, without a size. */
bool segments_start(struct segments *segments, const struct packet *p);

/* Bytes of the longest of them. */
static inline size_t segments_longest(const struct segments *segments)
{
	return (size_t)segments->headers + segments->size;
}

/* Makes `out`, which is empty and has place for the longest, the next one: its layers known, its
 * lengths, IPv4 identification, sequence number, flags and checksums its own; a checksum that a
 * script wrote stays as written. false: that was the last, out is untouched. */
bool segments_next(struct segments *segments, struct packet *out);
