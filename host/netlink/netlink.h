/* SPDX-License-Identifier: MIT */
/* Requests to rtnetlink, answered or refused, with the kernel's own words for the refusal. */
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/refusal.h"

enum { NETLINK_BUFFER = 8192, NETNS_NAME = 64 };

/* One change of the network: what is asked, what would take it back, and where. */
struct netlink_change {
	struct nlmsghdr *request;
	const struct nlmsghdr *undo; /* NULL: nothing to take back */
	const char *netns;	     /* where; "": our own */
	const char *to_netns;	     /* a link moves there; NULL: it stays */
};

/* Who carries changes out and answers questions, where the socket itself does not. */
struct netlink_carrier {
	int (*change)(void *arg, const struct netlink_change *change, char *says, size_t room);
	/* NULL: the socket answers. */
	int (*dump)(void *arg, const char *netns, struct nlmsghdr *request, mnl_cb_t each,
		void *each_arg);
};

struct netlink {
	struct mnl_socket *socket;
	unsigned seq;
	const struct netlink_carrier *carrier; /* NULL: all by the socket, and no undo is kept */
	void *carrier_arg;
	char netns[NETNS_NAME]; /* "": our own */
};

/* A socket in our own namespace, or around the descriptor of one in another, which is taken over.
 * 0 or -errno with why filled. */
int netlink_open(struct netlink *netlink, struct refusal *why);
int netlink_from_fd(struct netlink *netlink, int fd, struct refusal *why);
void netlink_close(struct netlink *netlink);

/* Closes the handle but gives its descriptor away. */
int netlink_fd_take(struct netlink *netlink);

/* A request of `type` in `buffer` (NETLINK_BUFFER bytes), its family header zeroed. flags are
 * added to NLM_F_REQUEST. */
struct nlmsghdr *netlink_request(
	void *buffer, uint16_t type, uint16_t flags, size_t header, void **header_out);

/* Makes a change, through the carrier if there is one. `undo` may be NULL. 0 or -errno;
 * `kernel_says` (of `room` bytes) gets the extended ack's text, "" if there is none. */
int netlink_change(struct netlink *netlink, struct nlmsghdr *request, const struct nlmsghdr *undo,
	char *kernel_says, size_t room);

/* Sends one request by the socket and waits for its acknowledgment. As netlink_change. */
int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, char *kernel_says, size_t room);

/* Asks for all objects and gives each to `each`. A dump that was interrupted by a change is asked
 * for again from the start, after `restart` (may be NULL). 0 or -errno. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each,
	void (*restart)(void *), void *arg);

/* The refusal "what: cannot do: why: the kernel's words"; returns error. */
int netlink_refuse(struct refusal *why, int error, const char *what, const char *doing,
	const char *kernel_says);
