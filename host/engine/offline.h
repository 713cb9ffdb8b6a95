/* SPDX-License-Identifier: MIT */
/* A script without a network: its worker has a recorded one, a clock that stands until it is moved
 * and ports in memory. No thread, no privilege; all that happens is said, packet by packet. */
#pragma once

#include "host/engine/host.h"

/* One packet that left, or that stayed; or an error of the script outside of its rules. */
struct offline_event {
	const struct lane *lane;     /* it left by; if it stayed: it came in by. NULL: no packet */
	const struct lane *from;     /* it came in by; NULL: the script sent it */
	const struct packet *packet; /* as it then was; lent */
	enum verdict verdict;	     /* NONE: the script sent it */
	const char *rule;	     /* the label of the rule that decided; NULL: the default */
	const char *reason;	     /* why it did not leave; NULL: it did, or was taken over */
	const char *error;	     /* what failed, "file:line: what"; NULL: nothing */
	struct mono time;
};

struct offline {
	/* Filled by the caller. */
	void (*each)(struct offline *offline, const struct offline_event *event);
	void (*say)(struct offline *offline, enum log_stream stream, const char *text, size_t len);
	struct mono start; /* what the clock says at first */

	struct host host;   /* source, ops, is_silent, told and told_arg are the caller's */
	struct trace trace; /* ours */
	struct offline_event now;
	struct packet *leaving; /* a copy of what is being sent */
	struct port_counters before;
	char label[RULE_LABEL];
	bool is_decided, is_loaded;
};

/* An interpreter in a network of its own. 0 or -errno with why, and nothing is left. */
int offline_open(struct offline *offline, struct refusal *why);

/* Runs the script's main part until it returns or waits. -EINVAL with why if it fails. */
int offline_load(struct offline *offline, struct refusal *why);

/* The open port of that name, or NULL. */
struct lane *offline_lane(const struct offline *offline, const char *name);

/* A copy of the packet comes in by the port, which is none of a pair, and all that follows at this
 * moment happens. 0 or -errno with why. */
int offline_feed(
	struct offline *offline, struct lane *lane, const struct packet *p, struct refusal *why);

/* The clock moves on to `to`, and calls the timers on its way. 0 or -ELOOP with why. */
int offline_advance(struct offline *offline, struct mono to, struct refusal *why);

/* When the next timer is due; false: there is none. */
bool offline_next(const struct offline *offline, struct mono *due);

/* Ends the script as the end of a run would, and frees all. */
void offline_close(struct offline *offline);
