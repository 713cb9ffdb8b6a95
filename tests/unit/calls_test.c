/* SPDX-License-Identifier: MIT */
/* Calls are given back as they were added, in order, also while more are added. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/calls.h"

enum { MANY = 1000 };

static struct calls *calls;

static void setup(void)
{
	calls = calls_new(1);
	ck_assert_ptr_nonnull(calls);
}

static void teardown(void)
{
	calls_free(calls);
}

static void add(unsigned i)
{
	char what[32], results[32];
	struct call call = { .what = what, .results = results };

	call.what_len = (size_t)snprintf(what, sizeof(what), "mt.tun(i%u;", i);
	call.results_len = (size_t)snprintf(results, sizeof(results), "i%u;", i * 7);
	ck_assert_int_eq(calls_add(calls, &call), 0);
}

static void check(const struct call *call, unsigned i)
{
	char what[32];

	snprintf(what, sizeof(what), "mt.tun(i%u;", i);
	ck_assert_str_eq(call->what, what);
	ck_assert_uint_eq(call->what_len, strlen(what));
}

START_TEST(what_was_not_called_yet_is_not_given)
{
	ck_assert_ptr_null(calls_get(calls, 0));
	add(0);
	check(calls_get(calls, 0), 0);
	ck_assert_ptr_null(calls_get(calls, 1));
}
END_TEST

START_TEST(an_entry_keeps_its_place_and_bytes_while_more_come)
{
	add(0);
	const struct call *first = calls_get(calls, 0);

	for (unsigned i = 1; i < MANY; i++)
		add(i);
	ck_assert_ptr_eq(calls_get(calls, 0), first);
	check(first, 0);
	check(calls_get(calls, MANY - 1), MANY - 1);
}
END_TEST

START_TEST(bytes_of_zero_are_kept)
{
	char what[] = "s3:a\0b";
	struct call call = { .what = what, .what_len = 6, .results = what, .results_len = 0 };

	ck_assert_int_eq(calls_add(calls, &call), 0);
	ck_assert_uint_eq(calls_get(calls, 0)->what_len, 6);
	ck_assert_int_eq(memcmp(calls_get(calls, 0)->what, "s3:a\0b", 6), 0);
	ck_assert_uint_eq(calls_get(calls, 0)->results_len, 0);
}
END_TEST

static void *reader(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < MANY;) {
		const struct call *call = calls_get(calls, i);

		if (call)
			check(call, i++);
	}
	return NULL;
}

START_TEST(another_thread_reads_as_they_come)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, reader, NULL), 0);
	for (unsigned i = 0; i < MANY; i++)
		add(i);
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("calls");
	TCase *tcase = tcase_create("calls");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_not_called_yet_is_not_given);
	tcase_add_test(tcase, an_entry_keeps_its_place_and_bytes_while_more_come);
	tcase_add_test(tcase, bytes_of_zero_are_kept);
	tcase_add_test(tcase, another_thread_reads_as_they_come);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
