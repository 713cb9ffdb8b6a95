/* SPDX-License-Identifier: MIT */
/* Who looks on as packets cross: what came, which rule said what, what left. One who looks on
 * writes it down as lines for people. */
#pragma once

#include "host/base/clock.h"
#include "host/engine/lane.h"
#include "host/policy/filter.h"

struct trace;

struct trace_ops {
	/* A packet has been read and parsed. */
	void (*rx)(struct trace *trace, const struct lane *lane, const struct packet *p);

	/* It was decided: by `rule` (NULL: the port's default); reason is for drops. p as it now
	 * is. */
	void (*verdict)(struct trace *trace, const struct lane *lane, const struct rule *rule,
		enum verdict verdict, enum drop_reason reason, const struct packet *p);

	/* It is about to be sent by the lane's port, after its verdict or by the script itself.
	 * May be NULL. */
	void (*tx)(struct trace *trace, const struct lane *lane, const struct packet *p);

	/* A burst is over: here a system call costs no packet its time. May be NULL. */
	void (*flush)(struct trace *trace);
};

struct trace {
	const struct trace_ops *ops;
};

/* Prints two or three lines a packet; each worker has a copy. */
struct trace_lines {
	struct trace trace; /* the first member; its ops are trace_lines_ops */
	bool is_matched; /* by these, of packets that begin with IP and with Ethernet; NULL: none */
	struct match *matches[2];
	bool is_coloured;
	unsigned width; /* columns; what is longer goes on in the next line. 0: nothing is */
	bool is_shown;	/* the packet in hand matched */
	size_t length;	/* bytes of it, as it came */
};

extern const struct trace_ops trace_lines_ops;

/* All packets, as fits what standard output is: colours and lines that end are for terminals. */
void trace_lines_init(struct trace_lines *lines);
void trace_lines_fini(struct trace_lines *lines);
