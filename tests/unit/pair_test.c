/* SPDX-License-Identifier: MIT */
/* Ports hand over every packet they are given, or count why not, and free it. */
#include "tests/unit/unit.h"

#include <poll.h>

#include "host/port/pair.h"
#include "tests/unit/frames.h"

enum { SLOTS = 400, BIG_SLOTS = 4 };

static struct pool *pool;
static struct port *left, *right;

static void setup(void)
{
	ck_assert_int_eq(pool_open(&pool, SLOTS, BIG_SLOTS), 0);
	ck_assert(pair_new(LAYER_ip, &left, &right));
	left->pool = right->pool = pool;
	ck_assert_int_eq(left->ops->open_queue(left, -1), 0);
	ck_assert_int_eq(right->ops->open_queue(right, -1), 0);
}

static void teardown(void)
{
	left->ops->close(left);
	right->ops->close(right);
	ck_assert_uint_eq(pool_out(pool), 0);
	free(left);
	free(right);
	pool_close(pool);
}

static struct packet *packet_of(size_t len, uint8_t fill)
{
	struct packet *p = pool_take(pool, len);

	ck_assert_ptr_nonnull(p);
	memset(packet_put(p, len), fill, len);
	return p;
}

static bool is_readable(const struct port *port)
{
	struct pollfd pfd = { .fd = port->ops->poll_fd(port), .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* Receives all; returns how many, checking that packet i is filled with i. */
static unsigned receive(struct port *port, unsigned max)
{
	struct packet *burst[PORT_BURST];
	unsigned total = 0, count;

	while (total < max && (count = port->ops->recv(port, burst,
				       max - total < PORT_BURST ? max - total : PORT_BURST,
				       (struct mono){ 7 }))) {
		for (unsigned i = 0; i < count; i++, total++) {
			ck_assert_ptr_eq(burst[i]->port, port);
			ck_assert_int_eq(burst[i]->first, port->first);
			ck_assert_int_eq(burst[i]->time.ns, 7);
			ck_assert_uint_eq(burst[i]->data[0], (uint8_t)total);
			packet_free(burst[i]);
		}
	}
	return total;
}

START_TEST(what_one_end_sends_the_other_receives_in_order)
{
	for (unsigned i = 0; i < 200; i++)
		left->ops->send(left, packet_of(100, (uint8_t)i));
	left->ops->flush(left);
	ck_assert_uint_eq(receive(left, 1000), 0);
	ck_assert_uint_eq(receive(right, 1000), 200);
	ck_assert_uint_eq(counter_get(&left->counters.tx_packets), 200);
	ck_assert_uint_eq(counter_get(&left->counters.tx_bytes), 20000);
	ck_assert_uint_eq(counter_get(&right->counters.rx_packets), 200);
	ck_assert_uint_eq(counter_get(&right->counters.rx_bytes), 20000);
	ck_assert_uint_eq(port_tx_dropped(left), 0);
}
END_TEST

START_TEST(same_buffer_arrives_with_nothing_of_its_sender)
{
	struct packet *p = packet_of(30, 1), *burst[1];

	p->written = WRITTEN_ADDRESS;
	p->wish = 3;
	left->ops->send(left, p);
	ck_assert_uint_eq(right->ops->recv(right, burst, 1, (struct mono){ 0 }), 1);
	ck_assert_ptr_eq(burst[0], p);
	ck_assert_uint_eq(p->written, 0);
	ck_assert_uint_eq(p->wish, 0);
	packet_free(p);
}
END_TEST

START_TEST(descriptor_is_readable_while_packets_wait)
{
	ck_assert(!is_readable(right));
	for (unsigned i = 0; i < 3; i++)
		left->ops->send(left, packet_of(10, (uint8_t)i));
	ck_assert(is_readable(right));
	ck_assert(!is_readable(left));
	struct packet *burst[2];

	ck_assert_uint_eq(right->ops->recv(right, burst, 2, (struct mono){ 0 }), 2);
	ck_assert(is_readable(right));
	packet_free(burst[0]);
	packet_free(burst[1]);
	ck_assert_uint_eq(right->ops->recv(right, burst, 2, (struct mono){ 0 }), 1);
	ck_assert(!is_readable(right));
	packet_free(burst[0]);
	left->ops->send(left, packet_of(10, 0));
	ck_assert(is_readable(right));
}
END_TEST

START_TEST(full_queue_drops_the_newest_and_counts)
{
	for (unsigned i = 0; i < 300; i++)
		left->ops->send(left, packet_of(10, (uint8_t)i));
	ck_assert_uint_eq(counter_get(&left->counters.tx_packets), 256);
	ck_assert_uint_eq(counter_get(&left->counters.tx_drop[TX_DROP_full]), 44);
	ck_assert_uint_eq(port_tx_dropped(left), 44);
	ck_assert_uint_eq(pool_out(pool), 256);
	ck_assert_uint_eq(receive(right, 1000), 256);
}
END_TEST

START_TEST(packet_longer_than_the_mtu_is_dropped)
{
	left->mtu = 100;
	left->ops->send(left, packet_of(101, 0));
	ck_assert_uint_eq(counter_get(&left->counters.tx_drop[TX_DROP_too_long]), 1);
	left->ops->send(left, packet_of(100, 0));
	ck_assert_uint_eq(counter_get(&left->counters.tx_packets), 1);
	left->first = LAYER_eth; /* the link header comes on top */
	left->ops->send(left, packet_of(115, 1));
	ck_assert_uint_eq(counter_get(&left->counters.tx_drop[TX_DROP_too_long]), 2);
	left->ops->send(left, packet_of(114, 1));
	ck_assert_uint_eq(receive(right, 10), 2);
}
END_TEST

START_TEST(packet_for_a_closed_far_end_is_dropped_as_gone)
{
	right->ops->close(right);
	left->ops->send(left, packet_of(10, 0));
	ck_assert_uint_eq(counter_get(&left->counters.tx_drop[TX_DROP_gone]), 1);
	ck_assert_uint_eq(pool_out(pool), 0);
}
END_TEST

START_TEST(packet_sent_by_a_closed_end_is_dropped_as_gone)
{
	left->ops->close(left);
	left->ops->send(left, packet_of(10, 0));
	ck_assert_uint_eq(counter_get(&left->counters.tx_drop[TX_DROP_gone]), 1);
	ck_assert_uint_eq(pool_out(pool), 0);
}
END_TEST

START_TEST(closing_frees_what_was_not_received)
{
	for (unsigned i = 0; i < 20; i++)
		left->ops->send(left, packet_of(10, 0));
	right->ops->close(right);
	ck_assert_uint_eq(pool_out(pool), 0);
	right->ops->close(right); /* and twice is once */
}
END_TEST

START_TEST(every_reason_has_a_name)
{
	for (unsigned i = 0; i < TX_DROP_COUNT; i++)
		ck_assert_uint_gt(strlen(tx_drop_name(i)), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pair");
	TCase *tc = tcase_create("pair");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_one_end_sends_the_other_receives_in_order);
	tcase_add_test(tc, same_buffer_arrives_with_nothing_of_its_sender);
	tcase_add_test(tc, descriptor_is_readable_while_packets_wait);
	tcase_add_test(tc, full_queue_drops_the_newest_and_counts);
	tcase_add_test(tc, packet_longer_than_the_mtu_is_dropped);
	tcase_add_test(tc, packet_for_a_closed_far_end_is_dropped_as_gone);
	tcase_add_test(tc, packet_sent_by_a_closed_end_is_dropped_as_gone);
	tcase_add_test(tc, closing_frees_what_was_not_received);
	tcase_add_test(tc, every_reason_has_a_name);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
