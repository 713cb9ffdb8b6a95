/* SPDX-License-Identifier: MIT */
/* A packet's whole way through the host. */
#pragma once

#include "host/engine/lane.h"
#include "host/engine/script.h"
#include "host/engine/trace.h"

struct datapath {
	const struct script_ops *ops;
	struct script *script;
	struct pool *pool;
	struct lane *lanes;  /* all of the worker's, open and closed */
	struct trace *trace; /* NULL: nobody watches */
};

/* Reads one burst from the lane's port, decides about each packet and sends what is to be sent.
 * Returns how many packets were read. */
unsigned datapath_run(struct datapath *dp, struct lane *lane, struct mono now);

/* Queues a copy of the packet on the lane's port, past all rules; flushed with the next burst or
 * by datapath_flush. */
void datapath_inject(struct datapath *dp, struct lane *lane, const struct packet *p);
void datapath_flush(struct datapath *dp);
