/* SPDX-License-Identifier: MIT */
/* What the kernel says unasked: links and addresses that change (rtnetlink(7), groups). */
#pragma once

#include <stdbool.h>

#include "host/base/refusal.h"

struct mnl_socket;

struct events {
	struct mnl_socket *socket;
};

/* Joins the groups for links and for addresses of both families; non-blocking. 0 or -errno. */
int events_open(struct events *events, struct refusal *why);
void events_close(struct events *events);

/* Around the descriptor of such a socket, which is taken over; and its descriptor given away. */
int events_from_fd(struct events *events, int fd, struct refusal *why);
int events_fd_take(struct events *events);
int events_fd(const struct events *events);

/* The next link that something has changed on: true and its ifindex, and whether it is gone;
 * ifindex 0: events were lost, so every link may have changed. false: nothing more now. */
bool events_next(struct events *events, int *ifindex, bool *is_gone);
