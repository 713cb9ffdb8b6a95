/* SPDX-License-Identifier: MIT */
/* Addresses of links (rtnetlink(7), RTM_NEWADDR). */
#pragma once

#include <stdbool.h>

#include "host/base/prefix.h"
#include "host/netlink/link.h"

/* Gives the link an address; a v4 one with its broadcast address, a v6 one without duplicate
 * address detection unless with_dad. 0 or -errno with why. */
int addr_add(struct netlink *netlink, const struct link *link, const struct prefix *prefix,
	bool with_dad, struct refusal *why);

/* All addresses of a link, malloc'ed. 0 or -errno; *out and *count are untouched on failure. */
int addr_list(struct netlink *netlink, int ifindex, struct prefix **out, unsigned *count);
