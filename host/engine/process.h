/* SPDX-License-Identifier: MIT */
/* A child process: the COMMAND of a run. */
#pragma once

#include <sys/types.h>

#include "host/engine/loop.h"

struct process {
	struct watch watch;  /* of its pidfd */
	struct watch output; /* of its standard output and error, where they are captured */
	pid_t pid;	     /* 0: none runs */
	int status;	     /* as sh would give it, once it has ended */
};

enum { PROCESS_NOT_FOUND = 127, PROCESS_CANNOT_RUN = 126 };

/* Starts argv in our process group, with default signals and our descriptors 0 to 2; with
 * is_captured its output comes through process->output.fd. 0 or -errno. */
int process_start(struct process *process, char *const *argv, int is_captured);

/* After its pidfd was readable: reaps it and fills status (128 + signal where one killed it). */
void process_reap(struct process *process);
