/* SPDX-License-Identifier: MIT */
/* A tun port reads whole packets, sends what it is given, and keeps none. */
#include "tests/unit/unit.h"

#include <linux/virtio_net.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/port/tun.h"
#include "tests/unit/frames.h"

enum { SLOTS = 64, BIG_SLOTS = 4 };

static struct pool *pool;
static struct port *tun;
static int far; /* the other end of a socket pair that stands in for the device */

static struct packet *packet_of(size_t len, uint8_t fill)
{
	struct packet *p = pool_take(pool, len);

	ck_assert_ptr_nonnull(p);
	memset(packet_put(p, len), fill, len);
	return p;
}

static void setup(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(pool_open(&pool, SLOTS, BIG_SLOTS), 0);
	tun = tun_port_new(LAYER_ip);
	ck_assert_ptr_nonnull(tun);
	tun->pool = pool;
	ck_assert_int_eq(tun->ops->open_queue(tun, fds[0]), 0);
	far = fds[1];
}

static void teardown(void)
{
	tun->ops->close(tun);
	ck_assert_uint_eq(pool_out(pool), 0);
	free(tun);
	close(far);
	pool_close(pool);
}

START_TEST(tun_reads_packets_of_every_length_whole)
{
	static const size_t lens[] = { 1, 84, 1500, POOL_SLOT - PACKET_HEADROOM,
		POOL_SLOT - PACKET_HEADROOM + 1, 9000, 60000 };
	static uint8_t bytes[65535];

	tun->mtu = sizeof(bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 13);
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct packet *burst[PORT_BURST];

		ck_assert_int_eq(write(far, bytes, lens[i]), (ssize_t)lens[i]);
		ck_assert_uint_eq(tun->ops->recv(tun, burst, PORT_BURST, (struct mono){ 5 }), 1);
		ck_assert_uint_eq(packet_length(burst[0]), lens[i]);
		ck_assert_mem_eq(burst[0]->data, bytes, lens[i]);
		ck_assert_int_eq(burst[0]->first, LAYER_ip);
		ck_assert_ptr_eq(burst[0]->port, tun);
		packet_free(burst[0]);
	}
	ck_assert_uint_eq(counter_get(&tun->counters.rx_packets), 7);
}
END_TEST

START_TEST(tun_writes_what_it_was_sent_when_it_is_flushed)
{
	uint8_t bytes[200];

	tun->ops->send(tun, packet_of(100, 9));
	tun->ops->flush(tun);
	ck_assert_int_eq(read(far, bytes, sizeof(bytes)), 100);
	ck_assert_uint_eq(bytes[99], 9);
	ck_assert_uint_eq(counter_get(&tun->counters.tx_packets), 1);
	tun->ops->send(tun, packet_of(1501, 9));
	tun->ops->flush(tun);
	ck_assert_int_eq(read(far, bytes, sizeof(bytes)), -1);
	ck_assert_uint_eq(counter_get(&tun->counters.tx_drop[TX_DROP_too_long]), 1);
}
END_TEST

/* One of so many bytes comes, and one of 100: the first is lost, and counted. */
static void longer_one_is_dropped(size_t len)
{
	static uint8_t bytes[9000];
	struct packet *burst[PORT_BURST];

	ck_assert_uint_le(len, sizeof(bytes));
	ck_assert_int_eq(write(far, bytes, len), (ssize_t)len);
	ck_assert_int_eq(write(far, bytes, 100), 100);
	ck_assert_uint_eq(tun->ops->recv(tun, burst, PORT_BURST, (struct mono){ 5 }), 1);
	ck_assert_uint_eq(packet_length(burst[0]), 100);
	ck_assert_uint_eq(counter_get(&tun->counters.rx_dropped), 1);
	packet_free(burst[0]);
}

START_TEST(packet_that_finds_no_big_slot_is_counted_as_dropped)
{
	struct packet *big[BIG_SLOTS];

	tun->mtu = 9000;
	for (unsigned i = 0; i < BIG_SLOTS; i++)
		big[i] = packet_of(POOL_SLOT, 1);
	longer_one_is_dropped(9000);
	for (unsigned i = 0; i < BIG_SLOTS; i++)
		packet_free(big[i]);
}
END_TEST

/* More than a small slot, where the MTU says that it cannot be: the MTU was just raised. */
START_TEST(packet_longer_than_the_mtu_lets_expect_is_counted_as_dropped)
{
	longer_one_is_dropped(POOL_SLOT);
}
END_TEST

/* A frame's payload, below a header with so many tags. */
static struct packet *tagged(size_t payload, unsigned tags)
{
	static const uint8_t types[3][10] = { { 0x08, 0x00 }, { 0x81, 0x00, 0, 5, 0x08, 0x00 },
		{ 0x88, 0xa8, 0, 7, 0x81, 0x00, 0, 5, 0x08, 0x00 } };
	struct packet *p = packet_of(14 + 4 * tags + payload, 0);

	memcpy(p->data + 12, types[tags], 2 + 4 * tags);
	return p;
}

START_TEST(frame_of_the_mtu_is_sent_with_its_tags_and_a_byte_more_is_not)
{
	uint8_t bytes[2000];

	tun->first = LAYER_eth;
	for (unsigned tags = 0; tags < 3; tags++) {
		tun->ops->send(tun, tagged(1500, tags));
		tun->ops->send(tun, tagged(1501, tags));
		tun->ops->flush(tun);
		ck_assert_int_eq(read(far, bytes, sizeof(bytes)), 14 + 4 * tags + 1500);
		ck_assert_int_eq(read(far, bytes, sizeof(bytes)), -1);
		ck_assert_uint_eq(counter_get(&tun->counters.tx_drop[TX_DROP_too_long]), tags + 1);
	}
}
END_TEST

/* As with IFF_VNET_HDR: the packet's bytes are what comes after the header, in big slots too. */
START_TEST(header_is_before_each_packet_and_no_part_of_it)
{
	static uint8_t bytes[10 + 9000];
	static const size_t lens[] = { 40, 9000 };
	const struct virtio_net_hdr hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 7 };

	tun->vnet_bytes = sizeof(hdr);
	tun->mtu = 9000;
	memset(bytes, 5, sizeof(bytes));
	memcpy(bytes, &hdr, sizeof(hdr));
	for (unsigned i = 0; i < 2; i++) {
		struct packet *burst[PORT_BURST];
		size_t len = sizeof(hdr) + lens[i];

		ck_assert_int_eq(write(far, bytes, len), (ssize_t)len);
		ck_assert_uint_eq(tun->ops->recv(tun, burst, PORT_BURST, (struct mono){ 5 }), 1);
		ck_assert_uint_eq(packet_length(burst[0]), lens[i]);
		ck_assert_mem_eq(burst[0]->data, bytes + sizeof(hdr), lens[i]);
		ck_assert_uint_eq(burst[0]->gso.size, 7);
		tun->ops->send(tun, burst[0]);
		tun->ops->flush(tun);
		memset(bytes, 0, sizeof(hdr));
		ck_assert_int_eq(read(far, bytes, sizeof(bytes)), (ssize_t)len);
		ck_assert_mem_eq(bytes, &hdr, sizeof(hdr));
		ck_assert_uint_eq(bytes[sizeof(hdr)], 5);
	}
	ck_assert_uint_eq(counter_get(&tun->counters.rx_bytes), 9040);
	ck_assert_uint_eq(counter_get(&tun->counters.tx_bytes), 9040);
}
END_TEST

/* A rule may close the port that its packet came in by, and then say reply. */
START_TEST(packet_sent_by_a_closed_tun_is_dropped_as_gone)
{
	tun->ops->close(tun);
	tun->ops->send(tun, packet_of(100, 9));
	ck_assert_uint_eq(pool_out(pool), 0);
	ck_assert_uint_eq(counter_get(&tun->counters.tx_drop[TX_DROP_gone]), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tun");
	TCase *tc = tcase_create("tun");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, tun_reads_packets_of_every_length_whole);
	tcase_add_test(tc, tun_writes_what_it_was_sent_when_it_is_flushed);
	tcase_add_test(tc, packet_that_finds_no_big_slot_is_counted_as_dropped);
	tcase_add_test(tc, packet_longer_than_the_mtu_lets_expect_is_counted_as_dropped);
	tcase_add_test(tc, frame_of_the_mtu_is_sent_with_its_tags_and_a_byte_more_is_not);
	tcase_add_test(tc, header_is_before_each_packet_and_no_part_of_it);
	tcase_add_test(tc, packet_sent_by_a_closed_tun_is_dropped_as_gone);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
