/* SPDX-License-Identifier: MIT */
/* What `run` and `repl` do alike, in three steps. */
#pragma once

#include <limits.h>

#include "host/cli/options.h"
#include "host/engine/host.h"

struct run_extra {
	bool is_console; /* a console waits: the terminal's Ctrl-C is its own, and no SCRIPT is none
			  */
	int console_fd;	 /* its connection, after run_prepare; 0: none */
	char path[PATH_MAX];
	bool has_script;
	struct trace_lines trace;
	struct capture *capture; /* NULL: none */
	struct keeper keeper;
	unsigned worker_count;
	struct cpu_list cpus;
	int64_t spin_ns;
	struct io_list io;
	uint64_t seed;
};

/* Finds the script, enters the sandbox, starts the keeper. STATUS_OK, or another status with one
 * line said and nothing left to finish. */
int run_prepare(
	const struct options *options, const struct script_ops *ops, struct run_extra *extra);

/* Runs it to its end; the exit status. */
int run_serve(const struct options *options, const struct script_ops *ops, struct run_extra *extra);

/* Puts everything back; returns status. */
int run_finish(struct run_extra *extra, int status);

/* In a forked child: lets go of what is the parent's. */
void run_extra_forget(struct run_extra *extra);
