/* SPDX-License-Identifier: MIT */
/* Wakes scripts that wait for a time. */
#include "host/engine/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timers_open(struct timers *timers)
{
	*timers = (struct timers){ 0 };
	timers->watch.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return timers->watch.fd < 0 ? -errno : 0;
}

void timers_close(struct timers *timers)
{
	free(timers->heap);
	timers->heap = NULL;
	close(timers->watch.fd);
}

/* A timerfd that is set to 0 is off: a time that has passed is set to 1 ns after boot. */
static void arm(const struct timers *timers)
{
	struct itimerspec when = { 0 };

	if (timers->count) {
		int64_t ns = timers->heap[0].due.ns > 0 ? timers->heap[0].due.ns : 1;

		when.it_value.tv_sec = ns / NS_PER_S;
		when.it_value.tv_nsec = ns % NS_PER_S;
	}
	timerfd_settime(timers->watch.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due.ns < b->due.ns || (a->due.ns == b->due.ns && a->id < b->id);
}

static void exchange(struct timer *a, struct timer *b)
{
	struct timer keep = *a;

	*a = *b;
	*b = keep;
}

static void sift_up(struct timers *timers, unsigned at)
{
	struct timer *heap = timers->heap;

	for (; at && is_before(&heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2)
		exchange(&heap[at], &heap[(at - 1) / 2]);
}

static void sift_down(struct timers *timers, unsigned at)
{
	struct timer *heap = timers->heap;

	for (;;) {
		unsigned least = at;

		for (unsigned child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < timers->count && is_before(&heap[child], &heap[least]))
				least = child;
		}
		if (least == at)
			return;
		exchange(&heap[at], &heap[least]);
		at = least;
	}
}

static void drop(struct timers *timers, unsigned at)
{
	timers->heap[at] = timers->heap[--timers->count];
	if (at < timers->count) {
		sift_down(timers, at);
		sift_up(timers, at);
	}
}

int timer_add(struct timers *timers, struct mono due, int64_t period_ns, int ref, uint64_t *id)
{
	if (timers->count == timers->room) {
		unsigned room = timers->room ? 2 * timers->room : 16;
		struct timer *heap = realloc(timers->heap, room * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		timers->heap = heap;
		timers->room = room;
	}
	*id = ++timers->last_id;
	timers->heap[timers->count] = (struct timer){ due, period_ns, ref, *id };
	sift_up(timers, timers->count++);
	arm(timers);
	return 0;
}

const struct timer *timer_find(const struct timers *timers, uint64_t id)
{
	for (unsigned i = 0; i < timers->count; i++) {
		if (timers->heap[i].id == id)
			return &timers->heap[i];
	}
	return NULL;
}

bool timer_cancel(struct timers *timers, uint64_t id, int *ref)
{
	const struct timer *timer = timer_find(timers, id);

	if (!timer)
		return false;
	*ref = timer->ref;
	drop(timers, (unsigned)(timer - timers->heap));
	arm(timers);
	return true;
}

bool timer_take(struct timers *timers, struct mono now, struct timer *out)
{
	uint64_t expirations;

	if (!timers->count || timers->heap[0].due.ns > now.ns) {
		/* Nothing more is due: make the descriptor quiet until the next. */
		if (read(timers->watch.fd, &expirations, sizeof(expirations)) > 0)
			arm(timers);
		return false;
	}
	*out = timers->heap[0];
	if (!out->period_ns) {
		drop(timers, 0);
		return true;
	}
	int64_t missed = (now.ns - out->due.ns) / out->period_ns;

	timers->heap[0].due = mono_add(out->due, (missed + 1) * out->period_ns);
	sift_down(timers, 0);
	return true;
}
