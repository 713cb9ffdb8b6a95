/* SPDX-License-Identifier: MIT */
/* Notes what the kernel forgets when a link goes down, moves or changes, so that the undo brings it
 * back: the dumped message itself is what makes it again. */
#pragma once

#include <stdbool.h>

#include "host/netlink/link.h"

enum restore {
	RESTORE_STATE = 1, /* up, and the master */
	RESTORE_ADDR4 = 2,
	RESTORE_ADDR6 = 4,
	RESTORE_ROUTES = 8,  /* those that the kernel did not make itself */
	RESTORE_NEIGHS = 16, /* the permanent ones */
};

/* `what` of the link is made again by the undo; what is there still then is no error. Called before
 * the change that takes it away. 0 or -errno. */
int restore_link(struct netlink *netlink, const struct link *link, unsigned what);

/* The same for the first route that is meant. */
int restore_route(struct netlink *netlink,
	bool (*is_meant)(const struct nlmsghdr *nlh, const void *arg), const void *arg);
