/* SPDX-License-Identifier: MIT */
/* Timers of one worker, by number; the earliest arms a timerfd. */
#pragma once

#include "host/base/clock.h"
#include "host/engine/loop.h"

struct timer {
	struct mono due;
	int64_t period_ns; /* 0: once */
	int ref;	   /* what the script knows it by */
	uint64_t id;	   /* never used twice */
};

struct timers {
	struct watch watch; /* of the timerfd */
	struct timer *heap; /* the earliest first */
	unsigned count, room;
	uint64_t last_id;
};

int timers_open(struct timers *timers);
void timers_close(struct timers *timers);

/* 0 or -ENOMEM. id: for timer_cancel. */
int timer_add(struct timers *timers, struct mono due, int64_t period_ns, int ref, uint64_t *id);

/* The timer of that number, until something is added or taken; NULL: it is over. */
const struct timer *timer_find(const struct timers *timers, uint64_t id);

/* false: it has fired or was cancelled before. ref: what it held. */
bool timer_cancel(struct timers *timers, uint64_t id, int *ref);

/* Takes the earliest timer if it is due; a periodic one goes in again for its next time, and the
 * times that were missed are left out. false: none is due. */
bool timer_take(struct timers *timers, struct mono now, struct timer *out);
