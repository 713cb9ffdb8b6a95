/* SPDX-License-Identifier: MIT */
/* moontap run: a script over its ports, alone or around a command. */
#include "host/cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/scripts.h"
#include "host/engine/sandbox.h"

enum { SPIN_US = 50 };

static int refused(const struct refusal *why)
{
	log_line(LOG_LEVEL_ERROR, "%s", why->text);
	return STATUS_REFUSED;
}

/* Where packets go to standard output, text goes to standard error. */
static int capture_start(const char *path, struct run_extra *extra, struct refusal *why)
{
	int error = capture_open(&extra->capture, path, why);

	if (!error && !strcmp(path, "-"))
		dup2(STDERR_FILENO, STDOUT_FILENO);
	return error;
}

static void capture_end(struct run_extra *extra)
{
	if (extra->capture)
		capture_close(extra->capture);
	extra->capture = NULL;
}

static int run_help(void)
{
	puts("moontap run [OPTIONS] [SCRIPT] [ARGS...] [-- COMMAND...]\n"
	     "\n"
	     "Runs a script: a file, - for standard input, or the name of an installed one\n"
	     "(none: ping). With COMMAND: starts it when the script has set up, and ends with\n"
	     "it and its exit status.\n");
	options_help();
	puts("\n"
	     "MATCH: a pcap-filter, or a table of fields as in a rule:\n"
	     "  --trace='{ [\"icmp.type\"] = 8, [\"ip.ttl\"] = mt.range(1, 5) }'\n"
	     "Exit status: 0 ok, 1 the script or the network refused, 2 usage.");
	return STATUS_OK;
}

static bool script_locate(const char *script, char *path, size_t room)
{
	const char *meant = NULL;

	if (scripts_find(script, path, room, &meant))
		return true;
	if (meant)
		log_line(LOG_LEVEL_ERROR, "%s: no such script (did you mean %s?)", script, meant);
	else if (scripts_dir()[0])
		log_line(LOG_LEVEL_ERROR, "%s: no such script (a file, or one of those in %s)",
			script, scripts_dir());
	else
		log_line(LOG_LEVEL_ERROR,
			"%s: no such script (a file: none are installed with this executable)",
			script);
	return false;
}

/* A filter is compiled for both kinds of packets, and may have no meaning for one ("arp"). */
static int filters_open(struct trace_lines *trace, const char *text, struct refusal *why)
{
	static const enum layer_id first[] = { LAYER_ip, LAYER_eth };
	struct filter *filter;

	for (unsigned i = 0; i < 2; i++) {
		if (filter_open(&filter, text, first[i], why))
			continue;
		trace->matches[i] = match_of_filter(filter);
		if (!trace->matches[i])
			filter_close(filter);
	}
	return trace->matches[0] || trace->matches[1] ? 0 : -EINVAL;
}

/* text: "", a filter, or a table of fields in the scripts' language. */
static int trace_open(struct trace_lines *trace, const char *text, const struct script_ops *ops,
	struct refusal *why)
{
	size_t blank = strspn(text, " \t\n");

	trace_lines_init(trace);
	trace->is_matched = text[blank] != '\0';
	if (!trace->is_matched)
		return 0;
	if (text[blank] == '{' && ops->match_of)
		return ops->match_of(trace->matches, text, why);
	return filters_open(trace, text, why);
}

static bool wrong_value(const char *option, const char *text, const char *wanted)
{
	log_line(LOG_LEVEL_ERROR, "run: --%s: \"%s\" is not %s", option, text, wanted);
	return false;
}

/* "0,2-3" */
static bool cpus_read(const char *text, struct cpu_list *out)
{
	for (const char *at = text; *at; at += *at == ',') {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end != at && *end == '-')
			last = strtoul(at = end + 1, &end, 10);
		if (end == at || (*end && *end != ',') || last < first || last >= CPU_SETSIZE)
			return false;
		for (; first <= last; first++) {
			if (out->count == CPUS_MAX)
				return false;
			out->cpu[out->count++] = (uint16_t)first;
		}
		at = end;
	}
	return out->count > 0;
}

/* The processors that this process may use: a wrong one would make no thread. */
static bool cpus_exist(const struct cpu_list *cpus)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return true;
	for (unsigned i = 0; i < cpus->count; i++) {
		if (!CPU_ISSET(cpus->cpu[i], &set))
			return false;
	}
	return true;
}

static bool workers_read(const struct options *options, struct run_extra *extra)
{
	char none[1] = "", *end = none;

	extra->worker_count = 1;
	if (options->workers)
		extra->worker_count = (unsigned)strtoul(options->workers, &end, 10);
	if (*end || extra->worker_count < 1 || extra->worker_count > WORKERS_MAX)
		return wrong_value("workers", options->workers, "a number from 1 to 64");
	if (options->cpus && !cpus_read(options->cpus, &extra->cpus))
		return wrong_value("cpus", options->cpus, "a list of processors like 0,2-3");
	if (!cpus_exist(&extra->cpus))
		return wrong_value("cpus", options->cpus,
			"one of this process (see them: nproc, taskset -p $$)");
	if (!options->busy_poll)
		return true;
	unsigned long us = *options->busy_poll ? strtoul(options->busy_poll, &end, 10) : SPIN_US;

	if (*end || us < 1 || us > NS_PER_MS)
		return wrong_value(
			"busy-poll", options->busy_poll, "microseconds, from 1 to 1000000");
	extra->spin_ns = (int64_t)us * 1000;
	return true;
}

/* Without --seed each run has its own, which can be given the next time. */
static bool seed_read(const struct options *options, struct run_extra *extra)
{
	char *end;

	errno = 0;
	if (options->seed)
		extra->seed = strtoull(options->seed, &end, 0);
	else if (getrandom(&extra->seed, sizeof(extra->seed), GRND_NONBLOCK) < 0)
		extra->seed = (uint64_t)getpid();
	if (options->seed && (*end || errno))
		return wrong_value("seed", options->seed, "a number");
	log_line(LOG_LEVEL_DEBUG, "seed %" PRIu64, extra->seed);
	return true;
}

/* `--trace tcp`: a match that was taken for the script, as only = ties it to the option. One line
 * says so. */
static bool is_match_loose(const struct options *options)
{
	struct filter *filter;
	struct refusal why;
	char path[PATH_MAX];

	if (!options->trace || *options->trace || !options->script ||
		scripts_find(options->script, path, sizeof(path), NULL))
		return false;
	if (options->script[0] != '{') {
		if (filter_open(&filter, options->script, LAYER_eth, &why))
			return false;
		filter_close(filter);
	}
	log_line(LOG_LEVEL_ERROR, "run: --trace: its match goes after = (--trace='%s')",
		options->script);
	return true;
}

int run_prepare(
	const struct options *options, const struct script_ops *ops, struct run_extra *extra)
{
	struct refusal why = { 0 };

	if (is_match_loose(options))
		return STATUS_USAGE;
	extra->has_script = options->script || !extra->is_console;
	if (extra->has_script && !script_locate(options->script ? options->script : "ping",
					 extra->path, sizeof(extra->path)))
		return STATUS_REFUSED;
	if (options->trace && trace_open(&extra->trace, options->trace, ops, &why)) {
		log_line(LOG_LEVEL_ERROR, "run: --trace: %s", why.text);
		return STATUS_USAGE;
	}
	if (options->io && io_list_parse(options->io, IO_ANY, &extra->io, &why)) {
		log_line(LOG_LEVEL_ERROR, "run: --io: %s", why.text);
		return STATUS_USAGE;
	}
	if (!workers_read(options, extra) || !seed_read(options, extra))
		return STATUS_USAGE;
	/* As this user, at this place: the sandbox is another. */
	if (options->capture && capture_start(options->capture, extra, &why))
		return refused(&why);
	if ((options->sandbox && sandbox_enter(&why)) || keeper_start(&extra->keeper, &why)) {
		capture_end(extra);
		return refused(&why);
	}
	return STATUS_OK;
}

int run_serve(const struct options *options, const struct script_ops *ops, struct run_extra *extra)
{
	struct command command = { .argv = options->command };
	struct refusal why = { 0 };
	char control[CONTROL_PATH];
	bool has_control = control_path(getpid(), control, sizeof(control));
	struct host host = {
		.source = { extra->has_script ? extra->path : NULL, options->script_argc,
			options->script_argv },
		.ops = ops,
		.commands = &command,
		.command_count = options->command ? 1 : 0,
		.stats_to = options->stats ? LOG_ERR : 0,
		.trace = options->trace ? &extra->trace : NULL,
		.capture = extra->capture,
		.keeper = &extra->keeper,
		.io = extra->io,
		.is_told = options->verbose,
		.control_path = has_control ? control : NULL,
		.console_fd = extra->console_fd,
		.is_deaf = extra->is_console,
		.worker_count = extra->worker_count,
		.cpus = extra->cpus,
		.spin_ns = extra->spin_ns,
		.is_seeded = true,
		.seed = extra->seed,
	};

	if (host_init(&host, &why))
		return refused(&why);
	int status = host_run(&host);

	if (host.why.text[0])
		log_line(LOG_LEVEL_ERROR, "%s", host.why.text);
	host_fini(&host);
	return status;
}

int run_finish(struct run_extra *extra, int status)
{
	capture_end(extra);
	keeper_end(&extra->keeper);
	trace_lines_fini(&extra->trace);
	return status;
}

void run_extra_forget(struct run_extra *extra)
{
	close(extra->keeper.fd);
	extra->keeper.fd = -1;
}

int cli_run(int argc, char **argv, const struct script_ops *ops)
{
	struct run_extra extra = { 0 };
	struct options options;

	(void)argc;
	if (!options_read(&options, argv[0], argv + 1))
		return STATUS_USAGE;
	if (options.help)
		return run_help();
	options_apply(&options);
	int status = run_prepare(&options, ops, &extra);

	if (status != STATUS_OK)
		return status;
	return run_finish(&extra, run_serve(&options, ops, &extra));
}
