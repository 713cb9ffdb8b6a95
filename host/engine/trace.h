/* SPDX-License-Identifier: MIT */
/* Shows packets as they cross: what came, which rule said what, what left. */
#pragma once

#include "host/base/clock.h"
#include "host/engine/lane.h"
#include "host/policy/filter.h"

struct trace {
	struct filter *match; /* NULL: all packets */
	bool is_coloured;
	bool is_shown; /* the packet in hand matched */
};

/* A packet has been read and parsed. */
void trace_rx(struct trace *trace, const struct lane *lane, const struct packet *p);

/* It was decided: by `rule` (NULL: the port's default); reason is for drops. p as it now is. */
void trace_verdict(struct trace *trace, const struct lane *lane, const struct rule *rule,
	enum verdict verdict, enum drop_reason reason, const struct packet *p);
