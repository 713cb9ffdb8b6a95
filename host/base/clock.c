/* SPDX-License-Identifier: MIT */
/* Reads the clock that stamps packets and wakes timers. */
#include "host/base/clock.h"

#include <time.h>

static _Thread_local const struct clock *used;

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void clock_init_real(struct clock *clock)
{
	int64_t mono = clock_read(CLOCK_MONOTONIC);

	*clock = (struct clock){ .epoch_ns = clock_read(CLOCK_REALTIME) - mono };
}

void clock_init_virtual(struct clock *clock, int64_t start_ns)
{
	*clock = (struct clock){ .now = { start_ns }, .is_virtual = true };
}

const struct clock *clock_use(const struct clock *clock)
{
	const struct clock *before = used;

	used = clock;
	return before;
}

const struct clock *clock_used(void)
{
	return used;
}

struct mono clock_now(const struct clock *clock)
{
	if (clock->is_virtual)
		return clock->now;
	return (struct mono){ clock_read(CLOCK_MONOTONIC) };
}

double clock_seconds(const struct clock *clock, struct mono at)
{
	int64_t ns = at.ns + clock->epoch_ns;

	/* As one number it would be rounded twice. */
	int64_t seconds = ns / NS_PER_S;

	return (double)seconds + (double)(ns % NS_PER_S) / NS_PER_S;
}
