/* SPDX-License-Identifier: MIT */
/* Says how many packets came, what was decided about them, and what left. */
#include "host/engine/stats.h"

#include <inttypes.h>

static void decisions(struct text *out, const struct lane *lane)
{
	const char *plus = "";

	text_add(out, "      = ");
	for (unsigned i = VERDICT_REPLY; i <= VERDICT_HANDLED; i++) {
		text_add(out, "%s%s %" PRIu64, plus, verdict_counted(i),
			counter_get(&lane->decided[i]));
		plus = " + ";
	}
	text_add(out, "\n");
}

static void drops(struct text *out, const struct lane *lane)
{
	const char *comma = "      dropped: ";

	for (unsigned i = DROP_none + 1; i < DROP_COUNT; i++) {
		uint64_t n = counter_get(&lane->dropped[i]);

		if (!n)
			continue;
		text_add(out, "%s%s %" PRIu64, comma, drop_name(i), n);
		comma = ", ";
	}
	if (counter_get(&lane->decided[VERDICT_DROP]))
		text_add(out, "\n");
	if (counter_get(&lane->malformed))
		text_add(out, "      malformed %" PRIu64 "\n", counter_get(&lane->malformed));
	if (counter_get(&lane->script_errors))
		text_add(out, "      script_errors %" PRIu64 "\n",
			counter_get(&lane->script_errors));
}

static void tx(struct text *out, const struct port *port)
{
	const char *comma = ": ";

	text_add(out, "      tx_packets %" PRIu64 "  tx_bytes %" PRIu64 "  tx_dropped %" PRIu64,
		counter_get(&port->counters.tx_packets), counter_get(&port->counters.tx_bytes),
		port_tx_dropped(port));
	for (unsigned i = 0; i < TX_DROP_COUNT; i++) {
		uint64_t n = counter_get(&port->counters.tx_drop[i]);

		if (!n)
			continue;
		text_add(out, "%s%s %" PRIu64, comma, tx_drop_name(i), n);
		comma = ", ";
	}
	text_add(out, "\n");
}

void stats_print(struct text *out, const struct lane *lanes)
{
	for (const struct lane *lane = lanes; lane; lane = lane->sibling) {
		const struct port_counters *c = &lane->port->counters;

		text_add(out, "%-5s rx_packets %" PRIu64 "  rx_bytes %" PRIu64 "\n",
			lane->port->name, counter_get(&c->rx_packets), counter_get(&c->rx_bytes));
		decisions(out, lane);
		drops(out, lane);
		for (unsigned i = 0; lane->rules && i < lane->rules->count; i++) {
			const struct rule *rule = lane->rules->rules[i];

			text_add(out, "      rule %s: hits %" PRIu64 "  bytes %" PRIu64 "\n",
				rule->label, counter_get(&rule->hits), counter_get(&rule->bytes));
		}
		tx(out, lane->port);
	}
}
