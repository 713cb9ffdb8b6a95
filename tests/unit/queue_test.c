/* SPDX-License-Identifier: MIT */
/* Records come out of a queue as they were put in, in order, and none is made up or lost. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "host/base/queue.h"

enum { QUEUE = 256 };

static struct queue queue;

static void setup(void)
{
	ck_assert_int_eq(queue_init(&queue, QUEUE), 0);
}

static void teardown(void)
{
	queue_fini(&queue);
}

START_TEST(empty_queue_gives_nothing)
{
	uint8_t tag = 77, byte = 1;
	size_t len = 99;

	ck_assert(queue_is_empty(&queue));
	ck_assert(!queue_take(&queue, &tag, &byte, 1, &len));
	ck_assert_uint_eq(tag, 77);
	ck_assert_uint_eq(len, 99);
}
END_TEST

START_TEST(records_come_out_in_order_across_the_wrap)
{
	uint8_t in[40], out[40], tag;
	bool was_empty;
	size_t len;

	for (unsigned i = 0; i < 1000; i++) {
		size_t want = i % sizeof(in);

		memset(in, (int)i, sizeof(in));
		ck_assert(queue_put(&queue, (uint8_t)(i % 3), in, want, &was_empty));
		ck_assert(was_empty);
		ck_assert(queue_take(&queue, &tag, out, sizeof(out), &len));
		ck_assert_uint_eq(tag, i % 3);
		ck_assert_uint_eq(len, want);
		ck_assert_mem_eq(in, out, want);
	}
	ck_assert(queue_is_empty(&queue));
}
END_TEST

START_TEST(full_queue_refuses_and_keeps_what_it_has)
{
	uint8_t in[20], out[20], tag;
	unsigned put = 0, taken = 0;
	bool was_empty;
	size_t len;

	for (;; put++) {
		memset(in, (int)put, sizeof(in));
		if (!queue_put(&queue, 1, in, sizeof(in), &was_empty))
			break;
		ck_assert_int_eq(was_empty, put == 0);
	}
	ck_assert_uint_gt(put, 5);
	for (; queue_take(&queue, &tag, out, sizeof(out), &len); taken++) {
		memset(in, (int)taken, sizeof(in));
		ck_assert_mem_eq(in, out, sizeof(in));
	}
	ck_assert_uint_eq(taken, put);
}
END_TEST

START_TEST(record_longer_than_a_quarter_never_fits)
{
	uint8_t bytes[QUEUE / 4 + 1] = { 0 };
	bool was_empty;

	ck_assert(!queue_put(&queue, 1, bytes, sizeof(bytes), &was_empty));
	ck_assert(queue_put(&queue, 1, bytes, sizeof(bytes) - 1, &was_empty));
}
END_TEST

START_TEST(record_is_cut_to_the_readers_room_and_the_next_is_whole)
{
	uint8_t tag;
	char out[8];
	bool was_empty;
	size_t len;

	ck_assert(queue_put(&queue, 1, "too long a line", 15, &was_empty));
	ck_assert(queue_put(&queue, 2, "next", 4, &was_empty));
	ck_assert(queue_take(&queue, &tag, out, 3, &len));
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(out, "too", 3);
	ck_assert(queue_take(&queue, &tag, out, sizeof(out), &len));
	ck_assert_uint_eq(tag, 2);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(out, "next", 4);
}
END_TEST

enum { RECORDS = 20000 };

static void *writer(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < RECORDS; i++) {
		bool was_empty;

		while (!queue_put(&queue, (uint8_t)i, &i, sizeof(i), &was_empty))
			sched_yield();
	}
	return NULL;
}

START_TEST(two_threads_lose_nothing)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, writer, NULL), 0);
	for (uint32_t i = 0; i < RECORDS;) {
		uint32_t got;
		uint8_t tag;
		size_t len;

		if (!queue_take(&queue, &tag, &got, sizeof(got), &len)) {
			sched_yield();
			continue;
		}
		ck_assert_uint_eq(len, sizeof(got));
		ck_assert_uint_eq(got, i);
		ck_assert_uint_eq(tag, (uint8_t)i);
		i++;
	}
	pthread_join(thread, NULL);
	ck_assert(queue_is_empty(&queue));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tc = tcase_create("queue");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, empty_queue_gives_nothing);
	tcase_add_test(tc, records_come_out_in_order_across_the_wrap);
	tcase_add_test(tc, full_queue_refuses_and_keeps_what_it_has);
	tcase_add_test(tc, record_longer_than_a_quarter_never_fits);
	tcase_add_test(tc, record_is_cut_to_the_readers_room_and_the_next_is_whole);
	tcase_add_test(tc, two_threads_lose_nothing);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
