/* SPDX-License-Identifier: MIT */
/* Memory for an interpreter whose runs must repeat: objects lie where they lay the last time, so
 * that tables with objects as keys are walked in the same order. */
#pragma once

#include <stddef.h>

struct arena;

/* Address space is reserved, memory is used as it is asked for. NULL: no such space. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* A lua_Alloc. Blocks that it did not give out are taken to be malloc's. */
void *arena_alloc(void *arena, void *block, size_t old_size, size_t size);
