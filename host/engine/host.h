/* SPDX-License-Identifier: MIT */
/* The host: its workers, the command that it runs beside them, and its orderly end. */
#pragma once

#include "host/engine/calls.h"
#include "host/engine/capture.h"
#include "host/engine/process.h"
#include "host/engine/script.h"
#include "host/engine/trace.h"
#include "host/engine/workers.h"

/* A command that runs when every worker has set up. */
struct command {
	char *const *argv;
	bool is_shown; /* "$ ping ..." and its output, indented, in step with the trace */
};

struct host {
	struct script_source source;
	const struct script_ops *ops;
	const struct command *commands; /* one after the other */
	unsigned command_count;
	enum log_stream stats_to;  /* where the counters go at the end; 0: nowhere */
	struct trace_lines *trace; /* NULL: no trace */
	struct capture *capture;   /* NULL: none */
	struct keeper *keeper;
	const char *control_path; /* where consoles connect; NULL: nowhere */
	bool is_deaf;		  /* to SIGINT: it is a console's */
	int console_fd;		  /* a console that is there already, > 0: the host ends with it */
	bool is_recorded;	  /* the network is a recorded one: nothing is touched */
	struct io_list io;	  /* ways to move packets; empty: any */
	bool is_told;		  /* changes of the network are logged as `ip` lines */
	bool is_silent;		  /* what the script prints is dropped */
	void (*told)(void *arg, const char *line); /* who gets a recorded network's `ip` lines */
	void *told_arg;
	bool is_seeded;
	uint64_t seed;	       /* of the script's random numbers, if is_seeded */
	unsigned worker_count; /* 0 and 1: one */
	struct cpu_list cpus;  /* where workers run, in turn; none: anywhere */
	int64_t spin_ns;       /* so long after a packet a worker looks for more before it sleeps */

	struct loop loop;
	struct watch wake;
	struct watch signals;
	struct process process;
	char command_netns[NETNS_NAME]; /* written before the worker is ready */
	unsigned command_next;
	struct worker worker;  /* the first: it loads first, and has the consoles */
	struct worker *others; /* the other worker_count - 1; NULL until the first has set up */
	unsigned other_count;  /* of those that were started */
	struct calls *calls;   /* what the first has done to the world; NULL with one worker */
	struct refusal why;
	unsigned ends_wanted;  /* SIGINT and SIGTERM that came */
	int64_t end_wanted_at; /* ns; when the last one came */
	int64_t urge_at;       /* ns; when a script that does not end is interrupted */
	unsigned urges;
	bool is_ending;
	int status;	 /* what run ends with */
	char fault[256]; /* of a recorded one: what the script failed with last; "": nothing */
	_Atomic bool stop_wanted; /* by a script: mt.stop */
	_Atomic int stop_code;
};

/* Prepares `host` (its first block of members is filled by the caller, the rest is 0). SIGINT,
 * SIGTERM and SIGHUP are blocked from here on and read by host_run. 0 or -errno. */
int host_init(struct host *host, struct refusal *why);
void host_fini(struct host *host);

/* Loads the script, runs the commands, serves packets; returns the exit status: 0 ok, 1 the script
 * or the network refused (why says what), or the last command's. */
int host_run(struct host *host);

/* From any thread: something has changed, look. */
void host_wake(struct host *host);

/* From a worker that loads: where the commands run ("": in ours). */
void host_command_netns(struct host *host, const char *netns);

/* From a worker: end in order, with this exit status. */
void host_stop(struct host *host, int code);
