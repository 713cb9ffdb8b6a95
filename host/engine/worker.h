/* SPDX-License-Identifier: MIT */
/* A worker: a thread with its loop, packet pool, interpreter and one lane for every port. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "host/base/log.h"
#include "host/engine/control.h"
#include "host/engine/datapath.h"
#include "host/engine/follow.h"
#include "host/engine/timer.h"

struct host;

/* The processors that workers run on: the i-th worker on the i-th, and round again. */
enum { CPUS_MAX = 64 };

struct cpu_list {
	unsigned count;
	uint16_t cpu[CPUS_MAX];
};

enum worker_state {
	WORKER_LOADING,
	WORKER_READY,  /* the script has set up: its main part returned, or waits */
	WORKER_FAILED, /* why says what */
	WORKER_ENDED,
};

struct worker {
	struct host *host;
	unsigned id; /* from 1 */
	pthread_t thread;
	struct loop loop;
	struct clock clock;
	struct timers timers;
	struct pool *pool;
	struct uring *uring; /* NULL: none */
	struct datapath dp;
	struct log_outlet outlet;
	struct watch wake;
	struct world *world;
	struct control *controls; /* consoles, and where they connect */
	uint64_t control_last_id;
	struct follow *follows;	  /* the namespaces whose changes are heard */
	bool is_stopping;	  /* seen on this thread */
	bool has_paused;	  /* some lane is */
	struct trace_lines trace; /* this worker's own, where there is one */
	_Atomic bool is_held;	  /* has work until the other workers have loaded */
	_Atomic bool stop_wanted;
	_Atomic int state; /* enum worker_state */
	int64_t packet_at; /* ns; when busy polling saw a packet last */
	struct refusal why;
};

/* A worker without a thread: for tests, and for a stock Lua that brings its own. 0 or -errno. */
int worker_init(struct worker *worker, struct host *host, unsigned id, const struct script_ops *ops,
	struct refusal *why);

/* All lanes are closed and all packets are home afterwards. */
void worker_fini(struct worker *worker);

/* Starts the thread: it opens the interpreter, loads the script, runs the loop. Its state and
 * host_wake tell how it goes. 0 or -errno. */
int worker_start(struct worker *worker);

/* From any thread: its loop takes a turn. */
void worker_wake(struct worker *worker);

/* From any thread: the loop ends after the burst in hand. */
void worker_stop(struct worker *worker);

/* From another thread: ends a script that does not come back to the loop, with an error. */
void worker_interrupt(struct worker *worker);

/* The port's queue is open: from now on the worker reads it. The worker owns the lane; on failure
 * (-errno) it is still the caller's. */
int worker_lane_add(struct worker *worker, struct lane *lane);

/* Closes a lane; its memory and counters stay until the worker's end. */
void worker_lane_close(struct worker *worker, struct lane *lane);

/* Says that the lane's device is gone, and closes it. */
void worker_lane_gone(struct worker *worker, struct lane *lane);

/* One turn of the loop: waits at most timeout_ms for packets and timers, and serves them. */
void worker_turn(struct worker *worker, int timeout_ms);

/* Is there something left to wait for: an open port, a timer, a script that waits? */
bool worker_has_work(const struct worker *worker);
