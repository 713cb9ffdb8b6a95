/* SPDX-License-Identifier: MIT */
/* The keeper: a process that alone holds capabilities and the journal. When the host dies, however
 * it dies, the keeper puts everything back. */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "host/engine/request.h"

struct keeper {
	int fd; /* of the channel; -1: requests are carried out in this process */
	pid_t pid;
	struct journal *local; /* where there is no process */
	pthread_mutex_t lock;  /* several workers load at the same time */
};

/* Forks it: after the sandbox, before threads and Lua. Afterwards this process has no capability.
 * 0 or -errno with why. */
int keeper_start(struct keeper *keeper, struct refusal *why);

/* No process: requests are carried out here and undone at keeper_end only. */
int keeper_start_local(struct keeper *keeper, struct refusal *why);

/* Undoes everything, ends all children, waits until that is done. */
void keeper_end(struct keeper *keeper);

/* Has the request carried out. Where the keeper is gone, the reply's error is -EPIPE. */
void keeper_call(struct keeper *keeper, const struct request *request, struct reply *reply);

/* The same, as 0 or -errno with the reply's text as why. */
int keeper_ask(struct keeper *keeper, const struct request *request, struct reply *reply,
	struct refusal *why);
