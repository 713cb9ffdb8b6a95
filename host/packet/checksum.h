/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071), whole and incremental (RFC 1624). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/packet/packet.h"
#include "host/packet/wire.h"

/* The one's complement sum of the big-endian 16-bit words at `bytes`, an odd byte padded with 0,
 * on top of `sum`; folded to 16 bits. Not complemented: store ~checksum_sum(...). */
uint16_t checksum_sum(const uint8_t *bytes, size_t len, uint32_t sum);

/* The sum of the pseudo-header: RFC 793 for v4, RFC 8200 8.1 for v6. `addrs` is source and
 * destination as they lie in the header, addrs_len 8 or 32; len is the upper layer's. */
uint16_t checksum_pseudo(const uint8_t *addrs, size_t addrs_len, uint8_t proto, uint32_t len);

static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What to add to a checksum when words that summed to `before` now sum to `after`. */
static inline uint16_t checksum_delta(uint16_t before, uint16_t after)
{
	return checksum_fold((uint32_t)before + (uint16_t)~after);
}

/* RFC 1624's equation 3 gives 0 where an all-zero message needs 0xffff; adding the delta to the
 * checksum itself verifies for every checksum. A right checksum stays right, a wrong one wrong. */
static inline uint16_t checksum_add(uint16_t checksum, uint16_t delta)
{
	return checksum_fold((uint32_t)checksum + delta);
}

/* Where the Internet checksum of an icmp, icmpv6, udp, tcp or gre layer lies; NULL where there is
 * none: GRE without, SCTP, other layers. */
uint8_t *checksum_field(const struct packet *p, const struct layer *transport);

/* The transport layer that belongs to the outermost network header, or NULL. */
const struct layer *checksum_transport(const struct packet *p, const struct layer *network);

/* How many of `have` bytes a UDP checksum covers: as many as the length tells, if they are there,
 * and the header at least. */
static inline size_t checksum_udp_covered(size_t told, size_t have)
{
	if (told > have)
		return have;
	return told < UDP_HEADER ? UDP_HEADER : told;
}

bool checksum_ip_is_right(const struct packet *p, const struct layer *ip);

/* The sum of the datagram with its pseudo-header, the checksum field included: ffff where that is
 * right. Of a UDP datagram whose length lies what checksum_udp_covered says, with that length in
 * the pseudo-header; of a fragment its bytes alone. */
uint16_t checksum_transport_sum(
	const struct packet *p, const struct layer *network, const struct layer *transport);

/* Adds to the transport's checksum what keeps it right, or as wrong as it was; delta is that of
 * checksum_delta. A UDP checksum of 0 stays (RFC 768: none), a computed 0 becomes ffff. */
void checksum_transport_add(const struct packet *p, const struct layer *transport, uint16_t delta);

/* Sums the whole datagram, which must not be a fragment. A UDP checksum of 0 over IPv4 is "none"
 * and right (RFC 768); over IPv6 it is wrong (RFC 8200 8.1). So
 * is one with a length that does not fit. */
bool checksum_transport_is_right(
	const struct packet *p, const struct layer *network, const struct layer *transport);

/* Writes the right IPv4 header checksum. */
void checksum_ip_fill(const struct packet *p, const struct layer *ip);

/* Writes the right checksum of a whole datagram, if it has one. */
void checksum_transport_fill(
	const struct packet *p, const struct layer *network, const struct layer *transport);

/* SCTP's CRC32c (RFC 9260 appendix A): how the stored one differs from the right one (0: it is
 * right), and the right one stored with that difference. */
uint32_t checksum_sctp_error(const struct packet *p, const struct layer *sctp);
void checksum_sctp_store(const struct packet *p, const struct layer *sctp, uint32_t error);

/* Completes a partial checksum, for places that cannot: sums from csum.start to the end. */
void checksum_complete(struct packet *p);
