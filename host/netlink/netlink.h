/* SPDX-License-Identifier: MIT */
/* Requests to rtnetlink, answered or refused, with the kernel's own words for the refusal. */
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/refusal.h"

struct netlink {
	struct mnl_socket *socket;
	unsigned seq;
};

/* 0 or -errno with why filled. */
int netlink_open(struct netlink *netlink, struct refusal *why);
void netlink_close(struct netlink *netlink);

enum { NETLINK_BUFFER = 8192 };

/* A request of `type` in `buffer` (NETLINK_BUFFER bytes), its family header zeroed. flags are
 * added to NLM_F_REQUEST. */
struct nlmsghdr *netlink_request(
	void *buffer, uint16_t type, uint16_t flags, size_t header, void **header_out);

/* Sends one change and waits for its acknowledgment. 0 or -errno; `kernel_says` (may be NULL, of
 * `room` bytes) gets the extended ack's text, "" if there is none. */
int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, char *kernel_says, size_t room);

/* Asks for all objects and gives each to `each`. A dump that was interrupted by a change is asked
 * for again from the start, after `restart` (may be NULL). 0 or -errno. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each,
	void (*restart)(void *), void *arg);
