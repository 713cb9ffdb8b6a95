/* SPDX-License-Identifier: MIT */
/* What the files that print a packet's line share: a piece of its bytes, and who prints which. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/text.h"

/* Headers inside headers that are followed; a line has no room for more. */
enum { PRINT_DEPTH = 24 };

struct print {
	struct text text;
	unsigned depth;
};

/* Bytes of a packet, and how many there should be by what encloses them: have <= len. */
struct piece {
	const uint8_t *at;
	size_t have, len;
};

/* The network header that a transport lies in. */
struct ends {
	const uint8_t *src, *dst;
	uint8_t family;	  /* enum family */
	bool is_said;	  /* the addresses are printed already */
	bool is_fragment; /* the first of several */
};

/* `len` bytes at `offset`, or NULL if they are not all there. */
static inline const uint8_t *piece_at(struct piece piece, size_t offset, size_t len)
{
	return offset <= piece.have && len <= piece.have - offset ? piece.at + offset : NULL;
}

/* What is behind the first `offset` bytes. */
static inline struct piece piece_from(struct piece piece, size_t offset)
{
	size_t here = offset < piece.have ? offset : piece.have;

	return (struct piece){ piece.at + here, piece.have - here,
		offset < piece.len ? piece.len - offset : 0 };
}

/* The first `len` bytes. */
static inline struct piece piece_first(struct piece piece, size_t len)
{
	return (struct piece){ piece.at, piece.have < len ? piece.have : len, len };
}

void print_addr(struct print *print, uint8_t family, const uint8_t *bytes);
void print_mac(struct print *print, const uint8_t *mac);

/* The bytes of a name or string, one character each: control characters as ^X, others as M-x. */
void print_char(struct print *print, uint8_t byte);

/* That a header of that protocol does not fit, as tcpdump says it. */
void print_short(struct print *print, const char *proto);

/* Who sends to whom, unless it is said already; with ports. */
void print_ends(struct print *print, const struct ends *ends);
void print_ports(struct print *print, const struct ends *ends, const uint8_t *ports);

/* Each prints what the piece starts with, and what is inside it. */
void print_eth(struct print *print, struct piece piece);
bool print_ethertype(struct print *print, struct piece piece, uint16_t type);
void print_arp(struct print *print, struct piece piece);
void print_ip4(struct print *print, struct piece piece);
void print_ip6(struct print *print, struct piece piece);
void print_icmp(struct print *print, struct piece piece);
void print_icmpv6(struct print *print, struct piece piece);
void print_igmp(struct print *print, struct piece piece);
void print_tcp(struct print *print, struct piece piece, const struct ends *ends);
void print_udp(struct print *print, struct piece piece, const struct ends *ends);
void print_sctp(struct print *print, struct piece piece, const struct ends *ends);
void print_gre(struct print *print, struct piece piece);
void print_dns(struct print *print, struct piece piece, bool is_multicast);
