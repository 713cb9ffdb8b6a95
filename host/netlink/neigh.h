/* SPDX-License-Identifier: MIT */
/* Neighbours: which MAC an address has on a link (rtnetlink(7), RTM_NEWNEIGH). */
#pragma once

#include "host/base/prefix.h"
#include "host/netlink/link.h"

struct neigh {
	struct addr dst;
	int ifindex;
	uint8_t lladdr[6];
	bool has_lladdr;
	uint16_t state; /* NUD_* */
};

/* Adds or replaces a permanent entry; undone by deleting it, or setting back what was there. */
int neigh_add(struct netlink *netlink, const struct link *link, const struct neigh *neigh,
	struct refusal *why);
int neigh_del(struct netlink *netlink, const struct link *link, const struct addr *dst,
	struct refusal *why);

/* The entries of a link (0: of all), malloc'ed. */
int neigh_list(struct netlink *netlink, int ifindex, struct neigh **out, unsigned *count);

/* "reachable", "permanent", ... */
const char *neigh_state_text(uint16_t state);
