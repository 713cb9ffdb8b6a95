/* SPDX-License-Identifier: MIT */
/* Waits for descriptors (epoll). One loop a thread. */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

struct watch {
	int fd;
	void (*ready)(struct watch *watch, uint32_t events); /* EPOLLIN, EPOLLERR, ... */
};

enum { LOOP_EVENTS = 32 };

struct loop {
	int epoll_fd;
	int ready_count; /* while events are given out */
	struct epoll_event ready[LOOP_EVENTS];
};

int loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/* Watches watch->fd for `events`. The watch stays the caller's. 0 or -errno. */
int loop_add(struct loop *loop, struct watch *watch, uint32_t events);

/* Also from inside a ready function: an event that waits for this watch is forgotten. */
void loop_remove(struct loop *loop, struct watch *watch);

/* Waits for at most timeout_ms (-1: for ever) and gives out what is ready. 0 or -errno. */
int loop_wait(struct loop *loop, int timeout_ms);
