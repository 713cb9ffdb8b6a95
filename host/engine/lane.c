/* SPDX-License-Identifier: MIT */
/* Keeps a port and its policy together. */
#include "host/engine/lane.h"

#include <stdlib.h>

struct lane *lane_new(struct port *port)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->port = port;
	lane->fallback = VERDICT_DROP;
	port->lane = lane;
	return lane;
}

void lane_close(struct lane *lane)
{
	if (!lane->is_open)
		return;
	lane->is_open = false;
	lane->port->ops->close(lane->port);
}

void lane_free(struct lane *lane)
{
	lane_close(lane);
	rule_table_free(lane->rules);
	rule_table_free(lane->pending);
	free(lane->station.addrs);
	free(lane->port);
	free(lane);
}

const struct rule_table *lane_rules(const struct lane *lane)
{
	return lane->has_pending ? lane->pending : lane->rules;
}

void lane_rules_set(struct lane *lane, struct rule_table *table)
{
	if (lane->has_pending)
		rule_table_free(lane->pending);
	lane->pending = table;
	lane->has_pending = true;
}

void lane_rules_swap(struct lane *lane)
{
	if (!lane->has_pending)
		return;
	rule_table_free(lane->rules);
	lane->rules = lane->pending;
	lane->pending = NULL;
	lane->has_pending = false;
}
