/* SPDX-License-Identifier: MIT */
/* Waits for packets and hands them to the datapath. */
#include "host/engine/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/engine/host.h"
#include "host/port/uring.h"

enum {
	POOL_SLOTS = 1024,    /* 4 MiB of address space, touched as used */
	POOL_BIG_SLOTS = 160, /* for MTUs up to 65535 */
	BURSTS = 8,	      /* of one port before the others get their turn */
	HOT_BURST = 16,	      /* packets: a port that has so many at a time is busy */
	SPINS = 16,	      /* turns of busy polling between two looks at the loop */
};

static _Thread_local struct worker *here;

static void interrupt_handler(int signo)
{
	(void)signo;
	if (here && here->dp.script)
		here->dp.ops->interrupt(here->dp.script);
}

void worker_interrupt(struct worker *worker)
{
	struct sigaction action = { .sa_handler = interrupt_handler };

	sigaction(SIGURG, &action, NULL);
	pthread_kill(worker->thread, SIGURG);
}

static void wake_ready(struct watch *watch, uint32_t events)
{
	uint64_t count;

	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return; /* another turn has taken it */
}

static struct worker *worker_of_timers(struct watch *watch)
{
	struct timers *timers = (struct timers *)watch; /* the first member */

	return (struct worker *)((char *)timers - offsetof(struct worker, timers));
}

static void timers_ready(struct watch *watch, uint32_t events)
{
	struct worker *worker = worker_of_timers(watch);
	struct mono now = clock_now(&worker->clock);
	struct timer timer;

	(void)events;
	while (!worker->is_stopping && timer_take(&worker->timers, now, &timer))
		worker->dp.ops->timer(worker->dp.script, timer.ref, timer.period_ns == 0);
}

/* A port that is readable, while there is no slot to read into, would wake the loop for ever. */
static void lane_pause(struct worker *worker, struct lane *lane)
{
	loop_remove(&worker->loop, &lane->watch);
	lane->is_paused = worker->has_paused = true;
}

static void lanes_resume(struct worker *worker)
{
	worker->has_paused = false;
	datapath_flush(&worker->dp); /* what has been sent meanwhile comes home */
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (!lane->is_paused)
			continue;
		lane->is_paused =
			lane->is_open && loop_add(&worker->loop, &lane->watch, EPOLLIN) != 0;
		worker->has_paused |= lane->is_paused;
	}
}

/* While epoll watches a socket the kernel wakes it for each frame that was sent, which costs a
 * third of a packet. So a busy port is not watched but read in each turn, until nothing comes. */
static void lane_heat(struct worker *worker, struct lane *lane, unsigned came)
{
	if (!lane->is_hot && came >= HOT_BURST) {
		loop_remove(&worker->loop, &lane->watch);
		lane->is_hot = true;
	} else if (lane->is_hot && !came) {
		lane->is_hot = loop_add(&worker->loop, &lane->watch, EPOLLIN) != 0;
	}
}

static void lane_ready(struct watch *watch, uint32_t events)
{
	struct lane *lane = (struct lane *)watch; /* the first member */
	struct worker *worker = lane->worker;
	unsigned came = 0;

	(void)events;
	for (unsigned i = 0; i < BURSTS && lane->is_open && !worker->is_stopping; i++) {
		came = datapath_run(&worker->dp, lane, clock_now(&worker->clock));
		if (!lane->port->has_more)
			break;
		worker->is_stopping = atomic_load(&worker->stop_wanted);
	}
	if (lane->is_open && lane->port->is_gone)
		worker_lane_gone(worker, lane);
	if (!lane->is_open || lane->watch.fd < 0)
		return;
	lane_heat(worker, lane, came);
	if (lane->port->is_starved && !came)
		lane_pause(worker, lane);
}

/* true: some port is busy, and the worker must not sleep. */
static bool hot_lanes_run(struct worker *worker)
{
	bool is_any = false;

	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (!lane->is_hot || !lane->is_open)
			continue;
		lane_ready(&lane->watch, EPOLLIN);
		is_any |= lane->is_hot && lane->is_open;
	}
	return is_any;
}

int worker_init(struct worker *worker, struct host *host, unsigned id, const struct script_ops *ops,
	struct refusal *why)
{
	memset(worker, 0, sizeof(*worker));
	worker->host = host;
	worker->id = id;
	worker->dp.ops = ops;
	worker->wake.ready = wake_ready;
	clock_init_real(&worker->clock);
	int error = log_outlet_init(&worker->outlet, host->wake.fd);

	if (error)
		goto fail;
	error = pool_open(&worker->pool, POOL_SLOTS, POOL_BIG_SLOTS);
	if (error)
		goto fail_outlet;
	worker->uring = uring_new(worker->pool); /* can be done without */
	error = loop_open(&worker->loop);
	if (error)
		goto fail_pool;
	error = timers_open(&worker->timers);
	if (error)
		goto fail_loop;
	worker->world = host->is_recorded ? world_new_recorded(host->told, host->told_arg)
					  : world_new(host->keeper, host->is_told);
	worker->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake.fd < 0 || !worker->world) {
		error = worker->world ? -errno : -ENOMEM;
		goto fail_world;
	}
	worker->dp.pool = worker->pool;
	worker->timers.watch.ready = timers_ready;
	loop_add(&worker->loop, &worker->wake, EPOLLIN);
	loop_add(&worker->loop, &worker->timers.watch, EPOLLIN);
	return 0;

fail_world:
	if (worker->world)
		world_free(worker->world);
	if (worker->wake.fd >= 0)
		close(worker->wake.fd);
	timers_close(&worker->timers);
fail_loop:
	loop_close(&worker->loop);
fail_pool:
	uring_free(worker->uring);
	pool_close(worker->pool);
fail_outlet:
	log_outlet_fini(&worker->outlet);
fail:
	return refuse(why, -error, "worker %u: cannot start: %s", id, strerror(-error));
}

static void lanes_close(struct worker *worker)
{
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (lane->is_open)
			worker_lane_close(worker, lane);
	}
}

void worker_fini(struct worker *worker)
{
	lanes_close(worker);
	/* Rules give their functions back to the interpreter before it goes. */
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		lane_rules_set(lane, NULL);
		lane_rules_swap(lane);
	}
	if (worker->dp.script)
		worker->dp.ops->close(worker->dp.script);
	while (worker->dp.lanes) {
		struct lane *lane = worker->dp.lanes;

		worker->dp.lanes = lane->sibling;
		lane_free(lane);
	}
	follow_close(worker);
	close(worker->wake.fd);
	timers_close(&worker->timers);
	loop_close(&worker->loop);
	uring_free(worker->uring);
	pool_close(worker->pool);
	log_outlet_fini(&worker->outlet);
	world_free(worker->world);
}

static void state_set(struct worker *worker, enum worker_state state)
{
	atomic_store(&worker->state, state);
	host_wake(worker->host);
}

bool worker_has_work(const struct worker *worker)
{
	if (worker->timers.count || control_is_used(worker) || atomic_load(&worker->is_held) ||
		worker->dp.ops->is_waiting(worker->dp.script))
		return true;
	for (const struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (lane->is_open)
			return true;
	}
	return false;
}

/* Sleeps in the ring, and runs what it has brought. true: the loop has something. */
static bool ring_turn(struct worker *worker, int timeout_ms)
{
	bool is_loop_ready = uring_wait(worker->uring, worker->loop.epoll_fd, timeout_ms);

	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (lane->is_open && (lane->port->is_ready || lane->port->is_gone))
			lane_ready(&lane->watch, EPOLLIN);
	}
	return is_loop_ready;
}

/* A worker with ports on a ring sleeps there: the call that writes an answer brings the next
 * packet, and says whether the loop has something. */
void worker_turn(struct worker *worker, int timeout_ms)
{
	bool had_paused = worker->has_paused;

	if (had_paused && (timeout_ms < 0 || timeout_ms > PORT_PAUSE_MS))
		timeout_ms = PORT_PAUSE_MS;
	bool is_loop_ready = true, may_sleep = timeout_ms != 0;

	if (hot_lanes_run(worker))
		timeout_ms = 0;
	if (may_sleep && uring_is_used(worker->uring)) {
		is_loop_ready = ring_turn(worker, timeout_ms);
		timeout_ms = 0;
	}
	if (is_loop_ready) {
		uring_settle(worker->uring);
		loop_wait(&worker->loop, timeout_ms);
	}
	if (had_paused)
		lanes_resume(worker);
	worker->is_stopping = atomic_load(&worker->stop_wanted);
}

static enum script_state script_load(struct worker *worker)
{
	const struct script_ops *ops = worker->dp.ops;

	if (ops->open(&worker->dp.script, worker, &worker->why))
		return SCRIPT_FAILED;
	return ops->load(worker->dp.script, &worker->host->source, &worker->why);
}

/* A console that cannot connect is no reason not to serve packets. */
static void consoles_open(struct worker *worker)
{
	const struct host *host = worker->host;
	struct refusal why;
	int error = 0;

	if (host->console_fd > 0)
		error = control_serve(worker, host->console_fd, &why);
	if (!error && host->control_path)
		error = control_listen(worker, host->control_path, &why);
	if (error)
		log_line(LOG_LEVEL_DEBUG, "%s", why.text);
}

/* With --busy-poll: asks the ports themselves, as long as packets were seen lately; now and then
 * the loop, which knows of the rest. false: it may sleep. */
static bool spin(struct worker *worker)
{
	int64_t spin_ns = worker->host->spin_ns;
	int64_t now = spin_ns ? clock_now(&worker->clock).ns : 0;

	if (!spin_ns)
		return false;
	for (unsigned i = 0; i < SPINS; i++) {
		bool is_any = false;

		for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
			struct mono at = { now };

			if (lane->is_open && datapath_run(&worker->dp, lane, at))
				is_any = true;
		}

		now = clock_now(&worker->clock).ns;
		if (is_any)
			worker->packet_at = now;
	}
	return now - worker->packet_at < spin_ns;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	char name[16]; /* as top -H shows it */

	here = worker;
	snprintf(name, sizeof(name), "worker %u", worker->id);
	pthread_setname_np(pthread_self(), name);
	log_use(&worker->outlet);
	enum script_state state = script_load(worker);

	if (state == SCRIPT_FAILED) {
		lanes_close(worker);
		state_set(worker, WORKER_FAILED);
		return NULL;
	}
	if (worker->id == 1)
		consoles_open(worker);
	state_set(worker, WORKER_READY);
	while (!worker->is_stopping && worker_has_work(worker))
		worker_turn(worker, spin(worker) ? 0 : -1);
	worker->is_stopping = true;
	worker->dp.ops->ended(worker->dp.script);
	control_close(worker);
	lanes_close(worker);
	state_set(worker, WORKER_ENDED);
	return NULL;
}

int worker_start(struct worker *worker)
{
	const struct cpu_list *cpus = &worker->host->cpus;
	pthread_attr_t attr;
	cpu_set_t set;

	pthread_attr_init(&attr);
	if (cpus->count) {
		CPU_ZERO(&set);
		CPU_SET(cpus->cpu[(worker->id - 1) % cpus->count], &set);
		pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	int error = -pthread_create(&worker->thread, &attr, worker_main, worker);

	pthread_attr_destroy(&attr);
	return error;
}

void worker_wake(struct worker *worker)
{
	uint64_t one = 1;

	if (write(worker->wake.fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: it is awake */
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stop_wanted, true);
	worker_wake(worker);
}

int worker_lane_add(struct worker *worker, struct lane *lane)
{
	lane->worker = worker;
	lane->station.self.epoch_ns = worker->clock.epoch_ns;
	memcpy(lane->station.self.mac, lane->port->mac, sizeof(lane->station.self.mac));
	lane->watch.fd = lane->port->ops->poll_fd(lane->port);
	lane->watch.ready = lane_ready;
	int error = lane->watch.fd < 0 ? 0 : loop_add(&worker->loop, &lane->watch, EPOLLIN);

	if (error)
		return error;
	struct lane **last = &worker->dp.lanes;

	while (*last)
		last = &(*last)->sibling;
	*last = lane;
	lane->is_open = true;
	return 0;
}

void worker_lane_close(struct worker *worker, struct lane *lane)
{
	if (lane->watch.fd >= 0)
		loop_remove(&worker->loop, &lane->watch);
	if (lane->is_open)
		follow_losses(lane);
	lane_close(lane);
	if (lane->has_device)
		world_link_del(worker->world, lane->netns, lane->port->ifindex);
	lane->has_device = false;
}

void worker_lane_gone(struct worker *worker, struct lane *lane)
{
	if (!lane->origin) /* of a port's queues one says it */
		log_line(LOG_LEVEL_WARN, "%s: the device is gone; the port is closed",
			lane->port->name);
	worker_lane_close(worker, lane);
}
