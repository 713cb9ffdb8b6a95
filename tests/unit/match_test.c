/* SPDX-License-Identifier: MIT */
/* A compiled match holds for the packets that its tests say, and an index changes nothing but the
 * time. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "host/policy/rule.h"
#include "tests/fuzz/any_match.h"
#include "tests/unit/frames.h"

static struct packet *echo, *echo6;

static void setup(void)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 56);
	struct frame f6 = frame_echo("2001:db8::1", "2001:db8::7", 56);

	echo = frame_packet(&f);
	echo6 = frame_packet(&f6);
}

static void teardown(void)
{
	packet_free(echo);
	packet_free(echo6);
}

static const struct field *field_named(enum layer_id layer, const char *name)
{
	const struct field *field = field_find(layer, name);

	ck_assert_ptr_nonnull(field);
	return field;
}

static struct match *opened(void)
{
	struct match *match = match_new();

	ck_assert_ptr_nonnull(match);
	return match;
}

static void add_field(struct match *match, enum layer_id layer, const char *name)
{
	struct layer_ref place = { (uint8_t)layer, 0 };

	ck_assert_int_eq(match_field(match, field_named(layer, name), place), 0);
}

static void add_span(struct match *match, wide low, wide high)
{
	struct match_want want = { .kind = WANT_SPAN, .low = low, .high = high };

	ck_assert_int_eq(match_want(match, &want), 0);
}

static struct match *compiled(struct match *match)
{
	ck_assert_int_eq(match_compile(match), 0);
	return match;
}

static bool holds_once(struct match *match, const struct packet *p)
{
	bool holds = match_packet(compiled(match), p);

	match_release(match);
	return holds;
}

START_TEST(match_of_no_tests_holds_for_every_packet)
{
	ck_assert(holds_once(opened(), echo));
	ck_assert(holds_once(opened(), echo6));
}
END_TEST

START_TEST(field_without_wants_never_holds)
{
	struct match *match = opened();

	add_field(match, LAYER_ip, "ttl");
	ck_assert(!holds_once(match, echo));
}
END_TEST

/* Of sets of every size, one span to more than a bitmap or a search: their bounds, and beside. */
START_TEST(set_has_its_values_and_no_others)
{
	for (unsigned count = 1; count < 40; count++) {
		struct match *match = opened();
		struct packet *p = packet_copy(echo);
		const struct layer *ip = packet_layer(p, LAYER_ip);

		add_field(match, LAYER_ip, _i ? "id" : "src");
		for (unsigned i = count; i--;)
			add_span(match, 1000 + i * 10, 1000 + i * 10 + i % 3);
		compiled(match);
		for (unsigned n = 990; n < 1420; n++) {
			bool is_in = n >= 1000 && (n - 1000) / 10 < count &&
				     (n - 1000) % 10 <= (n - 1000) / 10 % 3;
			uint8_t *at = layer_bytes(p, ip) + (_i ? IP_ID : IP_SRC);

			if (_i)
				store_be16(at, (uint16_t)n);
			else
				store_be32(at, n);
			ck_assert_msg(match_packet(match, p) == is_in, "%u of %u", n, count);
		}
		packet_free(p);
		match_release(match);
	}
}
END_TEST

START_TEST(spans_that_touch_or_overlap_are_one)
{
	struct match *match = opened();

	add_field(match, LAYER_ip, "ttl");
	add_span(match, 10, 20);
	add_span(match, 15, 63);
	add_span(match, 64, 64);
	add_span(match, 0, 255);
	add_span(match, 7, 3);
	ck_assert(holds_once(match, echo));
}
END_TEST

START_TEST(span_to_the_largest_address_has_it)
{
	struct match *match = opened();
	struct packet *p = packet_copy(echo6);

	memset(layer_bytes(p, packet_layer(p, LAYER_ipv6)) + IPV6_SRC, 0xff, 16);
	add_field(match, LAYER_ipv6, "src");
	add_span(match, ~(wide)0, ~(wide)0);
	add_span(match, 1, 5);
	compiled(match);
	ck_assert(match_packet(match, p));
	ck_assert(!match_packet(match, echo6));
	match_release(match);
	packet_free(p);
}
END_TEST

START_TEST(groups_nest_as_deep_as_is_said_and_no_deeper)
{
	struct match *match = opened();
	unsigned depth = 1;

	while (!match_begin(match, MATCH_NOT))
		depth++;
	ck_assert_uint_eq(depth, MATCH_DEPTH);
	ck_assert_int_eq(match_begin(match, MATCH_ALL), -E2BIG);
	while (--depth)
		match_end(match);
	/* 15 negations of what always holds */
	ck_assert(!holds_once(match, echo));
}
END_TEST

START_TEST(match_takes_as_many_tests_as_is_said_and_no_more)
{
	struct match *match = opened();
	struct layer_ref place = { LAYER_ip, 0 };
	unsigned count = 1; /* the outermost group */

	while (!match_layer(match, place, true))
		count++;
	ck_assert_uint_eq(count, MATCH_TESTS);
	ck_assert(holds_once(match, echo));
}
END_TEST

START_TEST(match_half_made_is_let_go)
{
	struct match *match = opened();

	add_field(match, LAYER_ip, "ttl");
	add_span(match, 1, 2);
	ck_assert_int_eq(match_begin(match, MATCH_ANY), 0);
	match_release(match);
}
END_TEST

/* Any bytes will do, as long as they are the same each time. */
static void bytes_fill(uint8_t *bytes, size_t len, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i < len; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		bytes[i] = (uint8_t)(state >> 32);
	}
}

static struct packet *packet_any(uint64_t seed)
{
	struct frame f;
	unsigned count = 0;

	while (frame_sample(count, &f))
		count++;
	frame_sample((unsigned)(seed % count), &f);
	return frame_packet(&f);
}

START_TEST(compiled_match_says_what_a_naive_one_says)
{
	unsigned held = 0;

	for (uint64_t seed = 1; seed < 5000; seed++) {
		uint8_t bytes[256];
		struct packet *p = packet_any(seed);

		bytes_fill(bytes, sizeof(bytes), seed);
		held += any_match_agrees(&(struct any_source){ bytes, bytes + sizeof(bytes) }, p);
		packet_free(p);
	}
	ck_assert_uint_gt(held, 500);
	ck_assert_uint_lt(held, 4500);
}
END_TEST

START_TEST(indexed_table_gives_the_same_actions_and_hits)
{
	unsigned indexed = 0, found = 0;

	for (uint64_t seed = 1; seed < 1000; seed++) {
		uint8_t bytes[1024];
		struct packet *p = packet_any(seed);

		bytes_fill(bytes, sizeof(bytes), seed);
		unsigned said =
			any_table_agrees(&(struct any_source){ bytes, bytes + sizeof(bytes) }, p);

		indexed += said > 0;
		found += said > 1;
		packet_free(p);
	}
	ck_assert_uint_gt(indexed, 300);
	ck_assert_uint_gt(found, 150);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("match");
	TCase *tc = tcase_create("match");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, match_of_no_tests_holds_for_every_packet);
	tcase_add_test(tc, field_without_wants_never_holds);
	tcase_add_loop_test(tc, set_has_its_values_and_no_others, 0, 2);
	tcase_add_test(tc, spans_that_touch_or_overlap_are_one);
	tcase_add_test(tc, span_to_the_largest_address_has_it);
	tcase_add_test(tc, groups_nest_as_deep_as_is_said_and_no_deeper);
	tcase_add_test(tc, match_takes_as_many_tests_as_is_said_and_no_more);
	tcase_add_test(tc, match_half_made_is_let_go);
	tcase_add_test(tc, compiled_match_says_what_a_naive_one_says);
	tcase_add_test(tc, indexed_table_gives_the_same_actions_and_hits);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
