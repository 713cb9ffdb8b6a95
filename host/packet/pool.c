/* SPDX-License-Identifier: MIT */
/* Lends packets to a worker and takes them back: last in, first out, so that few pages are hot. */
#include "host/packet/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "host/packet/packet.h"

struct shelf {
	struct packet **free; /* a stack */
	unsigned free_count;
	unsigned count;
	size_t slot_bytes;
};

struct pool {
	struct shelf small, big;
	struct packet *packets;
	uint8_t *arena;
	size_t arena_bytes;
};

static uint8_t *shelf_fill(
	struct shelf *shelf, struct pool *pool, struct packet *packets, uint8_t *arena)
{
	for (unsigned i = 0; i < shelf->count; i++, arena += shelf->slot_bytes) {
		packets[i].home = pool;
		packets[i].head = arena;
		packets[i].end = arena + shelf->slot_bytes;
		/* The first slot ends up on top of the stack. */
		shelf->free[shelf->count - 1 - i] = &packets[i];
	}
	shelf->free_count = shelf->count;
	return arena;
}

int pool_open(struct pool **out, unsigned slots, unsigned big_slots)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->small = (struct shelf){ .count = slots, .slot_bytes = POOL_SLOT };
	pool->big = (struct shelf){ .count = big_slots, .slot_bytes = POOL_BIG_SLOT };
	pool->packets = calloc(slots + big_slots, sizeof(*pool->packets));
	pool->small.free = calloc(slots, sizeof(*pool->small.free));
	pool->big.free = calloc(big_slots, sizeof(*pool->big.free));
	if (!pool->packets || !pool->small.free || !pool->big.free)
		goto fail_memory;
	pool->arena_bytes = (size_t)slots * POOL_SLOT + (size_t)big_slots * POOL_BIG_SLOT;
	pool->arena = mmap(NULL, pool->arena_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->arena == MAP_FAILED)
		goto fail_memory;
	uint8_t *rest = shelf_fill(&pool->small, pool, pool->packets, pool->arena);

	shelf_fill(&pool->big, pool, pool->packets + slots, rest);
	*out = pool;
	return 0;

fail_memory:
	free(pool->big.free);
	free(pool->small.free);
	free(pool->packets);
	free(pool);
	return -ENOMEM;
}

void pool_close(struct pool *pool)
{
	assert(pool_out(pool) == 0);
	munmap(pool->arena, pool->arena_bytes);
	free(pool->big.free);
	free(pool->small.free);
	free(pool->packets);
	free(pool);
}

static struct packet *shelf_take(struct shelf *shelf, size_t len)
{
	if (!shelf->free_count || len > shelf->slot_bytes - PACKET_HEADROOM)
		return NULL;
	struct packet *p = shelf->free[--shelf->free_count];

	packet_reset(p, PACKET_HEADROOM);
	return p;
}

struct packet *pool_take(struct pool *pool, size_t len)
{
	struct packet *p = shelf_take(&pool->small, len);

	return p ? p : shelf_take(&pool->big, len);
}

uint8_t *pool_slots(const struct pool *pool, size_t *len)
{
	*len = (size_t)pool->small.count * pool->small.slot_bytes;
	return pool->arena;
}

void pool_put(struct pool *pool, struct packet *p)
{
	bool is_big = p->end - p->head == POOL_BIG_SLOT;
	struct shelf *shelf = is_big ? &pool->big : &pool->small;

	assert(p->home == pool && shelf->free_count < shelf->count);
	shelf->free[shelf->free_count++] = p;
}

unsigned pool_out(const struct pool *pool)
{
	return pool->small.count - pool->small.free_count + pool->big.count - pool->big.free_count;
}
