/* SPDX-License-Identifier: MIT */
/* What needs capabilities: requests, and carrying them out. The keeper does it for the host; under
 * a stock lua5.4 the same is done in-process. */
#pragma once

#include <stdint.h>

#include "host/engine/journal.h"

enum request_verb {
	REQUEST_CHANGE,	 /* payload: a netlink message, then (undo_at) the one that takes it back */
	REQUEST_OPEN,	 /* a descriptor, of enum request_open */
	REQUEST_SYSCTL,	 /* payload: path, 0, value, 0; an empty value only reads */
	REQUEST_OFFLOAD, /* has the other end of the link `number` finish the checksums it sends;
			    value: how, "": it does so already */
	REQUEST_NETNS,	 /* adds the namespace `netns`, or deletes it where number is 0 */
	REQUEST_SPAWN,	 /* payload: argv, each ending in 0; fds: 0 to 2. Gives pid and pidfd */
	REQUEST_WAIT,	 /* reaps the child `number`: its status as sh gives it */
	REQUEST_UNDO,	 /* back to the mark `number`; gives the mark where number is -1 */
};

enum request_open {
	REQUEST_OPEN_NETLINK,
	REQUEST_OPEN_EVENTS,
	REQUEST_OPEN_TUN, /* payload: the name; number2: enum tun_flag */
	REQUEST_OPEN_TAP,
	REQUEST_OPEN_XDP,    /* number2: ifindex */
	REQUEST_OPEN_PACKET, /* number2: ifindex; group: as socket_open takes it */
};

enum { REQUEST_PAYLOAD = 12288, REQUEST_FDS = 3 };

struct request {
	enum request_verb verb;
	char netns[NETNS_NAME];	   /* where; "": the host's own */
	char to_netns[NETNS_NAME]; /* REQUEST_CHANGE: a link moves there */
	bool is_move;
	bool is_kept; /* no undo: what is made stays */
	int number, number2, group;
	unsigned fd_count;
	int fds[REQUEST_FDS]; /* borrowed */
	size_t undo_at;	      /* 0: none */
	size_t len;
	char payload[REQUEST_PAYLOAD];
};

struct reply {
	int error; /* 0 or -errno */
	int number;
	int fd;			  /* -1, or the receiver's */
	char text[400];		  /* of an error: its refusal, or the kernel's words for a change */
	char value[SYSCTL_VALUE]; /* REQUEST_SYSCTL: what it was */
};

/* Carries it out, its undo in the journal first. */
void request_run(struct journal *journal, const struct request *request, struct reply *reply);

/* Ends every child and grandchild that is left. */
void request_children_end(void);
