/* SPDX-License-Identifier: MIT */
/* Reads and writes whole packets, many with one system call.
 *
 * A recv queues its reads behind the writes that the last burst left, and carries all of them out
 * at once. With RWF_NOWAIT each one completes before the call returns: an empty device says EAGAIN.
 * So between two calls the kernel holds no packet of ours but those of the reads that were parked
 * on each device to sleep (uring_wait.c). */
#include "host/port/uring_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/port/tun.h"
#include "host/port/vnet.h"

enum { BIG_READS = 32 }; /* at once, when each takes a big slot */

struct uring *uring_new(struct pool *pool)
{
	struct uring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->pool = pool;
	for (unsigned i = 0; i < URING_FILES; i++) {
		ring->files[i].ring = ring;
		ring->files[i].fd = -1;
	}
	return ring;
}

void uring_free(struct uring *ring)
{
	if (ring && ring->is_open)
		io_uring_queue_exit(&ring->io);
	free(ring);
}

static void read_done(struct port *port, struct packet *p, int result)
{
	struct uring_file *file = port->file;
	size_t header = port->vnet_bytes;

	if (result > 0 && (size_t)result == header + packet_tailroom(p)) {
		/* Cut off: the MTU was raised, and word of it has not come yet. */
		counter_add(&port->counters.rx_dropped, 1);
	} else if (result > (int)header) {
		packet_put(p, (size_t)result - header);
		if (header)
			vnet_take(p, header);
		if (file->burst)
			file->burst[file->came++] = p;
		else
			file->found = p;
		port->is_ready = true;
		return;
	}
	if (result == -EBADFD)
		port->is_gone = true; /* the device, or its namespace */
	else if (result != -EAGAIN && result != -ECANCELED)
		file->has_failed = true;
	packet_free(p);
}

static void write_done(struct port *port, struct packet *p, int result)
{
	size_t len = packet_length(p);

	if (result >= 0 && (size_t)result == port->vnet_bytes + len)
		port_tx_count(port, len);
	else
		port_refused(port, result < 0 ? -result : EPROTO);
	packet_free(p);
}

static void operation_done(struct uring *ring, unsigned index, int result)
{
	struct uring_operation *operation = &ring->operations[index];
	struct packet *p = operation->p;

	if (index < URING_PARKED)
		ring->done++;
	operation->p = NULL;
	if (operation->is_write)
		write_done(operation->port, p, result);
	else
		read_done(operation->port, p, result);
}

static void entry_done(struct uring *ring, uint64_t user_data, int result)
{
	if (user_data < URING_WATCH)
		operation_done(ring, (unsigned)user_data, result);
	if (user_data == URING_WATCH) {
		ring->is_watching = false;
		ring->is_woken = true;
	}
}

void uring_reap(struct uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	io_uring_for_each_cqe(&ring->io, head, cqe)
	{
		entry_done(ring, cqe->user_data, cqe->res);
		count++;
	}
	io_uring_cq_advance(&ring->io, count);
}

void uring_give_up(struct uring *ring, int error)
{
	if (ring->is_open) {
		io_uring_queue_exit(&ring->io);
		ring->is_open = false;
		refuse(&ring->refused, error, "io_uring: %s", strerror(error));
	}
	for (unsigned i = 0; i < URING_WATCH; i++) {
		if (!ring->operations[i].p)
			continue;
		ring->operations[i].port->is_gone = true;
		operation_done(ring, i, -EIO);
	}
}

bool uring_is_fatal(int error)
{
	return error < 0 && error != -EINTR && error != -EAGAIN && error != -EBUSY &&
	       error != -ENOMEM && error != -ETIME;
}

void uring_carry_out(struct uring *ring)
{
	while (ring->done < ring->queued) {
		int error = ring->is_open
				    ? io_uring_submit_and_wait(&ring->io, ring->queued - ring->done)
				    : -EIO;

		if (uring_is_fatal(error)) {
			uring_give_up(ring, -error);
			break;
		}
		uring_reap(ring);
	}
	ring->queued = ring->done = 0;
}

static int opcode(bool is_write, bool is_fixed)
{
	if (is_fixed)
		return is_write ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
	return is_write ? IORING_OP_WRITE : IORING_OP_READ;
}

struct io_uring_sqe *uring_entry(struct uring *ring, int opcode, unsigned file, unsigned user_data)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->io);

	assert(sqe); /* there are as many as operations, and none is in use before these */
	io_uring_prep_rw(opcode, sqe, (int)file, NULL, 0, 0);
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->user_data = user_data;
	return sqe;
}

struct io_uring_sqe *uring_operation_start(
	struct uring *ring, unsigned index, struct uring_operation operation)
{
	const struct packet *p = operation.p;
	size_t header = operation.port->vnet_bytes;
	bool is_fixed = (uintptr_t)p->head - (uintptr_t)ring->fixed < ring->fixed_len;
	struct io_uring_sqe *sqe = uring_entry(ring, opcode(operation.is_write, is_fixed),
		(unsigned)(operation.port->file - ring->files), index);

	ring->operations[index] = operation;
	sqe->addr = (uint64_t)(uintptr_t)(p->data - header);
	sqe->len =
		(unsigned)(header + (operation.is_write ? packet_length(p) : packet_tailroom(p)));
	return sqe;
}

static void queue(struct uring *ring, struct port *port, struct packet *p, bool is_write)
{
	struct uring_operation operation = { p, port, is_write };
	unsigned index = ring->queued++;

	if (ring->is_open)
		uring_operation_start(ring, index, operation)->rw_flags = RWF_NOWAIT;
	else
		ring->operations[index] = operation; /* it comes home undone */
	if (ring->queued == URING_OPERATIONS)
		uring_carry_out(ring);
}

size_t uring_read_room(const struct port *port)
{
	return port_fits_slot(port) ? 0 : PACKET_BYTES_MAX;
}

static unsigned reads_queue(struct uring *ring, struct port *port, unsigned max)
{
	unsigned count = port->file->batch < max ? port->file->batch : max;
	size_t room = uring_read_room(port);

	if (room && count > BIG_READS)
		count = BIG_READS;
	/* They would be carried out before all of them are queued. */
	if (ring->queued + count >= URING_OPERATIONS)
		uring_carry_out(ring);
	for (unsigned i = 0; i < count; i++) {
		struct packet *p = pool_take(ring->pool, room);

		if (!p)
			return i;
		queue(ring, port, p, false);
	}
	return count;
}

/* Reads what is there, behind what the parked read may still bring. */
static unsigned burst_read(struct port *port, unsigned max)
{
	struct uring *ring = port->file->ring;
	unsigned asked = reads_queue(ring, port, max);

	uring_carry_out(ring);
	if (!asked && (asked = reads_queue(ring, port, max))) /* packets have come home */
		uring_carry_out(ring);
	if (!asked)
		port->is_starved = true;
	return asked;
}

/* A count of bytes, or -errno; does not wait. No point of cancellation (see tun_device_write). */
static int read_alone(const struct port *port, const struct packet *p)
{
	size_t header = port->vnet_bytes;
	struct iovec part = { p->data - header, header + packet_tailroom(p) };
	long n = syscall(SYS_preadv2, port->file->fd, &part, 1, -1L, -1L, RWF_NOWAIT);

	return n < 0 ? -errno : (int)n;
}

/* Of a packet at a time a call of its own is quicker than one to the ring: so it is read, and what
 * is sent next, its answer, is written. false: packets may be more, or must keep their order. */
static bool lone_read(struct port *port)
{
	struct uring_file *file = port->file;
	struct uring *ring = file->ring;

	if (file->batch > 1 || ring->queued || uring_parked(file) || !ring->is_open)
		return false;
	struct packet *p = pool_take(ring->pool, uring_read_room(port));

	if (!p)
		return false;
	read_done(port, p, read_alone(port, p));
	port->has_more = false;
	file->batch = port_batch(1, file->came, file->came);
	ring->is_lone = file->came;
	return true;
}

static unsigned uring_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	struct uring_file *file = port->file;
	struct uring *ring = file->ring;

	ring->is_owed = true;
	file->burst = burst;
	file->came = 0;
	ring->is_lone = false;
	if (file->found) {
		burst[file->came++] = file->found;
		file->found = NULL;
		port->has_more = ring->is_short;
	} else if (!lone_read(port)) {
		unsigned asked = burst_read(port, max - 1);

		/* Most lone packets are alone: to look for a second one would keep their answers
		 * waiting. */
		port->has_more = asked > 1 && file->came >= asked;
		file->batch = port_batch(file->batch, file->came, asked && file->came >= asked);
	}
	file->burst = NULL;
	port->is_ready = false;
	for (unsigned i = 0; i < file->came; i++)
		port_received(port, burst[i], now);
	return file->came;
}

static void uring_send(struct port *port, struct packet *p)
{
	struct uring *ring = port->file->ring;

	p = vnet_ready(port, p);
	if (p && ring->is_lone && !ring->queued)
		write_done(port, p, tun_device_write(port->file->fd, port, p));
	else if (p)
		queue(ring, port, p, true);
}

static void uring_flush(struct port *port)
{
	struct uring *ring = port->file->ring;

	if (!ring->is_owed)
		uring_carry_out(ring);
}

/* The worker sleeps in the ring. */
static int uring_poll_fd(const struct port *port)
{
	(void)port;
	return -1;
}

static void uring_close(struct port *port)
{
	struct uring_file *file = port->file;
	int none = -1;

	if (!port->is_open)
		return;
	uring_unpark(file);
	if (file->found) { /* as what is left in the device's queue, but we know of it */
		counter_add(&port->counters.rx_dropped, 1);
		packet_free(file->found);
		file->found = NULL;
	}
	port->is_open = false;
	if (file->ring->is_open) /* its table holds the device open too */
		io_uring_register_files_update(
			&file->ring->io, (unsigned)(file - file->ring->files), &none, 1);
	tun_port_close(port, file->fd);
	file->fd = -1;
	file->ring->ports--;
}

static const struct port_ops uring_ops = {
	.recv = uring_recv,
	.send = uring_send,
	.flush = uring_flush,
	.poll_fd = uring_poll_fd,
	.close = uring_close,
};

int uring_port_open(struct uring *ring, struct port *port, int fd, struct refusal *why)
{
	unsigned index = 0;

	if (!ring)
		return refuse(why, ENOMEM, "io_uring: out of memory");
	if (uring_ring_open(ring)) {
		*why = ring->refused;
		return -why->code;
	}
	while (index < URING_FILES && ring->files[index].fd >= 0)
		index++;
	if (index == URING_FILES)
		return refuse(why, ENFILE, "io_uring: at most %d ports", URING_FILES);
	int error = io_uring_register_files_update(&ring->io, index, &fd, 1);

	if (error < 0)
		return refuse(why, -error, "io_uring: %s", strerror(-error));
	port->file = &ring->files[index];
	/* A read that is parked waits, it does not ask. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	port->file->fd = fd;
	port->file->port = port;
	ring->ports++;
	port->file->batch = 1;
	port->ops = &uring_ops;
	port->is_open = true;
	return 0;
}
