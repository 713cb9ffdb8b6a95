/* SPDX-License-Identifier: MIT */
/* A worker's packets: one arena of slots, and the metadata of each apart from its bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct packet;
struct pool;

enum {
	POOL_SLOT = 4096,	   /* bytes; a burst of common packets */
	POOL_BIG_SLOT = 68 * 1024, /* bytes; GSO and large MTUs. Touched only when used */
};

/* Reserves the arena; memory is touched slot by slot as packets come. 0 or -ENOMEM. */
int pool_open(struct pool **out, unsigned slots, unsigned big_slots);

/* All packets must be home. */
void pool_close(struct pool *pool);

/* An empty packet with PACKET_HEADROOM and place for `len` bytes; NULL: none is free, or none is
 * so big. */
struct packet *pool_take(struct pool *pool, size_t len);

/* The bytes of all slots but the big ones. Those that are used first come first. */
uint8_t *pool_slots(const struct pool *pool, size_t *len);

void pool_put(struct pool *pool, struct packet *p);

/* Are all packets home? What teardown asserts. */
unsigned pool_out(const struct pool *pool);
