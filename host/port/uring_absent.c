/* SPDX-License-Identifier: MIT */
/* What a build without liburing says when it is asked to move packets by io_uring. */
#include "host/port/uring.h"

#include <errno.h>

struct uring *uring_new(struct pool *pool)
{
	(void)pool;
	return NULL;
}

void uring_free(struct uring *ring)
{
	(void)ring;
}

int uring_port_open(struct uring *ring, struct port *port, int fd, struct refusal *why)
{
	(void)ring;
	(void)port;
	(void)fd;
	return refuse(why, ENOSYS, "io_uring: not in this build (it was built without liburing)");
}

void uring_settle(struct uring *ring)
{
	(void)ring;
}

bool uring_is_used(const struct uring *ring)
{
	(void)ring;
	return false;
}

bool uring_wait(struct uring *ring, int loop_fd, int timeout_ms)
{
	(void)ring;
	(void)loop_fd;
	(void)timeout_ms;
	return true;
}
