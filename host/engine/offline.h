/* SPDX-License-Identifier: MIT */
/* A script without a network: its worker has a recorded one, a clock that stands until it is moved
 * and ports in memory. No thread, no privilege; all that happens is said, packet by packet. */
#pragma once

#include "host/engine/host.h"
#include "host/engine/seen.h"

struct offline {
	/* Filled by the caller. */
	void (*say)(struct offline *offline, enum log_stream stream, const char *text, size_t len);
	struct mono start; /* what the clock says at first */

	struct host host;      /* source, ops, is_silent, told and told_arg are the caller's */
	struct trace trace;    /* ours */
	struct seen_list seen; /* what happened; the caller forgets it */

	struct seen now;
	const struct lane *leaving; /* by which a copy of what is being sent, in now, leaves */
	struct port_counters before;
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

/* Does something wait for a time once, be it a timer or what sleeps? */
bool offline_waits(const struct offline *offline);

/* Ends the script as the end of a run would: mt.run returns, on_end functions are called. Once; not
 * if loading failed. */
void offline_end(struct offline *offline);

/* Frees all. */
void offline_close(struct offline *offline);
