/* SPDX-License-Identifier: MIT */
/* Gives out blocks of one region in an order that depends on nothing but what was asked for. */
#include "bindings/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	SMALL_STEP = 16,
	SMALL_CLASSES = 32, /* up to 512 bytes; then powers of two */
	CLASSES = SMALL_CLASSES + 22,
	PAGES_STEP = 1 << 20,
};

/* Lua hashes the lower 32 bits of addresses: the region starts where those are 0. */
static const size_t region = (size_t)1 << 32;

struct block {
	struct block *next;
};

struct arena {
	char *base;
	size_t used, ready; /* bytes given out; bytes that can be written */
	struct block *free[CLASSES];
};

static unsigned class_of(size_t size)
{
	unsigned class = SMALL_CLASSES;

	if (size <= (size_t)SMALL_STEP * SMALL_CLASSES)
		return (unsigned)((size - 1) / SMALL_STEP);
	for (size_t room = (size_t)2 * SMALL_STEP * SMALL_CLASSES; room < size; room *= 2)
		class ++;
	return class;
}

static size_t class_room(unsigned class)
{
	if (class < SMALL_CLASSES)
		return (size_t)(class + 1) * SMALL_STEP;
	return (size_t)2 * SMALL_STEP * SMALL_CLASSES << (class - SMALL_CLASSES);
}

static bool pages_ready(struct arena *arena, size_t end)
{
	if (end <= arena->ready)
		return true;
	size_t ready = (end + PAGES_STEP - 1) & ~(size_t)(PAGES_STEP - 1);

	if (end > region ||
		mprotect(arena->base + arena->ready, ready - arena->ready, PROT_READ | PROT_WRITE))
		return false;
	arena->ready = ready;
	return true;
}

static void *take(struct arena *arena, size_t size)
{
	if (size > region / 2)
		return NULL;
	unsigned class = class_of(size);
	struct block *block = arena->free[class];

	if (block) {
		arena->free[class] = block->next;
		return block;
	}
	if (!pages_ready(arena, arena->used + class_room(class)))
		return NULL;
	block = (struct block *)(arena->base + arena->used);
	arena->used += class_room(class);
	return block;
}

static void give_back(struct arena *arena, void *block, size_t size)
{
	unsigned class = class_of(size);
	struct block *free_block = block;

	free_block->next = arena->free[class];
	arena->free[class] = free_block;
}

void *arena_alloc(void *ud, void *block, size_t old_size, size_t size)
{
	struct arena *arena = ud;
	bool is_ours = (uintptr_t)block - (uintptr_t)arena->base < region;
	void *new_block = NULL;

	if (block && is_ours && size && class_of(old_size) == class_of(size))
		return block;
	if (size) {
		new_block = take(arena, size);
		/* Lua counts on it that a block can always shrink. */
		if (!new_block)
			return block && is_ours && size < old_size ? block : NULL;
	}
	if (block && size)
		memcpy(new_block, block, old_size < size ? old_size : size);
	if (block && is_ours)
		give_back(arena, block, old_size);
	else
		free(block);
	return new_block;
}

struct arena *arena_new(void)
{
	/* Where nothing else is, so that also addresses that are printed repeat. */
	void *hint = (void *)((uintptr_t)1 << 45);
	struct arena *arena = calloc(1, sizeof(*arena));
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	if (!arena)
		return NULL;
	char *space = mmap(hint, 2 * region, PROT_NONE, flags, -1, 0);

	if (space == MAP_FAILED) {
		free(arena);
		return NULL;
	}
	size_t before = (size_t)(-(uintptr_t)space & (region - 1));

	arena->base = space + before;
	if (before)
		munmap(space, before);
	munmap(arena->base + region, region - before);
	return arena;
}

void arena_free(struct arena *arena)
{
	munmap(arena->base, region);
	free(arena);
}
