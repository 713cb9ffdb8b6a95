/* SPDX-License-Identifier: MIT */
/* Keeps what lanes know of their links true: the kernel's addresses, MAC and MTU. */
#pragma once

#include "host/engine/lane.h"
#include "host/netlink/events.h"

struct follow {
	struct watch watch; /* of events; the first member */
	struct events events;
	struct worker *worker;
};

/* Begins to follow, once a worker. 0 or -errno with why. */
int follow_open(struct follow *follow, struct worker *worker, struct refusal *why);
void follow_close(struct follow *follow);

/* Asks the kernel now. 0 or -errno with why; the lane is untouched on failure. */
int follow_ask(struct lane *lane, struct refusal *why);
