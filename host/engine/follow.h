/* SPDX-License-Identifier: MIT */
/* Keeps what lanes know of their links true: the kernel's addresses, MAC and MTU. */
#pragma once

#include "host/engine/lane.h"
#include "host/engine/world.h"
#include "host/netlink/events.h"

/* One namespace that is followed. */
struct follow {
	struct watch watch; /* of events; the first member */
	struct events events;
	struct worker *worker;
	struct follow *next;
	char netns[NETNS_NAME];
};

/* Begins to follow the namespace ("": our own), once a worker. 0 or -errno with why. */
int follow_open(struct worker *worker, const char *netns, struct refusal *why);
void follow_close(struct worker *worker);

/* In a recorded network: hears what has changed since the last time. */
void follow_recorded(struct worker *worker);

/* Of a tun or tap: what its queue had no room for since it was opened is counted as rx_dropped. */
void follow_losses(struct lane *lane);

/* Asks the kernel now. 0 or -errno with why; the lane is untouched on failure. */
int follow_ask(struct lane *lane, struct refusal *why);
