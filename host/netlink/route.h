/* SPDX-License-Identifier: MIT */
/* Routes (rtnetlink(7), RTM_NEWROUTE). */
#pragma once

#include "host/base/prefix.h"
#include "host/netlink/link.h"

/* Routes `dst` over the link, table main. 0 or -errno with why. */
int route_add(struct netlink *netlink, const struct link *link, const struct prefix *dst,
	struct refusal *why);

/* Is some part of `prefix` routed already, the default routes not counted? Fills taken and the
 * ifindex of the link it goes by and returns 1; 0: it is free; or -errno. */
int route_overlap(
	struct netlink *netlink, const struct prefix *prefix, struct prefix *taken, int *ifindex);
