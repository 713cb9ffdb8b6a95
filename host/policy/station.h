/* SPDX-License-Identifier: MIT */
/* Who we are at a port: what the kernel holds at the other end of the link, and our own MAC. */
#pragma once

#include "host/base/prefix.h"
#include "host/packet/reply.h"

struct station {
	struct prefix *addrs; /* the kernel's addresses on the link, with their prefix lengths */
	unsigned addr_count;
	uint8_t link_mac[6];	/* the kernel's end of a tap: whose own probes are never answered */
	struct reply_self self; /* our MAC on L2 ports, and the clock */
};
