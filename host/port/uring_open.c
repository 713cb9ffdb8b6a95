/* SPDX-License-Identifier: MIT */
/* Opens a ring that can do nothing but move packets. */
#include "host/port/uring_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	FIXED_SLOTS = 512, /* of the pool, the top of its stack, whose pages are registered */
	FIXED_SLOTS_MIN = 32,
};

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

/* No seccomp filter sees what a ring does: it may read, write and poll registered files, no more.
 */
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
		{ IORING_RESTRICTION_SQE_OP, IORING_OP_POLL_ADD },
		{ IORING_RESTRICTION_SQE_OP, IORING_OP_ASYNC_CANCEL },
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

int uring_ring_open(struct uring *ring)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
						   IORING_SETUP_DEFER_TASKRUN |
						   IORING_SETUP_R_DISABLED |
						   IORING_SETUP_SUBMIT_ALL };

	if (ring->is_open)
		return 0;
	if (ring->refused.code) /* it will not be different next time */
		return -ring->refused.code;
	int error = io_uring_queue_init_params(URING_OPERATIONS, &ring->io, &params);

	if (error)
		return ring_refused(ring, -error);
	buffers_register(ring);
	error = io_uring_register_files_sparse(&ring->io, URING_FILES + 1);
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
