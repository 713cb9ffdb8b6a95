/* SPDX-License-Identifier: MIT */
/* moontap check: a script and its rules, compiled and run up to its end of set-up against a
 * recorded network; --explain says its changes in the words of ip(8) and sysctl(8). */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/scripts.h"
#include "host/engine/host.h"

enum { TURNS = 10000 }; /* timers that may pass while the main part waits */

static int check_help(void)
{
	puts("moontap check [--explain] SCRIPT [ARGS...]\n"
	     "\n"
	     "Compiles a script and its rules and runs its main part against a recorded network:\n"
	     "nothing is touched, no privileges are needed, time passes at once.\n"
	     "\n"
	     "      --explain        print its changes as ip, ip netns and sysctl lines");
	return STATUS_OK;
}

static int usage(const char *text)
{
	log_line(LOG_LEVEL_ERROR, "check: %s (see moontap help check)", text);
	return STATUS_USAGE;
}

/* Lets virtual time pass until the main part has returned. */
static void main_part_run(struct worker *worker)
{
	const struct script_ops *ops = worker->dp.ops;
	struct timer timer;

	for (unsigned i = 0; i < TURNS && !ops->is_done(worker->dp.script); i++) {
		if (!worker->timers.count || atomic_load(&worker->stop_wanted))
			return;
		worker->clock.now = worker->timers.heap[0].due;
		if (timer_take(&worker->timers, worker->clock.now, &timer))
			ops->timer(worker->dp.script, timer.ref, timer.period_ns == 0);
	}
}

static int script_check(struct worker *worker, struct refusal *why)
{
	const struct script_ops *ops = worker->dp.ops;

	clock_init_virtual(&worker->clock, 0);
	if (ops->open(&worker->dp.script, worker, why))
		return STATUS_REFUSED;
	if (ops->load(worker->dp.script, &worker->host->source, why) == SCRIPT_FAILED)
		return STATUS_REFUSED;
	main_part_run(worker);
	return atomic_load(&worker->host->stop_code);
}

static int check(
	const char *path, int argc, char **argv, bool is_told, const struct script_ops *ops)
{
	struct host host = {
		.source = { path, argc, argv }, .ops = ops, .is_recorded = true, .is_told = is_told
	};
	struct refusal why = { 0 };

	host.wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker_init(&host.worker, &host, 1, ops, &why)) {
		log_line(LOG_LEVEL_ERROR, "%s", why.text);
		close(host.wake.fd);
		return STATUS_REFUSED;
	}
	int status = script_check(&host.worker, &why);

	if (why.text[0])
		log_line(LOG_LEVEL_ERROR, "%s", why.text);
	else if (status == STATUS_OK && !is_told)
		puts("ok");
	worker_fini(&host.worker);
	close(host.wake.fd);
	return status;
}

int cli_check(int argc, char **argv, const struct script_ops *ops)
{
	const char *meant = NULL;
	bool is_told = false;
	char path[PATH_MAX];

	for (argc--, argv++; argc && argv[0][0] == '-' && argv[0][1]; argc--, argv++) {
		if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
			return check_help();
		if (strcmp(*argv, "--explain"))
			return usage("knows --explain alone");
		is_told = true;
	}
	if (!argc)
		return usage("which script?");
	if (!scripts_find(argv[0], path, sizeof(path), &meant)) {
		log_line(LOG_LEVEL_ERROR, "%s: no such script%s%s%s", argv[0],
			meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "");
		return STATUS_REFUSED;
	}
	return check(path, argc - 1, argv + 1, is_told, ops);
}
