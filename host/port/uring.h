/* SPDX-License-Identifier: MIT */
/* A worker's io_uring: many whole packets are read from its devices and written to them with one
 * system call. */
#pragma once

#include "host/base/refusal.h"
#include "host/port/port.h"

struct uring;

/* Of one worker; the ring itself is opened with its first port. NULL: no memory, or built without
 * io_uring. */
struct uring *uring_new(struct pool *pool);

/* All its ports are closed. NULL is fine. */
void uring_free(struct uring *ring);

/* The open `fd`, each read and write of which is a whole packet, becomes the port's; its ops are
 * the ring's from then on. On the thread that uses the port. 0, or -errno with why, and nothing has
 * changed. */
int uring_port_open(struct uring *ring, struct port *port, int fd, struct refusal *why);

/* Before the thread sleeps elsewhere, or does other things: what was left for the next recv or wait
 * to take along leaves now. NULL is fine. */
void uring_settle(struct uring *ring);

/* Has it an open port? NULL: no. */
bool uring_is_used(const struct uring *ring);

/* Lets what is owed leave, and sleeps until one of its ports is_ready or is_gone, `loop_fd` (always
 * the same) can be read, or timeout_ms (-1: for ever) are over. true: loop_fd is to be looked at.
 */
bool uring_wait(struct uring *ring, int loop_fd, int timeout_ms);
