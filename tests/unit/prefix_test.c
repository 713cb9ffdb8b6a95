/* SPDX-License-Identifier: MIT */
/* Addresses and prefixes are read, written and compared in one way for both families. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/base/prefix.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	ck_assert_msg(prefix_parse(&prefix, text), "%s is no prefix", text);
	return prefix;
}

static struct addr addr_of(const char *text)
{
	struct addr addr;

	ck_assert_msg(addr_parse(&addr, text), "%s is no address", text);
	return addr;
}

START_TEST(text_that_is_no_prefix_leaves_the_result_untouched)
{
	static const char *const bad[] = { "", "/", "/24", "10.0.0.1/", "10.0.0.1/33",
		"10.0.0.1/-1", "10.0.0.1/+1", "10.0.0.1/ 8", "10.0.0.1/8x", "10.0.0.1/0x8",
		"10.0.0.1/99999999999", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1.2",
		"fd00::/129", "fd00:::1", "::g", "localhost", "fe80::1%eth0", "10.0.0.1/8/8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999/64" };
	struct prefix untouched, out;

	memset(&untouched, 0x5a, sizeof(untouched));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&out, 0x5a, sizeof(out));
		ck_assert_msg(!prefix_parse(&out, bad[i]), "%s was taken", bad[i]);
		ck_assert_mem_eq(&out, &untouched, sizeof(out));
	}
}
END_TEST

START_TEST(prefix_without_a_length_is_a_host)
{
	ck_assert_uint_eq(prefix_of("10.0.0.1").len, 32);
	ck_assert_uint_eq(prefix_of("fd00::1").len, 128);
}
END_TEST

START_TEST(text_comes_back_canonical)
{
	static const char *const pairs[][2] = { { "10.0.0.1/24", "10.0.0.1/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" }, { "FD00:0:0:0:0:0:0:1/64", "fd00::1/64" },
		{ "::/0", "::/0" }, { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1/128" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1/128" } };
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct prefix prefix = prefix_of(pairs[i][0]);

		ck_assert_str_eq(prefix_text(&prefix, text), pairs[i][1]);
	}
}
END_TEST

START_TEST(every_length_contains_exactly_what_shares_its_bits)
{
	static const char *const all[] = { "170.85.170.85", "aa55:aa55:aa55:aa55::55aa" };

	for (unsigned f = 0; f < 2; f++) {
		struct addr addr = addr_of(all[f]);
		unsigned bits = (unsigned)family_bytes(addr.family) * 8;

		for (unsigned len = 0; len <= bits; len++) {
			struct prefix prefix = { addr, (uint8_t)len };

			ck_assert(prefix_contains(&prefix, addr.family, addr.bytes));
			for (unsigned bit = 0; bit < bits; bit++) {
				struct addr other = addr;

				other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
				ck_assert_int_eq(
					prefix_contains(&prefix, other.family, other.bytes),
					bit >= len);
			}
		}
	}
}
END_TEST

START_TEST(families_do_not_contain_each_other)
{
	struct prefix all4 = prefix_of("0.0.0.0/0"), all6 = prefix_of("::/0");
	struct addr a4 = addr_of("10.0.0.1"), a6 = addr_of("fd00::1");

	ck_assert(!prefix_contains(&all4, FAMILY_6, a6.bytes));
	ck_assert(!prefix_contains(&all6, FAMILY_4, a4.bytes));
	ck_assert(!prefix_overlap(&all4, &all6));
	ck_assert(!addr_equal(&a4, &a6));
}
END_TEST

START_TEST(overlap_is_symmetric_and_means_containment)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = { { "10.0.0.0/8", "10.1.2.0/24", true }, { "10.0.0.0/8", "11.0.0.0/8", false },
		{ "10.0.0.1/24", "10.0.0.200/24", true }, { "0.0.0.0/0", "1.2.3.4/32", true },
		{ "fd00::/64", "fd00:0:0:1::/64", false }, { "fd00::/63", "fd00:0:0:1::/64", true },
		{ "10.0.0.0/31", "10.0.0.2/31", false } };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix a = prefix_of(rows[i].a), b = prefix_of(rows[i].b);

		ck_assert_int_eq(prefix_overlap(&a, &b), rows[i].overlap);
		ck_assert_int_eq(prefix_overlap(&b, &a), rows[i].overlap);
	}
}
END_TEST

START_TEST(network_and_broadcast_exist_in_v4_prefixes_shorter_than_31)
{
	static const struct {
		const char *prefix, *addr;
		bool is_edge;
	} rows[] = { { "10.0.0.5/24", "10.0.0.0", true }, { "10.0.0.5/24", "10.0.0.255", true },
		{ "10.0.0.5/24", "10.0.0.1", false }, { "10.0.0.5/24", "10.0.1.0", false },
		{ "10.0.0.5/16", "10.0.0.255", false }, { "10.0.0.5/16", "10.0.255.255", true },
		{ "10.0.0.4/30", "10.0.0.4", true }, { "10.0.0.4/30", "10.0.0.7", true },
		{ "10.0.0.4/31", "10.0.0.4", false }, { "10.0.0.4/31", "10.0.0.5", false },
		{ "10.0.0.4/32", "10.0.0.4", false }, { "0.0.0.0/0", "0.0.0.0", true },
		{ "0.0.0.0/0", "255.255.255.255", true }, { "0.0.0.0/0", "10.0.0.0", false },
		{ "fd00::/64", "fd00::", false } };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix prefix = prefix_of(rows[i].prefix);
		struct addr addr = addr_of(rows[i].addr);

		ck_assert_msg(
			prefix_is_network_or_broadcast(&prefix, addr.bytes) == rows[i].is_edge,
			"%s of %s", rows[i].addr, rows[i].prefix);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prefix");
	TCase *tc = tcase_create("prefix");

	tcase_add_test(tc, text_that_is_no_prefix_leaves_the_result_untouched);
	tcase_add_test(tc, prefix_without_a_length_is_a_host);
	tcase_add_test(tc, text_comes_back_canonical);
	tcase_add_test(tc, every_length_contains_exactly_what_shares_its_bits);
	tcase_add_test(tc, families_do_not_contain_each_other);
	tcase_add_test(tc, overlap_is_symmetric_and_means_containment);
	tcase_add_test(tc, network_and_broadcast_exist_in_v4_prefixes_shorter_than_31);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
