/* SPDX-License-Identifier: MIT */
/* Every event is given out to who waits for it, and to nobody else. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "host/engine/loop.h"

static struct loop loop;
static int pipes[2][2];
static unsigned calls[2];

static void setup(void)
{
	ck_assert_int_eq(loop_open(&loop), 0);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(pipes[i]), 0);
		ck_assert_int_eq(write(pipes[i][1], "x", 1), 1);
		calls[i] = 0;
	}
}

static void teardown(void)
{
	loop_close(&loop);
	for (unsigned i = 0; i < 2; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void done(struct watch *watch, unsigned i)
{
	calls[i]++;
	loop_remove(&loop, watch);
}

static void last_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	done(watch, 1);
}

/* Waits in turn, as a script does that its event has woken. */
static void first_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	done(watch, 0);
	ck_assert_int_eq(loop_wait(&loop, 0), 0);
}

START_TEST(who_waits_in_turn_takes_an_event_once)
{
	struct watch first = { .fd = pipes[0][0], .ready = first_ready };
	struct watch last = { .fd = pipes[1][0], .ready = last_ready };

	ck_assert_int_eq(loop_add(&loop, &first, EPOLLIN), 0);
	ck_assert_int_eq(loop_add(&loop, &last, EPOLLIN), 0);
	ck_assert_int_eq(loop_wait(&loop, 0), 0);
	ck_assert_int_eq(loop_wait(&loop, 0), 0);
	ck_assert_uint_eq(calls[0], 1);
	ck_assert_uint_eq(calls[1], 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_waits_in_turn_takes_an_event_once);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
