/* SPDX-License-Identifier: MIT */
/* Who we are at a port: what the kernel holds at the other end of the link, and our own MAC. */
#pragma once

#include "host/base/prefix.h"

struct station {
	struct prefix *addrs; /* the kernel's addresses on the link, with their prefix lengths */
	unsigned addr_count;
	uint8_t mac[6]; /* ours, on L2 ports */
};
