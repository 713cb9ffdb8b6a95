/* SPDX-License-Identifier: MIT */
/* A counter that one thread adds to and any thread may read. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct counter {
	_Atomic uint64_t value;
};

/* Only the owning thread may call this: a load and a store, no locked instruction. */
static inline void counter_add(struct counter *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(&counter->value, memory_order_relaxed);

	atomic_store_explicit(&counter->value, old + n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *counter)
{
	return atomic_load_explicit(&counter->value, memory_order_relaxed);
}
