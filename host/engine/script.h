/* SPDX-License-Identifier: MIT */
/* The seam to the scripting language: all that the engine asks of it. bindings/script.c is Lua's
 * side; tests implement it in C. */
#pragma once

#include "host/base/refusal.h"
#include "host/packet/packet.h"
#include "host/policy/verdict.h"

struct match;
struct script; /* one interpreter; used by its worker's thread alone */
struct worker;
struct lane;

struct script_source {
	const char *path; /* of the file; "-" for standard input */
	int argc;	  /* what the script sees as ... and arg */
	char *const *argv;
};

enum { VERDICT_PORTS = 16 };

/* Where a verdict sends a packet; none: the next port. */
struct verdict_ports {
	unsigned count;
	struct lane *lane[VERDICT_PORTS];
};

enum script_state {
	SCRIPT_DONE,	/* its main part has returned */
	SCRIPT_WAITING, /* it waits for time or an end; packets flow */
	SCRIPT_FAILED,
};

struct script_ops {
	/* An interpreter for this worker. 0 or -errno with why. */
	int (*open)(struct script **out, struct worker *worker, struct refusal *why);

	/* Runs the main part until it returns, waits or fails (why says where). */
	enum script_state (*load)(
		struct script *script, const struct script_source *source, struct refusal *why);

	/* A match as a script would write it, for packets that begin with IP and with Ethernet
	 * (NULL: none of those); held for the caller. 0 or -errno with why. No interpreter need be
	 * open. May be NULL. */
	int (*match_of)(struct match *out[2], const char *text, struct refusal *why);

	/* Calls the function `ref` with the packet, which is lent for the call. VERDICT_ERROR if
	 * it failed: that was logged and counted. Never longjmps. */
	enum verdict (*verdict)(
		struct script *script, int ref, struct packet *p, struct verdict_ports *to);

	/* Asks the match function `ref`. VERDICT_NONE: no; VERDICT_PASS: yes; VERDICT_ERROR. */
	enum verdict (*match)(struct script *script, int ref, struct packet *p);

	/* The packets that came together have been dealt with. May be NULL. */
	void (*burst_over)(struct script *script);

	/* A timer is due: `ref` is what waits for it. */
	void (*timer)(struct script *script, int ref, bool is_last);

	/* A link or its addresses have changed (ifindex 0: any may have). May be NULL. */
	void (*event)(struct script *script, const char *netns, int ifindex, bool is_gone);

	/* Runs what somebody typed, for the control connection `id`; answers by control_send. Both
	 * may be NULL. cancel gives up what the connection runs. */
	void (*eval)(struct script *script, uint64_t id, const char *text, size_t len);
	void (*cancel)(struct script *script, uint64_t id);

	/* Which names may go on where the text ends? Answers by control_send, soon, and runs
	 * nothing of the script's. May be NULL. */
	void (*complete)(struct script *script, uint64_t id, const char *text, size_t len);

	/* Has the main part returned? */
	bool (*is_done)(const struct script *script);

	/* Is some part of it waiting for something that is not a timer? */
	bool (*is_waiting)(const struct script *script);

	/* The loop has ended: mt.run() returns, so that scripts can close things after it. */
	void (*ended)(struct script *script);

	/* From a signal handler on the worker's thread: ends what runs with an error, soon. */
	void (*interrupt)(struct script *script);

	void (*close)(struct script *script);
};
