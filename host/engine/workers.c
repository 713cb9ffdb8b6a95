/* SPDX-License-Identifier: MIT */
/* Starts, watches and ends the threads that carry packets. */
#include "host/engine/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/host.h"

struct worker *workers_at(struct host *host, unsigned i)
{
	if (i == 0)
		return &host->worker;
	return host->others && i <= host->other_count ? &host->others[i - 1] : NULL;
}

/* Who looks on at the worker's packets. */
static int trace_join(struct host *host, struct worker *worker)
{
	if (host->trace) {
		worker->trace = *host->trace;
		worker->dp.trace = &worker->trace.trace;
	}
	if (!host->capture)
		return 0;
	worker->dp.trace = capture_join(host->capture, host->wake.fd, worker->dp.trace);
	return worker->dp.trace ? 0 : -ENOMEM;
}

static int start(struct host *host, struct worker *worker, unsigned id)
{
	int error = worker_init(worker, host, id, host->ops, &host->why);

	if (error)
		return error;
	worker->is_held = id == 1 && host->worker_count > 1;
	error = trace_join(host, worker);
	if (!error)
		error = worker_start(worker);
	if (!error)
		return 0;
	worker_fini(worker);
	return refuse(&host->why, -error, "worker %u: cannot start: %s", id, strerror(-error));
}

int workers_open(struct host *host)
{
	if (host->worker_count > 1) {
		host->calls = calls_new(host->worker_count - 1);
		if (!host->calls)
			return refuse(&host->why, ENOMEM, "workers: out of memory");
	}
	int error = start(host, &host->worker, 1);

	if (error)
		calls_free(host->calls);
	return error;
}

static int others_open(struct host *host)
{
	host->others = calloc(host->worker_count - 1, sizeof(*host->others));
	if (!host->others)
		return refuse(&host->why, ENOMEM, "workers: out of memory");
	while (host->other_count < host->worker_count - 1) {
		int error = start(host, &host->others[host->other_count], host->other_count + 2);

		if (error)
			return error;
		host->other_count++;
	}
	return 0;
}

enum worker_state workers_look(struct host *host)
{
	bool is_loading = false, is_ended = true;
	struct worker *worker;

	for (unsigned i = 0; (worker = workers_at(host, i)); i++) {
		enum worker_state state = atomic_load(&worker->state);

		if (state == WORKER_FAILED) {
			if (!host->is_ending)
				host->why = worker->why;
			return WORKER_FAILED;
		}
		is_loading = is_loading || state == WORKER_LOADING;
		is_ended = is_ended && state == WORKER_ENDED;
	}
	if (is_loading)
		return WORKER_LOADING;
	if (host->worker_count > 1 && !host->others && !host->is_ending)
		return others_open(host) ? WORKER_FAILED : WORKER_LOADING;
	if (atomic_exchange(&host->worker.is_held, false))
		worker_wake(&host->worker);
	return is_ended ? WORKER_ENDED : WORKER_READY;
}

void workers_stop(struct host *host)
{
	struct worker *worker;

	for (unsigned i = 0; (worker = workers_at(host, i)); i++)
		worker_stop(worker);
}

void workers_interrupt(struct host *host)
{
	struct worker *worker;

	for (unsigned i = 0; (worker = workers_at(host, i)); i++) {
		enum worker_state state = atomic_load(&worker->state);

		if (state != WORKER_ENDED && state != WORKER_FAILED)
			worker_interrupt(worker);
	}
}

bool workers_drain(struct host *host)
{
	struct worker *worker;
	bool is_full = false;

	for (unsigned i = 0; (worker = workers_at(host, i)); i++)
		is_full = log_drain(&worker->outlet) == -EAGAIN || is_full;
	return is_full;
}

void workers_join(struct host *host)
{
	struct worker *worker;

	for (unsigned i = 0; (worker = workers_at(host, i)); i++)
		pthread_join(worker->thread, NULL);
}

void workers_close(struct host *host)
{
	struct worker *worker;

	/* The others first: their lanes look at those of the first. */
	for (unsigned i = host->other_count + 1; i-- > 0;) {
		worker = workers_at(host, i);
		worker_fini(worker);
	}
	free(host->others);
	calls_free(host->calls);
}
