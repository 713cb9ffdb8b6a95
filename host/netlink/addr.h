/* SPDX-License-Identifier: MIT */
/* Addresses of links (rtnetlink(7), RTM_NEWADDR). */
#pragma once

#include <stdbool.h>

#include "host/base/prefix.h"
#include "host/netlink/link.h"

struct addr_entry {
	struct prefix addr;
	int ifindex;
	uint8_t scope;	/* RT_SCOPE_* */
	uint32_t flags; /* IFA_F_*: tentative, dadfailed ... */
};

/* Gives the link an address; a v4 one with its broadcast address, a v6 one without duplicate
 * address detection unless with_dad. Undone by taking it off. 0 or -errno with why. */
int addr_add(struct netlink *netlink, const struct link *link, const struct prefix *prefix,
	bool with_dad, struct refusal *why);

/* Undone by giving it back. */
int addr_del(struct netlink *netlink, const struct link *link, const struct prefix *prefix,
	struct refusal *why);

/* The addresses of a link (ifindex 0: of all), malloc'ed. 0 or -errno; *out and *count are
 * untouched on failure. */
int addr_list(struct netlink *netlink, int ifindex, struct addr_entry **out, unsigned *count);
