/* SPDX-License-Identifier: MIT */
/* A child process: the COMMAND of a run, or what a script starts. The keeper is its parent. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/engine/keeper.h"
#include "host/engine/loop.h"

struct process {
	struct watch watch;  /* of its pidfd; the first member */
	struct watch output; /* of its standard output and error, where they are captured */
	pid_t pid;	     /* 0: none runs */
	int status;	     /* as sh would give it, once it has ended */
};

enum { PROCESS_NOT_FOUND = 127, PROCESS_CANNOT_RUN = 126 };

struct process_wish {
	char *const *argv;
	const char *netns;  /* where; "": ours */
	bool is_captured;   /* its output comes through process->output.fd; else it has ours */
	bool is_foreground; /* in our process group, so that Ctrl-C reaches it */
};

/* Starts it with default signals. 0 or -errno with why. */
int process_start(struct process *process, struct keeper *keeper, const struct process_wish *wish,
	struct refusal *why);

/* After its pidfd was readable: reaps it and fills status (128 + signal where one killed it). */
void process_reap(struct process *process, struct keeper *keeper);
