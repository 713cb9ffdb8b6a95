/* SPDX-License-Identifier: MIT */
/* A worker sleeps while there is nothing that it can do, and goes on as soon as there is. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/engine/host.h"
#include "host/port/socket.h"
#include "host/port/tun.h"

enum { ALL = 4096, WATCHED_MS = 200, TURNS_MAX = 60, PACKET = 84 };

static const enum io ways[] = { IO_epoll, IO_uring, IO_mmsg };

static struct host host;
static struct worker *const worker = &host.worker;
static struct lane *lane;
static int far; /* the other end of a socket pair that stands in for the device */
static unsigned closed;

static bool script_is_waiting(const struct script *script)
{
	(void)script;
	return false;
}

static void script_close(struct script *script)
{
	(void)script;
	closed++;
}

static const struct script_ops ops = { .is_waiting = script_is_waiting, .close = script_close };

/* false: this machine refuses the way. */
static bool setup(enum io way)
{
	struct refusal why = { 0 };
	int fds[2];

	memset(&host, 0, sizeof(host));
	closed = 0;
	ck_assert_int_eq(host_init(&host, &why), 0);
	ck_assert_int_eq(worker_init(worker, &host, 1, &ops, &why), 0);
	worker->dp.script = (struct script *)&closed; /* nobody looks into it */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	struct port *port = way == IO_mmsg ? socket_port_new() : tun_port_new(LAYER_ip);

	ck_assert_ptr_nonnull(port);
	port->pool = worker->pool;
	port->uring = worker->uring;
	port->io_wanted = (struct io_list){ 1, { (uint8_t)way } };
	ck_assert_int_eq(port->ops->open_queue(port, fds[0]), 0);
	lane = lane_new(port);
	ck_assert_ptr_nonnull(lane);
	ck_assert_int_eq(worker_lane_add(worker, lane), 0);
	far = fds[1];
	return port->io == way;
}

static void teardown(void)
{
	worker_fini(worker); /* closes the pool, which asserts that all packets are home */
	ck_assert_uint_eq(closed, 1);
	close(far);
	host_fini(&host);
}

static int64_t now_ms(void)
{
	return clock_now(&worker->clock).ns / NS_PER_MS;
}

static uint64_t read_packets(void)
{
	return counter_get(&lane->port->counters.rx_packets);
}

START_TEST(readable_port_lets_the_worker_sleep_while_the_pool_is_empty)
{
	static const uint8_t bytes[PACKET] = { 0 };
	struct packet *all[ALL];
	unsigned count = 0, turns = 0;

	if (setup(ways[_i])) {
		ck_assert_int_eq(write(far, bytes, sizeof(bytes)), sizeof(bytes));
		while ((all[count] = pool_take(worker->pool, 0)))
			count++;
		for (int64_t end = now_ms() + WATCHED_MS; now_ms() < end; turns++)
			worker_turn(worker, 1000);
		ck_assert_uint_le(turns, TURNS_MAX);
		ck_assert_uint_eq(read_packets(), 0);
		while (count)
			packet_free(all[--count]);
		for (int64_t end = now_ms() + 10000; !read_packets() && now_ms() < end;)
			worker_turn(worker, 1000);
		ck_assert_uint_eq(read_packets(), 1);
		/* It is watched again: the next one comes at once. */
		ck_assert_int_eq(write(far, bytes, sizeof(bytes)), sizeof(bytes));
		worker_turn(worker, 10000);
		ck_assert_uint_eq(read_packets(), 2);
	}
	teardown();
}
END_TEST

START_TEST(port_that_waits_for_the_pool_can_be_closed)
{
	static const uint8_t bytes[PACKET] = { 0 };
	struct packet *all[ALL];
	unsigned count = 0;

	if (setup(ways[_i])) {
		ck_assert_int_eq(write(far, bytes, sizeof(bytes)), sizeof(bytes));
		while ((all[count] = pool_take(worker->pool, 0)))
			count++;
		worker_turn(worker, 1000);
		worker_turn(worker, 1000);
		worker_lane_close(worker, lane);
		while (count)
			packet_free(all[--count]);
		for (unsigned i = 0; i < 3; i++)
			worker_turn(worker, 0);
		ck_assert_uint_eq(read_packets(), 0);
		ck_assert(!worker_has_work(worker));
	}
	teardown();
}
END_TEST

int main(void)
{
	enum { WAYS = sizeof(ways) / sizeof(ways[0]) };
	Suite *suite = suite_create("worker");
	TCase *tc = tcase_create("pool");

	tcase_add_loop_test(
		tc, readable_port_lets_the_worker_sleep_while_the_pool_is_empty, 0, WAYS);
	tcase_add_loop_test(tc, port_that_waits_for_the_pool_can_be_closed, 0, WAYS);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
