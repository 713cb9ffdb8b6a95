/* SPDX-License-Identifier: MIT */
/* The Internet checksum verifies after every way of changing what it covers. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/packet/wire.h"

START_TEST(incremental_verifies_for_every_request_checksum)
{
	uint8_t icmp[8] = { 8 };

	for (unsigned ident = 0; ident < 65536; ident++) {
		store_be16(icmp + 2, 0);
		store_be16(icmp + 4, (uint16_t)ident);
		icmp[0] = 8;
		uint16_t checksum = (uint16_t)~checksum_sum(icmp, sizeof(icmp), 0);

		icmp[0] = 0;
		store_be16(icmp + 2, checksum_add(checksum, checksum_delta(0x0800, 0x0000)));
		ck_assert_uint_eq(checksum_sum(icmp, sizeof(icmp), 0), 0xffff);
	}
}
END_TEST

START_TEST(sum_equals_that_of_words_one_by_one)
{
	uint8_t bytes[67];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (unsigned len = 0; len <= sizeof(bytes); len++) {
		uint32_t sum = 0;

		for (unsigned i = 0; i < len; i++)
			sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		ck_assert_uint_eq(checksum_sum(bytes, len, 0), checksum_fold(sum));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checksum");
	TCase *tc = tcase_create("checksum");

	tcase_add_test(tc, incremental_verifies_for_every_request_checksum);
	tcase_add_test(tc, sum_equals_that_of_words_one_by_one);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
