/* SPDX-License-Identifier: MIT */
/* A guess is made only where somebody may have meant it. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/base/nearest.h"

static const char *const words[] = { "addr", "mtu", "name", "persist", "netns", "up", NULL };

START_TEST(one_or_two_slips_are_understood)
{
	ck_assert_str_eq(nearest("adr", words), "addr");
	ck_assert_str_eq(nearest("addrs", words), "addr");
	ck_assert_str_eq(nearest("nmae", words), "name");
	ck_assert_str_eq(nearest("presist", words), "persist");
	ck_assert_str_eq(nearest("mtx", words), "mtu");
	ck_assert_str_eq(nearest("mut", words), "mtu"); /* two neighbours exchanged: one slip */
}
END_TEST

START_TEST(known_word_is_nearest_to_itself)
{
	for (const char *const *word = words; *word; word++)
		ck_assert_ptr_eq(nearest(*word, words), *word);
}
END_TEST

START_TEST(nothing_near_is_no_guess)
{
	ck_assert_ptr_null(nearest("colour", words));
	ck_assert_ptr_null(nearest("xyz", words));
	ck_assert_ptr_null(nearest("", words));
	ck_assert_ptr_null(nearest("name", (const char *const[]){ NULL }));
}
END_TEST

START_TEST(short_word_is_not_replaced_as_a_whole)
{
	ck_assert_ptr_null(nearest("x", words));
	ck_assert_ptr_null(nearest("xx", words));
	ck_assert_str_eq(nearest("ux", words), "up");
}
END_TEST

START_TEST(words_of_any_length_are_taken)
{
	char longest[200];
	const char *const known[] = { longest, "addr", NULL };

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_ptr_null(nearest(longest, words));
	ck_assert_str_eq(nearest("addr", known), "addr");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nearest");
	TCase *tc = tcase_create("nearest");

	tcase_add_test(tc, one_or_two_slips_are_understood);
	tcase_add_test(tc, known_word_is_nearest_to_itself);
	tcase_add_test(tc, nothing_near_is_no_guess);
	tcase_add_test(tc, short_word_is_not_replaced_as_a_whole);
	tcase_add_test(tc, words_of_any_length_are_taken);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
