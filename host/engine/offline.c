/* SPDX-License-Identifier: MIT */
/* Gives a policy packets and time by hand, and says what it does with them. */
#include "host/engine/offline.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/packet/parse.h"
#include "host/port/memory.h"

enum { BURSTS_MAX = 10000, TIMERS_MAX = 100000 }; /* that one moment may bring */

static struct offline *offline_of(struct trace *trace)
{
	return (struct offline *)((char *)trace - offsetof(struct offline, trace));
}

static struct worker *worker_of(const struct offline *offline)
{
	return (struct worker *)&offline->host.worker;
}

/* Whose words and time are meant while the script runs; and what they were before. */
struct stay {
	struct log_outlet *outlet;
	const struct clock *clock;
};

static struct stay enter(struct worker *worker)
{
	return (struct stay){ log_use(&worker->outlet), clock_use(&worker->clock) };
}

static void leave(struct stay before)
{
	log_use(before.outlet);
	clock_use(before.clock);
}

static void say(struct log_outlet *outlet, enum log_stream stream, const char *text, size_t len)
{
	struct worker *worker = (struct worker *)((char *)outlet - offsetof(struct worker, outlet));
	struct offline *offline =
		(struct offline *)((char *)worker->host - offsetof(struct offline, host));

	offline->say(offline, stream, text, len);
}

/* Notes what is in hand, with p (taken over). A fault belongs to the decision that it led to, not
 * to what a rule sent before it failed. */
static void note(struct offline *offline, struct packet *p)
{
	bool is_at_fault = offline->host.fault[0] && (offline->is_decided || !p);

	offline->now.packet = p;
	offline->now.time = clock_now(&worker_of(offline)->clock);
	snprintf(offline->now.error, sizeof(offline->now.error), "%s",
		is_at_fault ? offline->host.fault : "");
	seen_add(&offline->seen, &offline->now);
	offline->now.packet = NULL;
	if (is_at_fault)
		offline->host.fault[0] = '\0';
}

static struct packet *copied(struct offline *offline, const struct packet *p)
{
	struct packet *copy = packet_copy(p);

	offline->seen.is_short |= !copy;
	if (copy)
		parse(copy); /* what was turned round, or answers, has other layers */
	return copy;
}

/* Ports in memory and pairs have sent or dropped a packet when send returns: which, their counters
 * say. */
static void leaving_note(struct offline *offline)
{
	const struct lane *lane = offline->leaving;

	if (!lane)
		return;
	offline->leaving = NULL;
	offline->now.reason = NULL;
	for (unsigned i = 0; i < TX_DROP_COUNT; i++) {
		if (counter_get(&lane->port->counters.tx_drop[i]) !=
			counter_get(&offline->before.tx_drop[i]))
			offline->now.reason = tx_drop_name(i);
	}
	note(offline, offline->now.packet);
}

/* Between packets: what is sent now the script sends by itself. */
static void undecided(struct offline *offline)
{
	leaving_note(offline);
	offline->is_decided = false;
}

static void offline_rx(struct trace *trace, const struct lane *lane, const struct packet *p)
{
	(void)lane;
	(void)p;
	undecided(offline_of(trace));
}

static void offline_verdict(struct trace *trace, const struct lane *lane, const struct rule *rule,
	enum verdict verdict, enum drop_reason reason, const struct packet *p)
{
	struct offline *offline = offline_of(trace);

	leaving_note(offline); /* what the rules sent */
	offline->is_decided = true;
	offline->now = (struct seen){ .verdict = verdict };
	strcpy(offline->now.port, lane->port->name);
	strcpy(offline->now.from, lane->port->name);
	if (rule)
		strcpy(offline->now.rule, rule->label);
	if (verdict == VERDICT_DROP)
		offline->now.reason = drop_name(reason);
	if (verdict == VERDICT_DROP || verdict == VERDICT_HANDLED)
		note(offline, copied(offline, p));
}

static void offline_tx(struct trace *trace, const struct lane *lane, const struct packet *p)
{
	struct offline *offline = offline_of(trace);

	leaving_note(offline);
	if (!offline->is_decided)
		offline->now = (struct seen){ .verdict = VERDICT_NONE };
	strcpy(offline->now.port, lane->port->name);
	offline->now.packet = copied(offline, p);
	offline->leaving = lane;
	offline->before = lane->port->counters;
}

static const struct trace_ops offline_ops = {
	.rx = offline_rx, .verdict = offline_verdict, .tx = offline_tx
};

int offline_open(struct offline *offline, struct refusal *why)
{
	struct host *host = &offline->host;
	struct worker *worker = &host->worker;

	offline->trace.ops = &offline_ops;
	host->is_recorded = true;
	host->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (host->wake.fd < 0)
		return refuse(why, errno, "offline: cannot start: %s", strerror(errno));
	int error = worker_init(worker, host, 1, host->ops, why);

	if (error) {
		close(host->wake.fd);
		return error;
	}
	worker->outlet.take = say;
	worker->dp.trace = &offline->trace;
	clock_init_virtual(&worker->clock, offline->start.ns);
	struct stay before = enter(worker);

	error = host->ops->open(&worker->dp.script, worker, why);
	leave(before);
	if (error) {
		worker_fini(worker);
		close(host->wake.fd);
	}
	return error;
}

/* A failure outside of a rule is an event of its own. */
static void fault_note(struct offline *offline)
{
	undecided(offline);
	if (!offline->host.fault[0])
		return;
	offline->now = (struct seen){ .verdict = VERDICT_NONE };
	note(offline, NULL);
}

/* All that happens at this moment: packets that wait, and what they lead to. */
static int settle(struct offline *offline, struct refusal *why)
{
	struct worker *worker = worker_of(offline);

	for (unsigned i = 0; i < BURSTS_MAX; i++) {
		unsigned count = 0;

		follow_recorded(worker);
		for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
			if (lane->is_open)
				count += datapath_run(&worker->dp, lane, worker->clock.now);
		}
		fault_note(offline);
		if (!count)
			return 0;
	}
	return refuse(
		why, ELOOP, "packets go round without end (%s)", worker->dp.lanes->port->name);
}

int offline_load(struct offline *offline, struct refusal *why)
{
	struct worker *worker = worker_of(offline);
	struct stay before = enter(worker);
	int error = 0;

	if (worker->dp.ops->load(worker->dp.script, &offline->host.source, why) == SCRIPT_FAILED)
		error = -EINVAL;
	undecided(offline);
	offline->is_loaded = !error;
	if (!error)
		error = settle(offline, why);
	leave(before);
	return error;
}

struct lane *offline_lane(const struct offline *offline, const char *name)
{
	struct lane *lane = worker_of(offline)->dp.lanes;

	while (lane && (!lane->is_open || strcmp(lane->port->name, name)))
		lane = lane->sibling;
	return lane;
}

int offline_feed(
	struct offline *offline, struct lane *lane, const struct packet *p, struct refusal *why)
{
	struct worker *worker = worker_of(offline);
	size_t len = packet_length(p);

	if (!memory_port_is(lane->port))
		return refuse(why, EOPNOTSUPP,
			"%s is a pair's end: what comes in by it, the "
			"other end sends",
			lane->port->name);
	struct packet *copy = pool_take(worker->pool, len);

	if (!copy)
		return refuse(why, ENOMEM, "%s: %zu bytes are too many for a packet",
			lane->port->name, len);
	memcpy(packet_put(copy, len), p->data, len);
	memory_port_feed(lane->port, copy);
	struct stay before = enter(worker);
	int error = settle(offline, why);

	leave(before);
	return error;
}

bool offline_next(const struct offline *offline, struct mono *due)
{
	const struct timers *timers = &worker_of(offline)->timers;

	if (!timers->count)
		return false;
	*due = timers->heap[0].due;
	return true;
}

bool offline_waits(const struct offline *offline)
{
	const struct timers *timers = &worker_of(offline)->timers;

	for (unsigned i = 0; i < timers->count; i++) {
		if (!timers->heap[i].period_ns)
			return true;
	}
	return false;
}

/* Calls the timers of one moment, those that it adds for the same one too. */
static int moment(struct offline *offline, struct refusal *why)
{
	struct worker *worker = worker_of(offline);
	struct timer timer;

	for (unsigned i = 0; i < TIMERS_MAX; i++) {
		if (!timer_take(&worker->timers, worker->clock.now, &timer))
			return 0;
		worker->dp.ops->timer(worker->dp.script, timer.ref, timer.period_ns == 0);
		datapath_flush(&worker->dp);
		fault_note(offline);
		int error = settle(offline, why);

		if (error)
			return error;
	}
	return refuse(why, ELOOP, "timers follow each other without end, and time stands still");
}

int offline_advance(struct offline *offline, struct mono to, struct refusal *why)
{
	struct worker *worker = worker_of(offline);
	struct stay before = enter(worker);
	struct mono due;
	int error = 0;

	while (!error && offline_next(offline, &due) && due.ns <= to.ns) {
		if (due.ns > worker->clock.now.ns)
			worker->clock.now = due;
		error = moment(offline, why);
	}
	if (!error && to.ns > worker->clock.now.ns)
		worker->clock.now = to;
	leave(before);
	return error;
}

void offline_end(struct offline *offline)
{
	struct worker *worker = worker_of(offline);
	struct stay before = enter(worker);
	struct refusal unheard; /* what goes round without end goes with the ports */

	worker->is_stopping = true;
	if (offline->is_loaded) {
		worker->dp.ops->ended(worker->dp.script);
		datapath_flush(&worker->dp);
		fault_note(offline);
		settle(offline, &unheard);
	}
	offline->is_loaded = false;
	leave(before);
}

void offline_close(struct offline *offline)
{
	struct worker *worker = worker_of(offline);
	struct stay before = enter(worker);

	worker_fini(worker);
	leave(before);
	close(offline->host.wake.fd);
	seen_fini(&offline->seen);
}
