/* SPDX-License-Identifier: MIT */
/* A port over io_uring reads whole packets, sends what it is given, and keeps none. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/port/tun.h"
#include "host/port/uring.h"
#include "tests/unit/frames.h"

enum { SLOTS = 300, BIG_SLOTS = 40, SKIPPED = 77 };

static struct pool *pool;
static struct uring *ring;
static struct port *ports[2];
static int far[2]; /* the other ends of socket pairs that stand in for the devices */
static int near[2];
static int loop_fd; /* what else the worker waits for */

static struct packet *packet_of(size_t len, uint8_t fill)
{
	struct packet *p = pool_take(pool, len);

	ck_assert_ptr_nonnull(p);
	memset(packet_put(p, len), fill, len);
	return p;
}

static void port_open(unsigned i)
{
	static const enum layer_id first[] = { LAYER_ip, LAYER_eth };
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	ports[i] = tun_port_new(first[i]);
	ck_assert_ptr_nonnull(ports[i]);
	ports[i]->pool = pool;
	ports[i]->uring = ring;
	ck_assert_int_eq(ports[i]->ops->open_queue(ports[i], fds[0]), 0);
	ck_assert_int_eq(ports[i]->io, IO_uring);
	near[i] = fds[0];
	far[i] = fds[1];
}

static void setup(void)
{
	ck_assert_int_eq(pool_open(&pool, SLOTS, BIG_SLOTS), 0);
	ring = uring_new(pool);
	ck_assert_ptr_nonnull(ring);
	port_open(0);
	port_open(1);
	loop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ck_assert_int_ge(loop_fd, 0);
}

static void teardown(void)
{
	for (unsigned i = 0; i < 2; i++) {
		ports[i]->ops->close(ports[i]);
		free(ports[i]);
		close(far[i]);
	}
	ck_assert_uint_eq(pool_out(pool), 0);
	uring_free(ring);
	pool_close(pool);
	close(loop_fd);
}

static unsigned recv_burst(struct port *port, struct packet **burst)
{
	return port->ops->recv(port, burst, PORT_BURST, (struct mono){ 5 });
}

static void far_write(unsigned i, uint8_t fill, size_t len)
{
	static uint8_t bytes[65535];

	memset(bytes, fill, len);
	ck_assert_int_eq(write(far[i], bytes, len), (ssize_t)len);
}

/* Puts `count` packets in and takes all of them out again, numbered. */
static void pass_through(struct port *port, unsigned count)
{
	struct packet *burst[PORT_BURST];
	unsigned seen = 0, came, bursts = 0;

	for (unsigned i = 0; i < count; i++)
		far_write(0, (uint8_t)i, 84);
	while ((came = recv_burst(port, burst))) {
		for (unsigned i = 0; i < came; i++) {
			ck_assert_uint_eq(burst[i]->data[83], (uint8_t)seen++);
			packet_free(burst[i]);
		}
		bursts++;
	}
	ck_assert_uint_eq(seen, count);
	ck_assert_uint_le(bursts, 4);
}

/* Leaves one packet in burst, and the ring waiting for the next recv. */
static void full_burst(struct port *port, struct packet **burst)
{
	for (unsigned i = 0; i < 4; i++) /* until it asks for one */
		ck_assert_uint_eq(recv_burst(port, burst), 0);
	far_write(0, 3, 84);
	ck_assert_uint_eq(recv_burst(port, burst), 1);
	ck_assert(!port->has_more); /* most lone packets are alone */
	packet_free(burst[0]);
	far_write(0, 3, 84);
	far_write(0, 3, 84);
	ck_assert_uint_eq(recv_burst(port, burst), 2);
	ck_assert(port->has_more);
	packet_free(burst[1]);
}

START_TEST(uring_reads_packets_of_every_length_whole)
{
	static const size_t lens[] = { 1, 84, 1500, POOL_SLOT - PACKET_HEADROOM,
		POOL_SLOT - PACKET_HEADROOM + 1, 9000, 60000 };

	ports[0]->mtu = 65535;
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct packet *burst[PORT_BURST];

		far_write(0, (uint8_t)(i + 1), lens[i]);
		ck_assert_uint_eq(recv_burst(ports[0], burst), 1);
		ck_assert_uint_eq(packet_length(burst[0]), lens[i]);
		ck_assert_uint_eq(burst[0]->data[0], i + 1);
		ck_assert_uint_eq(burst[0]->data[lens[i] - 1], i + 1);
		ck_assert_int_eq(burst[0]->first, LAYER_ip);
		ck_assert_ptr_eq(burst[0]->port, ports[0]);
		ck_assert_int_eq(burst[0]->time.ns, 5);
		packet_free(burst[0]);
	}
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_packets), 7);
	ck_assert_uint_eq(recv_burst(ports[0], (struct packet *[PORT_BURST]){ 0 }), 0);
}
END_TEST

/* An empty device costs few reads, a full one is read in bursts, and none is forgotten. */
START_TEST(uring_asks_for_as_many_packets_as_come)
{
	pass_through(ports[0], 10);
	pass_through(ports[0], 1);
	pass_through(ports[0], 10);
	pass_through(ports[0], 0);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_packets), 21);
}
END_TEST

/* More than a small slot, where the MTU says that it cannot be: the MTU was just raised. */
START_TEST(packet_longer_than_the_mtu_lets_expect_is_counted_as_dropped)
{
	struct packet *burst[PORT_BURST];

	far_write(0, 1, 9000);
	ck_assert_uint_eq(recv_burst(ports[0], burst), 0);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_dropped), 1);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_packets), 0);
}
END_TEST

/* As with IFF_VNET_HDR: any packet may be large, and its bytes are what comes after the header. */
START_TEST(header_is_before_each_packet_and_no_part_of_it)
{
	static uint8_t bytes[10 + 60000];
	static const size_t lens[] = { 40, 60000 };
	const struct virtio_net_hdr hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 7 };

	ports[0]->vnet_bytes = sizeof(hdr);
	ports[0]->takes_gso = true;
	memset(bytes, 5, sizeof(bytes));
	memcpy(bytes, &hdr, sizeof(hdr));
	for (unsigned i = 0; i < 2; i++) {
		struct packet *burst[PORT_BURST];
		size_t len = sizeof(hdr) + lens[i];

		ck_assert_int_eq(write(far[0], bytes, len), (ssize_t)len);
		ck_assert_uint_eq(recv_burst(ports[0], burst), 1);
		ck_assert_uint_eq(packet_length(burst[0]), lens[i]);
		ck_assert_mem_eq(burst[0]->data, bytes + sizeof(hdr), lens[i]);
		ck_assert_uint_eq(burst[0]->gso.size, 7);
		ports[0]->ops->send(ports[0], burst[0]);
		uring_settle(ring);
		memset(bytes, 0, sizeof(hdr));
		ck_assert_int_eq(read(far[0], bytes, sizeof(bytes)), (ssize_t)len);
		ck_assert_mem_eq(bytes, &hdr, sizeof(hdr));
		ck_assert_uint_eq(bytes[sizeof(hdr)], 5);
	}
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_bytes), 60040);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.tx_bytes), 60040);
}
END_TEST

START_TEST(uring_writes_what_it_was_sent_when_it_is_flushed)
{
	uint8_t bytes[200];

	ports[0]->ops->send(ports[0], packet_of(100, 9));
	ck_assert_int_eq(read(far[0], bytes, sizeof(bytes)), -1);
	ports[0]->ops->flush(ports[0]);
	ck_assert_int_eq(read(far[0], bytes, sizeof(bytes)), 100);
	ck_assert_uint_eq(bytes[99], 9);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.tx_packets), 1);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.tx_bytes), 100);
	ports[0]->ops->send(ports[0], packet_of(1501, 9));
	ports[0]->ops->flush(ports[0]);
	ck_assert_int_eq(read(far[0], bytes, sizeof(bytes)), -1);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.tx_drop[TX_DROP_too_long]), 1);
}
END_TEST

/* Who reads one packet answers it before asking for more, unless something waits to be written. */
START_TEST(answer_to_a_lone_packet_leaves_at_once_and_overtakes_none)
{
	struct packet *burst[PORT_BURST];
	uint8_t bytes[200];

	for (unsigned turn = 0; turn < 2; turn++) {
		bool is_queued = turn == 1;

		for (unsigned i = 0; i < 4; i++) /* until it asks for one */
			ck_assert_uint_eq(recv_burst(ports[0], burst), 0);
		if (is_queued)
			ports[1]->ops->send(ports[1], packet_of(100, 8));
		far_write(0, 3, 84);
		ck_assert_uint_eq(recv_burst(ports[0], burst), 1);
		ports[0]->ops->send(ports[0], burst[0]);
		ck_assert_int_eq(read(far[0], bytes, sizeof(bytes)), is_queued ? -1 : 84);
		if (is_queued)
			ck_assert_int_eq(read(far[1], bytes, sizeof(bytes)), 100);
		uring_settle(ring);
		ck_assert_int_eq(read(far[0], bytes, sizeof(bytes)), is_queued ? 84 : -1);
		ck_assert_uint_eq(counter_get(&ports[0]->counters.tx_packets), turn + 1);
	}
}
END_TEST

/* Answers wait for the next reads, or for the thread to sleep or to do other things. */
START_TEST(answers_leave_with_the_next_reads_or_with_the_wait_or_when_settled)
{
	struct packet *burst[PORT_BURST];
	uint8_t bytes[200];

	for (unsigned turn = 0; turn < 3; turn++) {
		full_burst(ports[0], burst);
		ports[1]->ops->send(ports[1], burst[0]);
		ports[1]->ops->flush(ports[1]);
		ck_assert_int_eq(read(far[1], bytes, sizeof(bytes)), -1);
		if (turn == 0)
			ck_assert_uint_eq(recv_burst(ports[0], burst), 0);
		else if (turn == 1)
			uring_settle(ring);
		else
			ck_assert(!uring_wait(ring, loop_fd, 0));
		ck_assert_int_eq(read(far[1], bytes, sizeof(bytes)), 84);
	}
}
END_TEST

static void *far_write_later(void *arg)
{
	(void)arg;
	poll(NULL, 0, 50);
	far_write(1, 7, 84);
	return NULL;
}

/* Who sleeps in the ring is woken by the packet, has it read already, and keeps asleep the others.
 */
START_TEST(wait_ends_with_a_packet_that_is_read)
{
	struct packet *burst[PORT_BURST];
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, far_write_later, NULL), 0);
	ck_assert(!uring_wait(ring, loop_fd, -1));
	pthread_join(thread, NULL);
	ck_assert(ports[1]->is_ready);
	ck_assert(!ports[0]->is_ready);
	ck_assert_uint_eq(recv_burst(ports[1], burst), 1);
	ck_assert(!ports[1]->has_more);
	ck_assert(!ports[1]->is_ready);
	ck_assert_uint_eq(packet_length(burst[0]), 84);
	ck_assert_uint_eq(burst[0]->data[0], 7);
	ck_assert_uint_eq(counter_get(&ports[1]->counters.rx_packets), 1);
	packet_free(burst[0]);
}
END_TEST

/* Packets that are there already are a load: the next recv is to read a burst. */
START_TEST(wait_that_had_not_to_sleep_says_that_more_may_be_there)
{
	struct packet *burst[PORT_BURST];
	unsigned seen = 0;

	for (unsigned i = 0; i < 20; i++)
		far_write(0, (uint8_t)i, 84);
	for (unsigned turn = 0; turn < 2 && !seen; turn++) {
		ck_assert(!uring_wait(ring, loop_fd, 0));
		ck_assert(ports[0]->is_ready);
		do {
			unsigned came = recv_burst(ports[0], burst);

			for (unsigned i = 0; i < came; i++) {
				ck_assert_uint_eq(burst[i]->data[0], seen++);
				packet_free(burst[i]);
			}
		} while (ports[0]->has_more);
	}
	ck_assert_uint_ge(seen, 2);
	while (seen < 20) { /* the parked read comes first, in order */
		unsigned came = recv_burst(ports[0], burst);

		for (unsigned i = 0; i < came; i++) {
			ck_assert_uint_eq(burst[i]->data[0], seen++);
			packet_free(burst[i]);
		}
		ck_assert_uint_gt(came, 0);
	}
}
END_TEST

START_TEST(wait_says_when_the_loop_has_something_and_ends_in_time)
{
	uint64_t one = 1;

	ck_assert(!uring_wait(ring, loop_fd, 20));
	ck_assert_int_eq(write(loop_fd, &one, sizeof(one)), sizeof(one));
	ck_assert(uring_wait(ring, loop_fd, -1));
	ck_assert(uring_wait(ring, loop_fd, -1)); /* nobody has read it */
	ck_assert_int_eq(read(loop_fd, &one, sizeof(one)), sizeof(one));
	ck_assert(!uring_wait(ring, loop_fd, 20));
	ck_assert(!ports[0]->is_ready);
}
END_TEST

/* A read that was parked before the MTU was raised is too small for what may come now. */
START_TEST(parked_read_follows_the_mtu)
{
	struct packet *burst[PORT_BURST];

	ck_assert(!uring_wait(ring, loop_fd, 0));
	ports[0]->mtu = 9000;
	ck_assert(!uring_wait(ring, loop_fd, 0));
	far_write(0, 1, 9000);
	ck_assert(!uring_wait(ring, loop_fd, -1));
	ck_assert_uint_eq(recv_burst(ports[0], burst), 1);
	ck_assert_uint_eq(packet_length(burst[0]), 9000);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_dropped), 0);
	packet_free(burst[0]);
}
END_TEST

/* What the parked read holds when its port is closed is known to be lost. */
START_TEST(close_takes_the_parked_read_back)
{
	ck_assert(!uring_wait(ring, loop_fd, 0));
	ck_assert_uint_eq(pool_out(pool), 2);
	far_write(1, 1, 84);
	ck_assert(!uring_wait(ring, loop_fd, -1));
	ports[0]->ops->close(ports[0]);
	ports[1]->ops->close(ports[1]);
	ck_assert_uint_eq(pool_out(pool), 0);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.rx_dropped), 0);
	ck_assert_uint_eq(counter_get(&ports[1]->counters.rx_dropped), 1);
	ck_assert(!uring_is_used(ring));
}
END_TEST

/* A queue that is full, a far end that is gone: each packet is counted and comes home. */
START_TEST(what_the_kernel_does_not_take_is_counted)
{
	unsigned sent = 0;
	int size = 4096;

	ck_assert_int_eq(setsockopt(near[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (; sent < 250; sent++)
		ports[0]->ops->send(ports[0], packet_of(84, 1));
	ports[0]->ops->flush(ports[0]);
	ck_assert_uint_eq(pool_out(pool), 0);
	uint64_t full = counter_get(&ports[0]->counters.tx_drop[TX_DROP_full]);

	ck_assert_uint_gt(full, 0);
	ck_assert_uint_eq(counter_get(&ports[0]->counters.tx_packets) + full, sent);
	close(far[1]);
	ports[1]->ops->send(ports[1], packet_of(84, 1));
	ports[1]->ops->flush(ports[1]);
	ck_assert_uint_eq(port_tx_dropped(ports[1]), 1);
}
END_TEST

/* The operations are fewer than the packets of a flood. */
START_TEST(more_packets_than_the_ring_holds_all_leave)
{
	struct packet *held[SLOTS];
	uint8_t bytes[200];
	unsigned arrived = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		held[i] = packet_of(84, (uint8_t)i);
	for (unsigned i = 0; i < SLOTS; i++) {
		ports[i % 2]->ops->send(ports[i % 2], held[i]);
		for (unsigned k = 0; k < 2 && i > 100; k++) {
			while (read(far[k], bytes, sizeof(bytes)) == 84)
				arrived++;
		}
	}
	ports[0]->ops->flush(ports[0]);
	for (unsigned k = 0; k < 2; k++) {
		while (read(far[k], bytes, sizeof(bytes)) == 84)
			arrived++;
	}
	ck_assert_uint_eq(arrived + port_tx_dropped(ports[0]) + port_tx_dropped(ports[1]), SLOTS);
	ck_assert_uint_gt(arrived, 0);
}
END_TEST

START_TEST(pool_that_is_empty_because_of_what_waits_to_be_sent_is_refilled)
{
	struct packet *burst[PORT_BURST], *held[SLOTS + BIG_SLOTS];

	far_write(0, 1, 84);
	far_write(0, 2, 84);
	ck_assert_uint_eq(recv_burst(ports[0], burst), 1);
	for (unsigned i = 0; i < SLOTS + BIG_SLOTS - 1; i++)
		held[i] = packet_of(84, 1);
	ports[1]->ops->send(ports[1], burst[0]);
	ck_assert_uint_eq(recv_burst(ports[0], burst), 1);
	ck_assert_uint_eq(burst[0]->data[0], 2);
	packet_free(burst[0]);
	for (unsigned i = 0; i < SLOTS + BIG_SLOTS - 1; i++)
		packet_free(held[i]);
}
END_TEST

START_TEST(packet_sent_by_a_closed_port_is_dropped_as_gone)
{
	ports[1]->ops->send(ports[1], packet_of(100, 9)); /* close does not forget it */
	ports[1]->ops->close(ports[1]);
	ck_assert_uint_eq(counter_get(&ports[1]->counters.tx_packets), 1);
	ports[1]->ops->send(ports[1], packet_of(100, 9));
	ck_assert_uint_eq(pool_out(pool), 0);
	ck_assert_uint_eq(counter_get(&ports[1]->counters.tx_drop[TX_DROP_gone]), 1);
}
END_TEST

/* The ring's table of files must not hold what we have closed. */
START_TEST(device_goes_when_its_port_is_closed)
{
	uint8_t byte = 0;

	ports[0]->ops->close(ports[0]);
	ck_assert_int_eq(write(far[0], &byte, 1), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

static void *send_one(void *arg)
{
	struct port *port = arg;

	port->ops->send(port, packet_of(84, 1));
	port->ops->flush(port);
	return NULL;
}

/* A ring refuses any thread but its own: as good a failure as any of a ring that was in use. */
START_TEST(ring_that_fails_keeps_no_packet_and_closes_its_ports)
{
	struct packet *burst[PORT_BURST];
	struct refusal why;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, send_one, ports[0]), 0);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(pool_out(pool), 0);
	ck_assert(ports[0]->is_gone);
	ck_assert_uint_eq(port_tx_dropped(ports[0]), 1);
	ck_assert_uint_eq(recv_burst(ports[1], burst), 0);
	ck_assert(ports[1]->is_gone);
	ck_assert_int_lt(uring_port_open(ring, ports[1], far[1], &why), 0);
}
END_TEST

static int ring_fd(void)
{
	char path[64], target[64] = "";

	for (int fd = 3; fd < 100; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t len = readlink(path, target, sizeof(target) - 1);

		target[len > 0 ? len : 0] = '\0';
		if (!strcmp(target, "anon_inode:[io_uring]"))
			return fd;
	}
	return -1;
}

/* No seccomp filter sees what a ring does, so the ring itself must refuse. */
START_TEST(ring_is_restricted_for_good)
{
	char probe[16 + 8] = { 0 };
	int fd = ring_fd();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, probe, 1), -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

START_TEST(ring_knows_as_many_ports_as_it_says_and_no_more)
{
	struct port more[70];
	struct refusal why;
	unsigned count = 0;

	memset(more, 0, sizeof(more));
	while (count < 70 && !uring_port_open(ring, &more[count], dup(far[0]), &why))
		count++;
	ck_assert_uint_eq(count, 62);
	ck_assert_int_eq(why.code, ENFILE);
	while (count--)
		more[count].ops->close(&more[count]);
}
END_TEST

static bool is_available(void)
{
	struct refusal why = { 0 };
	struct port port = { 0 };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) || pool_open(&pool, SLOTS, BIG_SLOTS))
		abort();
	ring = uring_new(pool);
	bool is_there = !uring_port_open(ring, &port, fds[0], &why);

	if (is_there)
		port.ops->close(&port);
	else
		printf("%s\n", why.text);
	uring_free(ring);
	pool_close(pool);
	return is_there;
}

int main(void)
{
	Suite *suite = suite_create("uring");
	TCase *tc = tcase_create("uring");

	if (!is_available())
		return SKIPPED;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, uring_reads_packets_of_every_length_whole);
	tcase_add_test(tc, uring_asks_for_as_many_packets_as_come);
	tcase_add_test(tc, answer_to_a_lone_packet_leaves_at_once_and_overtakes_none);
	tcase_add_test(tc, packet_longer_than_the_mtu_lets_expect_is_counted_as_dropped);
	tcase_add_test(tc, header_is_before_each_packet_and_no_part_of_it);
	tcase_add_test(tc, uring_writes_what_it_was_sent_when_it_is_flushed);
	tcase_add_test(tc, answers_leave_with_the_next_reads_or_with_the_wait_or_when_settled);
	tcase_add_test(tc, wait_ends_with_a_packet_that_is_read);
	tcase_add_test(tc, wait_that_had_not_to_sleep_says_that_more_may_be_there);
	tcase_add_test(tc, wait_says_when_the_loop_has_something_and_ends_in_time);
	tcase_add_test(tc, parked_read_follows_the_mtu);
	tcase_add_test(tc, close_takes_the_parked_read_back);
	tcase_add_test(tc, what_the_kernel_does_not_take_is_counted);
	tcase_add_test(tc, more_packets_than_the_ring_holds_all_leave);
	tcase_add_test(tc, pool_that_is_empty_because_of_what_waits_to_be_sent_is_refilled);
	tcase_add_test(tc, packet_sent_by_a_closed_port_is_dropped_as_gone);
	tcase_add_test(tc, device_goes_when_its_port_is_closed);
	tcase_add_test(tc, ring_that_fails_keeps_no_packet_and_closes_its_ports);
	tcase_add_test(tc, ring_is_restricted_for_good);
	tcase_add_test(tc, ring_knows_as_many_ports_as_it_says_and_no_more);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
