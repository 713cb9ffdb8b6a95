/* SPDX-License-Identifier: MIT */
/* Words stand for the numbers that the registries give, and only in their own fields. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/packet/names.h"

static uint64_t number_of(enum layer_id layer, const char *field, const char *word)
{
	uint64_t number = 0;

	ck_assert_msg(names_number(field_find(layer, field), word, &number), "%s", word);
	return number;
}

START_TEST(words_are_the_registries_numbers)
{
	ck_assert_uint_eq(number_of(LAYER_icmp, "type", "echo-request"), 8);
	ck_assert_uint_eq(number_of(LAYER_icmpv6, "type", "echo-request"), 128);
	ck_assert_uint_eq(number_of(LAYER_arp, "opcode", "reply"), 2);
	ck_assert_uint_eq(number_of(LAYER_eth, "type", "ipv6"), 0x86dd);
	ck_assert_uint_eq(number_of(LAYER_vlan, "etype", "ip"), 0x0800);
	ck_assert_uint_eq(number_of(LAYER_ip, "proto", "sctp"), 132);
	ck_assert_uint_eq(number_of(LAYER_ipv6, "nxt", "icmpv6"), 58);
	ck_assert_uint_eq(number_of(LAYER_dns, "rcode", "nxdomain"), 3);
	ck_assert_uint_eq(number_of(LAYER_ip, "dscp", "ef"), 46);
}
END_TEST

START_TEST(flags_are_joined)
{
	ck_assert_uint_eq(number_of(LAYER_tcp, "flags", "syn"), 2);
	ck_assert_uint_eq(number_of(LAYER_tcp, "flags", "syn|ack"), 18);
	uint64_t number = 99;
	const struct field *flags = field_find(LAYER_tcp, "flags");

	ck_assert(!names_number(flags, "", &number));
	ck_assert(!names_number(flags, "syn|", &number));
	ck_assert(!names_number(flags, "syn|nack", &number));
	ck_assert_uint_eq(number, 99);
}
END_TEST

START_TEST(words_of_other_fields_are_unknown)
{
	uint64_t number = 99;

	ck_assert(!names_number(field_find(LAYER_icmp, "type"), "request", &number));
	ck_assert(!names_number(field_find(LAYER_icmp, "type"), "echo-reques", &number));
	ck_assert(!names_number(field_find(LAYER_ip, "ttl"), "tcp", &number));
	ck_assert_ptr_null(names_word(field_find(LAYER_ip, "ttl"), 6));
	ck_assert_uint_eq(number, 99);
}
END_TEST

START_TEST(every_word_fits_its_field_and_comes_back)
{
	const char *words[64];
	unsigned named = 0;

	for (unsigned i = 0; i < field_count; i++) {
		const struct field *field = &field_table[i];
		unsigned count = names_list(field, words, 64);

		ck_assert_uint_lt(count, 63);
		ck_assert_int_eq(count > 0, field->names != NAMES_none);
		ck_assert_ptr_null(words[count]);
		named += count > 0;
		for (unsigned w = 0; w < count; w++) {
			uint64_t number, again;

			ck_assert(names_number(field, words[w], &number));
			ck_assert_uint_le(number, field_max(field));
			ck_assert_ptr_nonnull(names_word(field, number));
			ck_assert(names_number(field, names_word(field, number), &again));
			ck_assert_uint_eq(again, number);
		}
	}
	ck_assert_uint_ge(named, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, words_are_the_registries_numbers);
	tcase_add_test(tc, flags_are_joined);
	tcase_add_test(tc, words_of_other_fields_are_unknown);
	tcase_add_test(tc, every_word_fits_its_field_and_comes_back);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
