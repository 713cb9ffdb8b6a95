/* SPDX-License-Identifier: MIT */
/* Routes and routing rules (rtnetlink(7), RTM_NEWROUTE, RTM_GETRULE). */
#pragma once

#include "host/base/prefix.h"
#include "host/netlink/link.h"
#include "host/netlink/words.h"

enum { ROUTE_HOPS = 8 };

struct route_hop {
	struct addr via; /* family 0: none, on the link itself */
	int ifindex;	 /* 0: none */
	uint16_t weight; /* of a multipath route; 0 counts as 1 */
};

struct route {
	struct prefix dst; /* len 0: default */
	struct addr src;   /* preferred source; family 0: none */
	struct route_hop hops[ROUTE_HOPS];
	unsigned hop_count;
	uint32_t table;	  /* 0: main when adding, all when listing */
	uint32_t metric;  /* 0: the kernel's default */
	int scope;	  /* RT_SCOPE_*; -1: what fits */
	uint8_t kind;	  /* RTN_*; 0: unicast */
	uint8_t protocol; /* RTPROT_*; read only */
};

struct route_rule {
	uint32_t priority, table;
	uint8_t family;
	uint8_t action;		/* FR_ACT_*: look into table, or refuse */
	struct prefix src, dst; /* len 0: all */
};

/* "lookup", "prohibit", ...: what a rule does with what it is for. */
const char *route_action_text(uint8_t action);

/* Undone by deleting it. 0 or -errno with why. */
int route_add(struct netlink *netlink, const struct route *route, struct refusal *why);

/* Undone by adding it again. */
int route_del(struct netlink *netlink, const struct route *route, struct refusal *why);

/* The routes of a table (0: of all), of both families, malloc'ed. */
int route_list(struct netlink *netlink, uint32_t table, struct route **out, unsigned *count);

/* The route that a packet to `dst` (from `src`, unless family 0) would take: asked of the kernel.
 */
int route_get(struct netlink *netlink, const struct addr *dst, const struct addr *src,
	struct route *out, struct refusal *why);

int route_rules(struct netlink *netlink, struct route_rule **out, unsigned *count);

/* Is some part of `prefix` routed already in table main, the default routes not counted? Fills
 * taken and the ifindex of the link it goes by and returns 1; 0: it is free; or -errno. */
int route_overlap(
	struct netlink *netlink, const struct prefix *prefix, struct prefix *taken, int *ifindex);
