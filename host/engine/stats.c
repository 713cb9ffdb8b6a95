/* SPDX-License-Identifier: MIT */
/* Says how many packets came, what was decided about them, and what left. */
#include "host/engine/stats.h"

#include <inttypes.h>
#include <string.h>

#include "host/engine/host.h"

/* A lane of the first worker, and those of the others on other queues of the same port. */
struct lanes {
	const struct lane *lane[WORKERS_MAX];
	unsigned count;
};

static uint64_t sum(const struct lanes *lanes, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < lanes->count; i++)
		total += counter_get(
			(const struct counter *)((const char *)lanes->lane[i] + offset));
	return total;
}

static uint64_t port_sum(const struct lanes *lanes, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < lanes->count; i++) {
		const char *counters = (const char *)&lanes->lane[i]->port->counters;

		total += counter_get((const struct counter *)(counters + offset));
	}
	return total;
}

static void decisions(struct text *out, const struct lanes *lanes)
{
	const char *plus = "";

	text_add(out, "      = ");
	for (unsigned i = VERDICT_REPLY; i <= VERDICT_HANDLED; i++) {
		text_add(out, "%s%s %" PRIu64, plus, verdict_counted(i),
			sum(lanes, offsetof(struct lane, decided) + i * sizeof(struct counter)));
		plus = " + ";
	}
	text_add(out, "\n");
}

static void drops(struct text *out, const struct lanes *lanes)
{
	const char *comma = "      dropped: ";

	for (unsigned i = DROP_none + 1; i < DROP_COUNT; i++) {
		uint64_t n =
			sum(lanes, offsetof(struct lane, dropped) + i * sizeof(struct counter));

		if (!n)
			continue;
		text_add(out, "%s%s %" PRIu64, comma, drop_name(i), n);
		comma = ", ";
	}
	if (sum(lanes, offsetof(struct lane, decided) + VERDICT_DROP * sizeof(struct counter)))
		text_add(out, "\n");
	uint64_t malformed = sum(lanes, offsetof(struct lane, malformed));
	uint64_t errors = sum(lanes, offsetof(struct lane, script_errors));

	if (malformed)
		text_add(out, "      malformed %" PRIu64 "\n", malformed);
	if (errors)
		text_add(out, "      script_errors %" PRIu64 "\n", errors);
}

static void tx(struct text *out, const struct lanes *lanes)
{
	uint64_t dropped[TX_DROP_COUNT], total = 0;
	const char *comma = ": ";

	for (unsigned i = 0; i < TX_DROP_COUNT; i++) {
		size_t offset =
			offsetof(struct port_counters, tx_drop) + i * sizeof(struct counter);

		dropped[i] = port_sum(lanes, offset);
		total += dropped[i];
	}
	text_add(out, "      tx_packets %" PRIu64 "  tx_bytes %" PRIu64 "  tx_dropped %" PRIu64,
		port_sum(lanes, offsetof(struct port_counters, tx_packets)),
		port_sum(lanes, offsetof(struct port_counters, tx_bytes)), total);
	for (unsigned i = 0; i < TX_DROP_COUNT; i++) {
		if (!dropped[i])
			continue;
		text_add(out, "%s%s %" PRIu64, comma, tx_drop_name(i), dropped[i]);
		comma = ", ";
	}
	text_add(out, "\n");
}

/* A rule is the same in each worker by its place and label. */
static void rules(struct text *out, const struct lanes *lanes)
{
	const struct rule_table *table = lanes->lane[0]->rules;

	for (unsigned i = 0; table && i < table->count; i++) {
		const struct rule *rule = table->rules[i];
		uint64_t hits = 0, bytes = 0;

		for (unsigned j = 0; j < lanes->count; j++) {
			const struct rule_table *other = lanes->lane[j]->rules;

			if (!other || i >= other->count ||
				strcmp(other->rules[i]->label, rule->label))
				continue;
			hits += counter_get(&other->rules[i]->hits);
			bytes += counter_get(&other->rules[i]->bytes);
		}
		text_add(out, "      rule %s: hits %" PRIu64 "  bytes %" PRIu64 "\n", rule->label,
			hits, bytes);
	}
}

static void port_print(struct text *out, const struct lanes *lanes)
{
	uint64_t lost = port_sum(lanes, offsetof(struct port_counters, rx_dropped));

	text_add(out, "%-5s rx_packets %" PRIu64 "  rx_bytes %" PRIu64, lanes->lane[0]->port->name,
		port_sum(lanes, offsetof(struct port_counters, rx_packets)),
		port_sum(lanes, offsetof(struct port_counters, rx_bytes)));
	if (lanes->lane[0]->port->io)
		text_add(out, "  io %s", io_name(lanes->lane[0]->port->io));
	if (lost)
		text_add(out, "  rx_dropped %" PRIu64, lost);
	text_add(out, "\n");
	decisions(out, lanes);
	drops(out, lanes);
	rules(out, lanes);
	tx(out, lanes);
}

/* Which packets each worker had. */
static void shares_print(struct text *out, const struct lanes *lanes)
{
	const char *comma = "      by worker: rx_packets";

	for (unsigned i = 0; lanes->count > 1 && i < lanes->count; i++) {
		text_add(out, "%s %" PRIu64, comma,
			counter_get(&lanes->lane[i]->port->counters.rx_packets));
		comma = ",";
	}
	if (lanes->count > 1)
		text_add(out, "\n");
}

/* The others' lanes of the same port; pairs have none, each worker has its own. */
static void lanes_find(struct host *host, const struct lane *first, struct lanes *out)
{
	struct worker *worker;

	*out = (struct lanes){ { first }, 1 };
	for (unsigned i = 1; (worker = workers_at(host, i)); i++) {
		for (const struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
			if (lane->origin == first)
				out->lane[out->count++] = lane;
		}
	}
}

void stats_print(struct text *out, struct host *host)
{
	struct worker *worker;
	uint64_t lost = 0;

	for (unsigned i = 0; (worker = workers_at(host, i)); i++) {
		lost += counter_get(&worker->outlet.lost);
		for (const struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
			struct lanes lanes;

			if (lane->origin)
				continue;
			lanes_find(host, lane, &lanes);
			port_print(out, &lanes);
			shares_print(out, &lanes);
		}
	}
	if (lost)
		text_add(out, "lines not printed, the terminal was too slow: %" PRIu64 "\n", lost);
}
