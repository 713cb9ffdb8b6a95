/* SPDX-License-Identifier: MIT */
/* A packet's edges move inside its buffer or not at all. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/packet/packet.h"
#include "tests/unit/frames.h"

enum { LEN = 10 };

static struct packet *p;

static void setup(void)
{
	p = packet_from_bytes((const uint8_t *)"0123456789", LEN, LAYER_ip);
	ck_assert_ptr_nonnull(p);
}

static void teardown(void)
{
	packet_free(p);
}

static void is_whole(void)
{
	ck_assert(p->head <= p->data && p->data <= p->tail && p->tail <= p->end);
}

START_TEST(fresh_packet_has_headroom_and_its_bytes)
{
	ck_assert_uint_eq(packet_length(p), LEN);
	ck_assert_uint_ge(packet_headroom(p), PACKET_HEADROOM);
	ck_assert_mem_eq(p->data, "0123456789", LEN);
	ck_assert_int_eq(p->first, LAYER_ip);
	ck_assert_ptr_null(p->home);
	is_whole();
}
END_TEST

START_TEST(pull_past_the_tail_changes_nothing)
{
	uint8_t *data = p->data;

	ck_assert(!packet_pull(p, LEN + 1));
	ck_assert(!packet_pull(p, SIZE_MAX));
	ck_assert_ptr_eq(p->data, data);
	ck_assert(packet_pull(p, LEN));
	ck_assert_uint_eq(packet_length(p), 0);
	ck_assert(!packet_pull(p, 1));
	is_whole();
}
END_TEST

START_TEST(push_past_the_headroom_changes_nothing)
{
	size_t headroom = packet_headroom(p);

	ck_assert(!packet_push(p, headroom + 1));
	ck_assert(!packet_push(p, SIZE_MAX));
	ck_assert_uint_eq(packet_headroom(p), headroom);
	ck_assert(packet_push(p, headroom));
	ck_assert_ptr_eq(p->data, p->head);
	ck_assert_uint_eq(packet_length(p), headroom + LEN);
	ck_assert(!packet_push(p, 1));
	is_whole();
}
END_TEST

START_TEST(push_undoes_pull)
{
	ck_assert(packet_pull(p, 4));
	ck_assert_mem_eq(p->data, "456789", 6);
	ck_assert(packet_push(p, 4));
	ck_assert_mem_eq(p->data, "0123456789", LEN);
}
END_TEST

START_TEST(trim_never_makes_a_packet_longer)
{
	ck_assert(!packet_trim(p, LEN + 1));
	ck_assert_uint_eq(packet_length(p), LEN);
	ck_assert(packet_trim(p, LEN));
	ck_assert(packet_trim(p, 3));
	ck_assert_uint_eq(packet_length(p), 3);
	ck_assert(!packet_trim(p, 4));
	ck_assert(packet_trim(p, 0));
	is_whole();
}
END_TEST

START_TEST(put_past_the_tailroom_changes_nothing)
{
	ck_assert(packet_trim(p, 4));
	size_t tailroom = packet_tailroom(p);
	uint8_t *tail = p->tail;

	ck_assert_ptr_null(packet_put(p, tailroom + 1));
	ck_assert_ptr_null(packet_put(p, SIZE_MAX));
	ck_assert_ptr_eq(p->tail, tail);
	ck_assert_ptr_eq(packet_put(p, tailroom), tail);
	ck_assert_uint_eq(packet_tailroom(p), 0);
	ck_assert_ptr_null(packet_put(p, 1));
	is_whole();
}
END_TEST

START_TEST(at_gives_only_bytes_that_are_all_there)
{
	for (size_t offset = 0; offset <= LEN + 2; offset++) {
		for (size_t len = 0; len <= LEN + 2; len++) {
			uint8_t *at = packet_at(p, offset, len);

			if (offset + len <= LEN)
				ck_assert_ptr_eq(at, p->data + offset);
			else
				ck_assert_ptr_null(at);
		}
	}
	ck_assert_ptr_null(packet_at(p, SIZE_MAX, 2));
	ck_assert_ptr_null(packet_at(p, 2, SIZE_MAX));
	ck_assert_ptr_null(packet_at(p, SIZE_MAX, SIZE_MAX));
}
END_TEST

START_TEST(reset_forgets_what_was_known)
{
	p->written = WRITTEN_TTL;
	p->malformed = MALFORMED_depth;
	p->wish = 3;
	p->layer_count = 4;
	p->csum.state = CSUM_VALID;
	p->vlan_tpid = 0x8100;
	packet_reset(p, 20);
	ck_assert_uint_eq(packet_length(p), 0);
	ck_assert_uint_eq(packet_headroom(p), 20);
	ck_assert_uint_eq(p->written, 0);
	ck_assert_uint_eq(p->malformed, MALFORMED_none);
	ck_assert_uint_eq(p->wish, 0);
	ck_assert_uint_eq(p->layer_count, 0);
	ck_assert_uint_eq(p->csum.state, CSUM_NONE);
	ck_assert_uint_eq(p->vlan_tpid, 0);
}
END_TEST

START_TEST(copy_outlives_its_original_and_shares_nothing)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 56);
	struct packet *original = frame_packet(&f);

	original->written = WRITTEN_TTL;
	original->time.ns = 42;
	struct packet *copy = packet_copy(original);

	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_ge(packet_headroom(copy), PACKET_HEADROOM);
	memset(original->data, 0xee, packet_length(original));
	packet_free(original);
	ck_assert_uint_eq(packet_length(copy), f.len);
	ck_assert_mem_eq(copy->data, f.bytes, f.len);
	ck_assert_int_eq(copy->time.ns, 42);
	ck_assert_uint_eq(copy->written, WRITTEN_TTL);
	ck_assert_ptr_nonnull(packet_layer(copy, LAYER_icmp));
	ck_assert_ptr_null(copy->home);
	packet_free(copy);
}
END_TEST

START_TEST(empty_packet_can_be_made_and_copied)
{
	struct packet *empty = packet_from_bytes(NULL, 0, LAYER_eth);
	struct packet *copy = packet_copy(empty);

	ck_assert_uint_eq(packet_length(copy), 0);
	ck_assert_ptr_nonnull(packet_at(copy, 0, 0));
	ck_assert_ptr_null(packet_at(copy, 0, 1));
	packet_free(empty);
	packet_free(copy);
}
END_TEST

START_TEST(every_layer_and_reason_has_a_name)
{
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		ck_assert_uint_gt(strlen(layer_name(i)), 0);
	for (unsigned i = 0; i < MALFORMED_COUNT; i++) {
		ck_assert_uint_gt(strlen(malformed_name(i)), 0);
		ck_assert_uint_gt(strlen(malformed_text(i)), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("packet");
	TCase *tc = tcase_create("packet");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, fresh_packet_has_headroom_and_its_bytes);
	tcase_add_test(tc, pull_past_the_tail_changes_nothing);
	tcase_add_test(tc, push_past_the_headroom_changes_nothing);
	tcase_add_test(tc, push_undoes_pull);
	tcase_add_test(tc, trim_never_makes_a_packet_longer);
	tcase_add_test(tc, put_past_the_tailroom_changes_nothing);
	tcase_add_test(tc, at_gives_only_bytes_that_are_all_there);
	tcase_add_test(tc, reset_forgets_what_was_known);
	tcase_add_test(tc, copy_outlives_its_original_and_shares_nothing);
	tcase_add_test(tc, empty_packet_can_be_made_and_copied);
	tcase_add_test(tc, every_layer_and_reason_has_a_name);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
