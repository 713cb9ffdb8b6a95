/* SPDX-License-Identifier: MIT */
/* Reads and writes whole packets, many with one system call.
 *
 * A recv queues its reads behind the writes that the last burst left, and carries all of them out
 * at once. With RWF_NOWAIT each one completes before the call returns: an empty device says EAGAIN.
 * So between two calls the kernel holds no packet of ours. */
#include "host/port/uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/packet/checksum.h"

enum {
	OPERATIONS = 256,  /* at once: a burst of reads, and writes to all ports */
	FILES = 64,	   /* ports of one worker */
	FIXED_SLOTS = 512, /* of the pool, the top of its stack, whose pages are registered */
	FIXED_SLOTS_MIN = 32,
	BIG_READS = 32, /* at once, when each takes a big slot */
};

struct uring_file {
	struct uring *ring;
	int fd;
	unsigned batch;	       /* reads of the next recv: follows what comes */
	unsigned came;	       /* packets of this recv */
	struct packet **burst; /* where they go */
};

struct operation {
	struct packet *p;
	struct port *port;
	bool is_write;
};

struct uring {
	struct io_uring io;
	struct pool *pool;
	bool is_open;
	bool is_owed; /* a recv comes next and takes the writes along */
	struct refusal refused;
	const uint8_t *fixed; /* the registered bytes */
	size_t fixed_len;
	unsigned queued;
	struct operation operations[OPERATIONS];
	struct uring_file files[FILES];
};

struct uring *uring_new(struct pool *pool)
{
	struct uring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->pool = pool;
	for (unsigned i = 0; i < FILES; i++) {
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

/* As many as the limit of locked memory lets us: the rest is read and written all the same. */
static void buffers_register(struct uring *ring)
{
	size_t len;
	uint8_t *bytes = pool_slots(ring->pool, &len);

	if (len > (size_t)FIXED_SLOTS * POOL_SLOT)
		len = (size_t)FIXED_SLOTS * POOL_SLOT;
	for (; len >= (size_t)FIXED_SLOTS_MIN * POOL_SLOT; len /= 2) {
		struct iovec iov = { bytes, len };

		if (io_uring_register_buffers(&ring->io, &iov, 1))
			continue;
		ring->fixed = bytes;
		ring->fixed_len = len;
		return;
	}
}

/* For what the shared library of Debian 12 does not export. */
static int ring_register(struct uring *ring, unsigned opcode, const void *arg, unsigned count)
{
	long done = syscall(SYS_io_uring_register, ring->io.ring_fd, opcode, arg, count);

	return done < 0 ? -errno : 0;
}

/* No seccomp filter sees what a ring does: it may read and write registered files, no more. */
static int restrict_to_packets(struct uring *ring)
{
	static const struct {
		uint16_t kind;
		uint8_t value;
	} allowed[] = {
		{ IORING_RESTRICTION_SQE_OP, IORING_OP_READ },
		{ IORING_RESTRICTION_SQE_OP, IORING_OP_WRITE },
		{ IORING_RESTRICTION_SQE_OP, IORING_OP_READ_FIXED },
		{ IORING_RESTRICTION_SQE_OP, IORING_OP_WRITE_FIXED },
		{ IORING_RESTRICTION_SQE_FLAGS_ALLOWED, IOSQE_FIXED_FILE },
		{ IORING_RESTRICTION_SQE_FLAGS_REQUIRED, IOSQE_FIXED_FILE },
		{ IORING_RESTRICTION_REGISTER_OP, IORING_REGISTER_FILES_UPDATE },
	};
	enum { COUNT = sizeof(allowed) / sizeof(allowed[0]) };
	struct io_uring_restriction restrictions[COUNT];

	memset(restrictions, 0, sizeof(restrictions));
	for (unsigned i = 0; i < COUNT; i++) {
		restrictions[i].opcode = allowed[i].kind;
		restrictions[i].sqe_op = allowed[i].value; /* a union of bytes */
	}
	return ring_register(ring, IORING_REGISTER_RESTRICTIONS, restrictions, COUNT);
}

static int ring_refused(struct uring *ring, int error)
{
	switch (error) {
	case EPERM:
		return refuse(&ring->refused, error,
			"io_uring: %s (sysctl kernel.io_uring_disabled, or a seccomp filter)",
			strerror(error));
	case ENOSYS:
		return refuse(&ring->refused, error, "io_uring: this kernel has none");
	case EINVAL:
		return refuse(&ring->refused, error, "io_uring: this kernel is older than 6.1");
	default:
		return refuse(&ring->refused, error, "io_uring: %s", strerror(error));
	}
}

static int ring_open(struct uring *ring)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
						   IORING_SETUP_DEFER_TASKRUN |
						   IORING_SETUP_R_DISABLED |
						   IORING_SETUP_SUBMIT_ALL };

	if (ring->is_open)
		return 0;
	if (ring->refused.code) /* it will not be different next time */
		return -ring->refused.code;
	int error = io_uring_queue_init_params(OPERATIONS, &ring->io, &params);

	if (error)
		return ring_refused(ring, -error);
	buffers_register(ring);
	error = io_uring_register_files_sparse(&ring->io, FILES);
	if (!error)
		error = restrict_to_packets(ring);
	if (!error)
		error = ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	if (error) {
		io_uring_queue_exit(&ring->io);
		return ring_refused(ring, -error);
	}
	ring->is_open = true;
	return 0;
}

static void read_done(struct port *port, struct packet *p, int result)
{
	struct uring_file *file = port->file;

	if (result > 0 && (size_t)result == packet_tailroom(p)) {
		/* Cut off: the MTU was raised, and word of it has not come yet. */
		counter_add(&port->counters.rx_dropped, 1);
	} else if (result > 0) {
		packet_put(p, (size_t)result);
		file->burst[file->came++] = p;
		return;
	}
	/* The device or its namespace is gone; EPOLLERR would come for ever. */
	if (result == -EBADFD)
		port->is_gone = true;
	packet_free(p);
}

static void write_done(struct port *port, struct packet *p, int result)
{
	size_t len = packet_length(p);

	if (result >= 0 && (size_t)result == len)
		port_tx_count(port, len);
	else
		port_refused(port, result < 0 ? -result : EPROTO);
	packet_free(p);
}

static void operation_done(struct operation *operation, int result)
{
	struct packet *p = operation->p;

	operation->p = NULL;
	if (operation->is_write)
		write_done(operation->port, p, result);
	else
		read_done(operation->port, p, result);
}

static unsigned reap(struct uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	io_uring_for_each_cqe(&ring->io, head, cqe)
	{
		operation_done(&ring->operations[cqe->user_data], cqe->res);
		count++;
	}
	io_uring_cq_advance(&ring->io, count);
	return count;
}

/* A ring that takes nothing any more: what was queued comes home, its ports are gone. */
static void give_up(struct uring *ring, int error)
{
	if (ring->is_open) {
		io_uring_queue_exit(&ring->io);
		ring->is_open = false;
		refuse(&ring->refused, error, "io_uring: %s", strerror(error));
	}
	for (unsigned i = 0; i < ring->queued; i++) {
		struct operation *operation = &ring->operations[i];

		if (!operation->p)
			continue;
		operation->port->is_gone = true;
		operation_done(operation, -EIO);
	}
}

/* All that is queued is done when this returns. */
static void carry_out(struct uring *ring)
{
	for (unsigned done = 0; done < ring->queued;) {
		int error = ring->is_open ? io_uring_submit_and_wait(&ring->io, ring->queued - done)
					  : -EIO;

		if (error < 0 && error != -EINTR && error != -EAGAIN && error != -EBUSY &&
			error != -ENOMEM) {
			give_up(ring, -error);
			break;
		}
		done += reap(ring);
	}
	ring->queued = 0;
}

static bool is_fixed(const struct uring *ring, const struct packet *p)
{
	return (uintptr_t)p->head - (uintptr_t)ring->fixed < ring->fixed_len;
}

static int opcode(bool is_write, bool is_fixed)
{
	if (is_fixed)
		return is_write ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
	return is_write ? IORING_OP_WRITE : IORING_OP_READ;
}

static void queue(struct uring *ring, struct port *port, struct packet *p, bool is_write)
{
	unsigned index = ring->queued++;
	unsigned len = (unsigned)(is_write ? packet_length(p) : packet_tailroom(p));

	ring->operations[index] = (struct operation){ p, port, is_write };
	if (ring->is_open) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->io);

		assert(sqe); /* there are as many as operations, and none is in use before these */
		io_uring_prep_rw(opcode(is_write, is_fixed(ring, p)), sqe,
			(int)(port->file - ring->files), p->data, len, 0);
		sqe->flags = IOSQE_FIXED_FILE;
		sqe->rw_flags = RWF_NOWAIT;
		sqe->user_data = index;
	}
	if (ring->queued == OPERATIONS)
		carry_out(ring);
}

static unsigned reads_queue(struct uring *ring, struct port *port, unsigned max)
{
	unsigned count = port->file->batch < max ? port->file->batch : max;
	size_t room = port_room(port) < POOL_SLOT - PACKET_HEADROOM ? 0 : PACKET_BYTES_MAX;

	if (room && count > BIG_READS)
		count = BIG_READS;
	/* They would be carried out before all of them are queued. */
	if (ring->queued + count >= OPERATIONS)
		carry_out(ring);
	for (unsigned i = 0; i < count; i++) {
		struct packet *p = pool_take(ring->pool, room);

		if (!p)
			return i;
		queue(ring, port, p, false);
	}
	return count;
}

static unsigned uring_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	struct uring_file *file = port->file;
	struct uring *ring = file->ring;

	ring->is_owed = false;
	file->came = 0;
	file->burst = burst;
	unsigned asked = reads_queue(ring, port, max);

	carry_out(ring);
	if (!asked && (asked = reads_queue(ring, port, max))) /* packets have come home */
		carry_out(ring);
	if (!asked)
		port->is_starved = true;
	for (unsigned i = 0; i < file->came; i++)
		port_received(port, burst[i], now);
	/* Most lone packets are alone: to look for a second one would keep their answers waiting.
	 */
	port->has_more = asked > 1 && file->came == asked;
	file->batch = port_batch(file->batch, file->came, asked && file->came == asked);
	ring->is_owed = port->has_more;
	return file->came;
}

static void uring_send(struct port *port, struct packet *p)
{
	if (!port_can_send(port, p))
		return;
	if (p->csum.state == CSUM_PARTIAL)
		checksum_complete(p); /* without a virtio header nobody else will */
	queue(port->file->ring, port, p, true);
}

static void uring_flush(struct port *port)
{
	struct uring *ring = port->file->ring;

	if (!ring->is_owed)
		carry_out(ring);
}

static int uring_poll_fd(const struct port *port)
{
	return port->file->fd;
}

static void uring_close(struct port *port)
{
	struct uring_file *file = port->file;
	int none = -1;

	if (!port->is_open)
		return;
	carry_out(file->ring);
	port->is_open = false;
	if (file->ring->is_open) /* its table holds the device open too */
		io_uring_register_files_update(
			&file->ring->io, (unsigned)(file - file->ring->files), &none, 1);
	close(file->fd);
	file->fd = -1;
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
	if (ring_open(ring)) {
		*why = ring->refused;
		return -why->code;
	}
	while (index < FILES && ring->files[index].fd >= 0)
		index++;
	if (index == FILES)
		return refuse(why, ENFILE, "io_uring: at most %d ports", FILES);
	int error = io_uring_register_files_update(&ring->io, index, &fd, 1);

	if (error < 0)
		return refuse(why, -error, "io_uring: %s", strerror(-error));
	port->file = &ring->files[index];
	port->file->fd = fd;
	port->file->batch = 1;
	port->ops = &uring_ops;
	port->is_open = true;
	return 0;
}

void uring_settle(struct uring *ring)
{
	if (!ring)
		return;
	ring->is_owed = false;
	carry_out(ring);
}
