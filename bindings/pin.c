/* SPDX-License-Identifier: MIT */
/* What makes one run of a script differ from the next, pinned while its clock is a virtual one. The
 * executable is linked so that its own Lua (not one that loads moontap.so) calls these functions in
 * place of time, clock and the hash that seeds that of strings (-Wl,--wrap=, CMakeLists.txt). */
#include <sys/random.h>
#include <time.h>

#include "host/base/clock.h"

/* The linker's names for them. */
time_t pin_time(time_t *out) __asm__("__wrap_time");
clock_t pin_clock(void) __asm__("__wrap_clock");
unsigned pin_seed(const char *bytes, size_t len, unsigned seed) __asm__("__wrap_luaS_hash");

enum { SEED = 0x6d6f6f6e };

/* For os.time, os.date, and what else wants to know the year. */
time_t pin_time(time_t *out)
{
	const struct clock *clock = clock_used();
	struct timespec now;

	if (clock)
		now.tv_sec = (time_t)(clock_now(clock).ns / NS_PER_S);
	else
		clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* For os.clock, and table.sort, which wants an unforeseen pivot. */
clock_t pin_clock(void)
{
	const struct clock *clock = clock_used();
	struct timespec now;

	if (clock)
		return (clock_t)(clock_now(clock).ns / (NS_PER_S / CLOCKS_PER_SEC));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (clock_t)(now.tv_sec * CLOCKS_PER_SEC + now.tv_nsec / (NS_PER_S / CLOCKS_PER_SEC));
}

/* lua_newstate alone calls it from another file than its own, to mix addresses and the time. */
unsigned pin_seed(const char *bytes, size_t len, unsigned seed)
{
	unsigned random = seed;

	(void)bytes;
	(void)len;
	if (clock_used())
		return SEED;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		return seed; /* the time */
	return random;
}
