/* SPDX-License-Identifier: MIT */
/* Links: the kernel's interface objects (rtnetlink(7), RTM_NEWLINK). */
#pragma once

#include <stdbool.h>

#include "host/netlink/netlink.h"

struct link {
	int ifindex;
	uint32_t mtu; /* bytes */
	bool is_up;
	uint8_t mac[6];
	char name[16];
};

/* By name, or by ifindex where name is NULL. 0 or -ENODEV, ... with why. */
int link_get(struct netlink *netlink, const char *name, int ifindex, struct link *out,
	struct refusal *why);

/* What link_set changes. */
struct link_change {
	int up;		    /* 1 up, 0 down, -1 as it is */
	uint32_t mtu;	    /* bytes; 0: as it is */
	const uint8_t *mac; /* 6 bytes; NULL: as it is */
};

int link_set(struct netlink *netlink, const struct link *link, const struct link_change *change,
	struct refusal *why);
