/* SPDX-License-Identifier: MIT */
/* Sleeps in the ring until a packet comes: one read waits on each device, so that the call which
 * writes an answer returns with the next packet. */
#include "host/port/uring_ring.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

enum { AT_ONCE_NS = 3000 }; /* an operation that does not sleep takes less */

void uring_unpark(struct uring_file *file)
{
	struct uring *ring = file->ring;

	uring_carry_out(ring);
	if (uring_parked(file)) {
		struct io_uring_sqe *sqe =
			uring_entry(ring, IORING_OP_ASYNC_CANCEL, 0, URING_CANCEL);

		sqe->fd = -1;
		sqe->addr = uring_parked_index(file);
	}
	while (uring_parked(file)) {
		int error = io_uring_submit_and_wait(&ring->io, 1);

		if (uring_is_fatal(error))
			uring_give_up(ring, -error);
		else
			uring_reap(ring);
	}
}

/* Parks a read, if the port has neither one nor a packet. false: it cannot now. */
static bool park(struct uring_file *file)
{
	struct uring *ring = file->ring;
	size_t room = uring_read_room(file->port);
	bool has_failed = file->has_failed;

	file->has_failed = false;
	if (uring_parked(file) && packet_tailroom(uring_parked(file)) < room)
		uring_unpark(file); /* the MTU was raised */
	if (uring_parked(file) || file->found || file->port->is_gone)
		return true;
	struct packet *p = has_failed ? NULL : pool_take(ring->pool, room);

	if (!p)
		return false;
	uring_operation_start(
		ring, uring_parked_index(file), (struct uring_operation){ p, file->port, false });
	return true;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

/* One call: what is queued is carried out, and then it sleeps until more comes or the time is up.
 */
static int enter_and_sleep(struct uring *ring, int timeout_ms)
{
	struct __kernel_timespec timeout = { timeout_ms / 1000,
		timeout_ms % 1000 * (long long)NS_PER_MS };
	int64_t before = now_ns(), most = (int64_t)AT_ONCE_NS * (ring->queued + 1);
	struct io_uring_cqe *cqe;
	int error = timeout_ms < 0 ? io_uring_submit_and_wait(&ring->io, ring->queued + 1)
				   : io_uring_submit_and_wait_timeout(
					     &ring->io, &cqe, ring->queued + 1, &timeout, NULL);

	ring->is_short = now_ns() - before < most;
	return error;
}

static void enter(struct uring *ring, int timeout_ms)
{
	int error;

	ring->is_short = true;
	if (timeout_ms)
		error = enter_and_sleep(ring, timeout_ms);
	else
		error = io_uring_submit_and_wait(&ring->io, ring->queued);
	if (uring_is_fatal(error)) {
		uring_give_up(ring, -error);
		return;
	}
	uring_reap(ring);
	uring_carry_out(ring); /* a signal may have come between */
}

/* Has every port a read that waits, or something to say? */
static int timeout_limit(struct uring *ring, int timeout_ms)
{
	for (unsigned i = 0; i < URING_FILES; i++) {
		struct uring_file *file = &ring->files[i];

		if (file->fd < 0)
			continue;
		if (!park(file) && (timeout_ms < 0 || timeout_ms > PORT_PAUSE_MS))
			timeout_ms = PORT_PAUSE_MS;
		if (file->found || file->port->is_gone)
			timeout_ms = 0;
	}
	return timeout_ms;
}

/* What the ring polls is in its table of files, behind the ports. */
static void watch(struct uring *ring, int loop_fd)
{
	if (ring->loop_fd != loop_fd)
		io_uring_register_files_update(&ring->io, URING_FILES, &loop_fd, 1);
	ring->loop_fd = loop_fd;
	uring_entry(ring, IORING_OP_POLL_ADD, URING_FILES, URING_WATCH)->poll32_events = POLLIN;
	ring->is_watching = true;
}

bool uring_wait(struct uring *ring, int loop_fd, int timeout_ms)
{
	ring->is_owed = false;
	if (!ring->is_open)
		return true;
	/* There must be room for all that may be parked. */
	if (ring->queued > URING_OPERATIONS - URING_FILES - 1)
		uring_carry_out(ring);
	timeout_ms = timeout_limit(ring, timeout_ms);
	if (!ring->is_open)
		return true;
	if (!ring->is_watching)
		watch(ring, loop_fd);
	ring->is_woken = false;
	enter(ring, timeout_ms);
	return ring->is_woken;
}

bool uring_is_used(const struct uring *ring)
{
	return ring && ring->ports;
}

void uring_settle(struct uring *ring)
{
	if (!ring)
		return;
	ring->is_owed = false;
	uring_carry_out(ring);
}
