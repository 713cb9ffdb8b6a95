/* SPDX-License-Identifier: MIT */
/* A pool lends each slot to one packet at a time and knows what is out. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/packet/packet.h"
#include "host/packet/pool.h"

enum {
	SLOTS = 8,
	BIG_SLOTS = 3,
	SMALL_ROOM = POOL_SLOT - PACKET_HEADROOM,
	BIG_ROOM = POOL_BIG_SLOT - PACKET_HEADROOM
};

static struct pool *pool;

static void setup(void)
{
	ck_assert_int_eq(pool_open(&pool, SLOTS, BIG_SLOTS), 0);
}

/* pool_close asserts that the pool is full again. */
static void teardown(void)
{
	ck_assert_uint_eq(pool_out(pool), 0);
	pool_close(pool);
}

START_TEST(fresh_packet_is_empty_with_headroom_and_room)
{
	struct packet *p = pool_take(pool, 1500);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(packet_length(p), 0);
	ck_assert_uint_eq(packet_headroom(p), PACKET_HEADROOM);
	ck_assert_uint_ge(packet_tailroom(p), 1500);
	ck_assert_ptr_eq(p->home, pool);
	ck_assert_uint_eq(pool_out(pool), 1);
	packet_free(p);
}
END_TEST

START_TEST(every_slot_is_lent_once_and_none_overlap)
{
	struct packet *all[SLOTS + BIG_SLOTS];

	for (unsigned i = 0; i < SLOTS + BIG_SLOTS; i++) {
		all[i] = pool_take(pool, 100);
		ck_assert_ptr_nonnull(all[i]);
		memset(packet_put(all[i], packet_tailroom(all[i])), (int)i + 1,
			(size_t)(all[i]->end - all[i]->data));
		memset(all[i]->head, (int)i + 1, PACKET_HEADROOM);
	}
	ck_assert_ptr_null(pool_take(pool, 0));
	ck_assert_uint_eq(pool_out(pool), SLOTS + BIG_SLOTS);
	for (unsigned i = 0; i < SLOTS + BIG_SLOTS; i++) {
		for (uint8_t *at = all[i]->head; at < all[i]->end; at++)
			ck_assert_uint_eq(*at, i + 1);
		packet_free(all[i]);
	}
}
END_TEST

START_TEST(long_packets_take_big_slots_and_longer_ones_none)
{
	struct packet *p = pool_take(pool, SMALL_ROOM);

	ck_assert_int_eq(p->end - p->head, POOL_SLOT);
	packet_free(p);
	p = pool_take(pool, SMALL_ROOM + 1);
	ck_assert_int_eq(p->end - p->head, POOL_BIG_SLOT);
	packet_free(p);
	p = pool_take(pool, BIG_ROOM);
	ck_assert_uint_eq(packet_tailroom(p), BIG_ROOM);
	packet_free(p);
	ck_assert_ptr_null(pool_take(pool, BIG_ROOM + 1));
}
END_TEST

START_TEST(no_length_is_small_because_it_wraps)
{
	ck_assert_ptr_null(pool_take(pool, SIZE_MAX));
	ck_assert_ptr_null(pool_take(pool, SIZE_MAX - PACKET_HEADROOM + 1));
}
END_TEST

START_TEST(largest_packet_of_a_device_fits)
{
	struct packet *p = pool_take(pool, PACKET_BYTES_MAX);

	ck_assert_ptr_nonnull(p);
	packet_free(p);
}
END_TEST

START_TEST(big_slots_run_out_before_small_ones)
{
	struct packet *big[BIG_SLOTS];

	for (unsigned i = 0; i < BIG_SLOTS; i++)
		big[i] = pool_take(pool, SMALL_ROOM + 1);
	ck_assert_ptr_null(pool_take(pool, SMALL_ROOM + 1));
	struct packet *p = pool_take(pool, SMALL_ROOM);

	ck_assert_ptr_nonnull(p);
	packet_free(p);
	for (unsigned i = 0; i < BIG_SLOTS; i++)
		packet_free(big[i]);
}
END_TEST

START_TEST(slot_that_comes_back_is_lent_next_and_forgets_its_packet)
{
	struct packet *p = pool_take(pool, 100);

	packet_put(p, 50);
	packet_push(p, 10);
	p->written = WRITTEN_ADDRESS;
	p->wish = 2;
	p->first = LAYER_eth;
	packet_free(p);
	struct packet *again = pool_take(pool, 100);

	ck_assert_ptr_eq(again, p); /* the hottest page */
	ck_assert_uint_eq(packet_length(again), 0);
	ck_assert_uint_eq(packet_headroom(again), PACKET_HEADROOM);
	ck_assert_uint_eq(again->written, 0);
	ck_assert_uint_eq(again->wish, 0);
	ck_assert_uint_eq(again->first, LAYER_none);
	packet_free(again);
}
END_TEST

START_TEST(copy_of_a_pooled_packet_is_no_longer_the_pools)
{
	struct packet *p = pool_take(pool, 100);

	memcpy(packet_put(p, 3), "abc", 3);
	struct packet *copy = packet_copy(p);

	packet_free(p);
	ck_assert_uint_eq(pool_out(pool), 0);
	ck_assert_mem_eq(copy->data, "abc", 3);
	packet_free(copy);
	ck_assert_uint_eq(pool_out(pool), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = tcase_create("pool");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, fresh_packet_is_empty_with_headroom_and_room);
	tcase_add_test(tc, every_slot_is_lent_once_and_none_overlap);
	tcase_add_test(tc, long_packets_take_big_slots_and_longer_ones_none);
	tcase_add_test(tc, no_length_is_small_because_it_wraps);
	tcase_add_test(tc, largest_packet_of_a_device_fits);
	tcase_add_test(tc, big_slots_run_out_before_small_ones);
	tcase_add_test(tc, slot_that_comes_back_is_lent_next_and_forgets_its_packet);
	tcase_add_test(tc, copy_of_a_pooled_packet_is_no_longer_the_pools);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
