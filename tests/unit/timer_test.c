/* SPDX-License-Identifier: MIT */
/* Timers fire in order, once, and not after they were cancelled. */
#include "tests/unit/unit.h"

#include <poll.h>

#include "host/engine/timer.h"

static struct timers timers;

static void setup(void)
{
	ck_assert_int_eq(timers_open(&timers), 0);
}

static void teardown(void)
{
	timers_close(&timers);
}

static uint64_t add(int64_t due, int64_t period, int ref)
{
	uint64_t id;

	ck_assert_int_eq(timer_add(&timers, (struct mono){ due }, period, ref, &id), 0);
	return id;
}

/* The ref of what is due at `now`, 0 if nothing is. */
static int take(int64_t now)
{
	struct timer timer;

	return timer_take(&timers, (struct mono){ now }, &timer) ? timer.ref : 0;
}

static bool rings(int timeout_ms)
{
	struct pollfd pfd = { .fd = timers.watch.fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) == 1;
}

START_TEST(earliest_fires_first)
{
	/* 2 generates all residues modulo 101: every time once, well mixed. */
	for (int i = 1, due = 1; i <= 100; i++, due = due * 2 % 101)
		add(due, 0, due);
	for (int due = 1; due <= 100; due++)
		ck_assert_int_eq(take(1000), due);
	ck_assert_int_eq(take(1000), 0);
}
END_TEST

START_TEST(equal_times_fire_in_the_order_they_were_added)
{
	for (int ref = 1; ref <= 40; ref++)
		add(5, 0, ref);
	for (int ref = 1; ref <= 40; ref++)
		ck_assert_int_eq(take(5), ref);
}
END_TEST

START_TEST(nothing_fires_before_its_time)
{
	add(100, 0, 1);
	ck_assert_int_eq(take(99), 0);
	ck_assert_int_eq(take(100), 1);
	ck_assert_int_eq(take(101), 0);
}
END_TEST

START_TEST(cancelled_timer_does_not_fire_and_gives_its_ref_back)
{
	uint64_t ids[50];
	int ref = 0;

	for (int i = 0; i < 50; i++)
		ids[i] = add(1 + i * 29 % 50, 0, 100 + i);
	for (int i = 0; i < 50; i += 2) {
		ck_assert(timer_cancel(&timers, ids[i], &ref));
		ck_assert_int_eq(ref, 100 + i);
	}
	unsigned fired = 0;
	struct timer timer;
	int64_t last = 0;

	while (timer_take(&timers, (struct mono){ 1000 }, &timer)) {
		ck_assert_int_eq((timer.ref - 100) % 2, 1);
		ck_assert_int_gt(timer.due.ns, last);
		last = timer.due.ns;
		fired++;
	}
	ck_assert_uint_eq(fired, 25);
}
END_TEST

START_TEST(cancelling_twice_or_after_firing_says_so)
{
	uint64_t once = add(1, 0, 1), other = add(50, 0, 2);
	int ref = -1;

	ck_assert_int_eq(take(1), 1);
	ck_assert(!timer_cancel(&timers, once, &ref));
	ck_assert_int_eq(ref, -1);
	ck_assert(timer_cancel(&timers, other, &ref));
	ck_assert(!timer_cancel(&timers, other, &ref));
	ck_assert(!timer_cancel(&timers, 12345, &ref));
}
END_TEST

START_TEST(id_is_never_used_twice)
{
	uint64_t first = add(1, 0, 1), second;
	int ref;

	ck_assert_int_eq(take(1), 1);
	second = add(1, 0, 1);
	ck_assert_uint_ne(first, second);
	ck_assert(timer_cancel(&timers, second, &ref));
	ck_assert_uint_ne(add(1, 0, 1), second);
}
END_TEST

START_TEST(periodic_timer_keeps_its_grid)
{
	add(10, 10, 1);
	for (int64_t now = 10; now <= 100; now += 10) {
		ck_assert_int_eq(take(now - 1), 0);
		ck_assert_int_eq(take(now + 3), 1);
		ck_assert_int_eq(take(now + 3), 0);
	}
}
END_TEST

START_TEST(missed_times_are_left_out)
{
	struct timer timer;

	add(10, 10, 1);
	ck_assert(timer_take(&timers, (struct mono){ 57 }, &timer));
	ck_assert(!timer_take(&timers, (struct mono){ 57 }, &timer));
	ck_assert(!timer_take(&timers, (struct mono){ 59 }, &timer));
	ck_assert(timer_take(&timers, (struct mono){ 60 }, &timer));
	ck_assert_int_eq(timer.due.ns, 60);
}
END_TEST

START_TEST(periodic_timer_can_be_cancelled_after_it_fired)
{
	uint64_t id = add(10, 10, 7);
	int ref;

	ck_assert_int_eq(take(10), 7);
	ck_assert(timer_cancel(&timers, id, &ref));
	ck_assert_int_eq(ref, 7);
	ck_assert_int_eq(take(1000), 0);
}
END_TEST

START_TEST(descriptor_rings_for_the_earliest_and_then_is_quiet)
{
	struct clock clock;

	clock_init_real(&clock);
	int64_t now = clock_now(&clock).ns;

	ck_assert(!rings(0));
	add(now + 3600LL * NS_PER_S, 0, 1);
	ck_assert(!rings(0));
	add(now + 5 * NS_PER_MS, 0, 2);
	ck_assert(rings(5000));
	now = clock_now(&clock).ns;
	ck_assert_int_eq(take(now), 2);
	ck_assert_int_eq(take(now), 0);
	ck_assert(!rings(20));
}
END_TEST

START_TEST(descriptor_rings_for_times_that_have_passed)
{
	add(0, 0, 1);
	ck_assert(rings(5000));
	ck_assert_int_eq(take(1), 1);
	add(-5, 0, 2);
	ck_assert(rings(5000));
}
END_TEST

START_TEST(cancelling_the_earliest_rearms_for_the_next)
{
	struct clock clock;
	int ref;

	clock_init_real(&clock);
	uint64_t id = add(0, 0, 1);

	add(clock_now(&clock).ns + 3600LL * NS_PER_S, 0, 2);
	ck_assert(rings(5000));
	ck_assert(timer_cancel(&timers, id, &ref));
	ck_assert(!rings(0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tc = tcase_create("timer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, earliest_fires_first);
	tcase_add_test(tc, equal_times_fire_in_the_order_they_were_added);
	tcase_add_test(tc, nothing_fires_before_its_time);
	tcase_add_test(tc, cancelled_timer_does_not_fire_and_gives_its_ref_back);
	tcase_add_test(tc, cancelling_twice_or_after_firing_says_so);
	tcase_add_test(tc, id_is_never_used_twice);
	tcase_add_test(tc, periodic_timer_keeps_its_grid);
	tcase_add_test(tc, missed_times_are_left_out);
	tcase_add_test(tc, periodic_timer_can_be_cancelled_after_it_fired);
	tcase_add_test(tc, descriptor_rings_for_the_earliest_and_then_is_quiet);
	tcase_add_test(tc, descriptor_rings_for_times_that_have_passed);
	tcase_add_test(tc, cancelling_the_earliest_rearms_for_the_next);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
