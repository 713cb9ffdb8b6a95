/* SPDX-License-Identifier: MIT */
/* Time: monotonic for people who wait, anchored once to the calendar for people who read it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A moment on CLOCK_MONOTONIC (or of a virtual clock). */
struct mono {
	int64_t ns;
};

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct clock {
	struct mono now;  /* the virtual clock's time; unused when it is the real one */
	int64_t epoch_ns; /* add to a mono to get nanoseconds since 1970 */
	bool is_virtual;
};

/* A clock that runs, or one that stands at `start_ns` until it is set. */
void clock_init_real(struct clock *clock);
void clock_init_virtual(struct clock *clock, int64_t start_ns);

/* The virtual clock that this thread's script lives by; NULL: the real one. clock_use returns the
 * one before. */
const struct clock *clock_use(const struct clock *clock);
const struct clock *clock_used(void);

struct mono clock_now(const struct clock *clock);

/* Seconds since 1970 that never jump: what scripts see as mt.now() and pkt.time. */
double clock_seconds(const struct clock *clock, struct mono at);

static inline struct mono mono_add(struct mono at, int64_t ns)
{
	return (struct mono){ at.ns + ns };
}
