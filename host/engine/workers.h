/* SPDX-License-Identifier: MIT */
/* All workers of a host: the first loads the script alone, then the others repeat what it did. */
#pragma once

#include "host/engine/worker.h"

struct host;

enum { WORKERS_MAX = 64 };

/* Worker i, from 0; NULL: there is none (yet). */
struct worker *workers_at(struct host *host, unsigned i);

/* Makes and starts the first worker. 0 or -errno with host->why. */
int workers_open(struct host *host);

/* What they are at together: WORKER_LOADING until all have set up (the others are started when the
 * first has), WORKER_FAILED if any has, with host->why, WORKER_ENDED when all have. */
enum worker_state workers_look(struct host *host);

void workers_stop(struct host *host);
void workers_interrupt(struct host *host);

/* What they have to say goes out; true: the terminal or pipe takes no more now. */
bool workers_drain(struct host *host);

/* Waits for their threads; then nothing runs, and counters and lanes can be read. */
void workers_join(struct host *host);
void workers_close(struct host *host);
