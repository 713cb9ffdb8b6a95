/* SPDX-License-Identifier: MIT */
/* A line about a packet ends, whatever is nested or points in circles, and stays in its room. */
#include "tests/unit/unit.h"

#include "host/packet/dissect.h"
#include "host/packet/parse.h"
#include "host/packet/print.h"
#include "host/packet/wire.h"

enum { ROOM = 1 << 20 };

static char out[ROOM];

static struct packet *parsed(const uint8_t *bytes, size_t len)
{
	struct packet *p = packet_from_bytes(bytes, len, LAYER_ip);

	ck_assert_ptr_nonnull(p);
	parse(p);
	return p;
}

/* 3000 IPv4 headers, each in the one before. */
START_TEST(nested_headers_are_followed_to_a_depth)
{
	enum { COUNT = 3000 };
	static uint8_t bytes[COUNT * IP_HEADER];

	for (unsigned i = 0; i < COUNT; i++) {
		uint8_t *ip = bytes + i * IP_HEADER;

		ip[0] = 0x45;
		store_be16(ip + IP_LEN, (uint16_t)(sizeof(bytes) - i * IP_HEADER));
		ip[IP_TTL] = 64;
		ip[IP_PROTO] = PROTO_IP4;
	}
	struct packet *p = parsed(bytes, sizeof(bytes));

	ck_assert_uint_lt(print_line(p, out, ROOM), 1000);
	ck_assert_uint_lt(dissect(p, out, ROOM), DISSECT_ROOM);
	packet_free(p);
}
END_TEST

/* A name that points at itself, and one at a later one. */
START_TEST(names_that_point_in_circles_end)
{
	static const uint8_t bytes[] = { 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1,
		192, 0, 2, 2, 0x80, 0, 0, 53, 0, 26, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0,
		12, 0, 1, 0, 1 };
	struct packet *p = parsed(bytes, sizeof(bytes));

	print_line(p, out, ROOM);
	ck_assert_str_eq(out, "IP 192.0.2.1.32768 > 192.0.2.2.53: 1+ A? <BAD PTR> [|domain]");
	packet_free(p);
}
END_TEST

START_TEST(a_line_is_cut_at_its_room)
{
	static const uint8_t bytes[] = { 0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0, 0, 192, 0, 2, 1,
		192, 0, 2, 2 };
	static const char line[] = "IP 192.0.2.1 > 192.0.2.2:  ip-proto-253 0";
	struct packet *p = parsed(bytes, sizeof(bytes));

	for (size_t room = 1; room < sizeof(line) + 4; room++) {
		size_t len = print_line(p, out, room);

		ck_assert_uint_eq(len, room < sizeof(line) ? room - 1 : sizeof(line) - 1);
		ck_assert(!memcmp(out, line, len) && !out[len]);
	}
	packet_free(p);
}
END_TEST

START_TEST(a_tree_is_cut_at_its_room)
{
	static const uint8_t bytes[] = { 0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0, 0, 192, 0, 2, 1,
		192, 0, 2, 2 };
	struct packet *p = parsed(bytes, sizeof(bytes));
	size_t whole = dissect(p, out, ROOM);

	for (size_t room = 1; room <= whole; room++)
		ck_assert_uint_eq(dissect(p, out, room), room - 1);
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("print");
	TCase *tc = tcase_create("print");

	tcase_add_test(tc, nested_headers_are_followed_to_a_depth);
	tcase_add_test(tc, names_that_point_in_circles_end);
	tcase_add_test(tc, a_line_is_cut_at_its_room);
	tcase_add_test(tc, a_tree_is_cut_at_its_room);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
