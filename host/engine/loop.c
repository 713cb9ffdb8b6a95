/* SPDX-License-Identifier: MIT */
/* Sleeps until a packet, a timer or a signal comes. */
#include "host/engine/loop.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

int loop_open(struct loop *loop)
{
	loop->ready_count = 0;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_close(struct loop *loop)
{
	close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int loop_add(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) ? -errno : 0;
}

void loop_remove(struct loop *loop, struct watch *watch)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	for (int i = 0; i < loop->ready_count; i++) {
		if (loop->ready[i].data.ptr == watch)
			loop->ready[i].data.ptr = NULL;
	}
}

int loop_wait(struct loop *loop, int timeout_ms)
{
	int count = epoll_wait(loop->epoll_fd, loop->ready, LOOP_EVENTS, timeout_ms);

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	loop->ready_count = count;
	/* Who is called may wait in turn, and gives out other events: ours, which that overwrote,
	 * are then none (ready_count is 0), and come again. */
	for (int i = 0; i < loop->ready_count; i++) {
		struct watch *watch = loop->ready[i].data.ptr;

		if (watch)
			watch->ready(watch, loop->ready[i].events);
	}
	loop->ready_count = 0;
	return 0;
}
