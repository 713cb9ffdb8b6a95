/* SPDX-License-Identifier: MIT */
/* moontap check: a script and its rules, compiled and run up to its end of set-up against a
 * recorded network; --explain says its changes in the words of ip(8) and sysctl(8). */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/scripts.h"
#include "host/engine/offline.h"

enum { TURNS = 10000 }; /* moments that may pass while the main part waits */

static int check_help(void)
{
	puts("moontap check [--explain] SCRIPT [ARGS...]\n"
	     "\n"
	     "Compiles a script and its rules and runs its main part against a recorded\n"
	     "network: nothing is touched, no privileges are needed, time passes at once.\n"
	     "\n"
	     "      --explain        print its changes as ip, ip netns and sysctl lines");
	return STATUS_OK;
}

static int usage(const char *text)
{
	log_line(LOG_LEVEL_ERROR, "check: %s (see moontap help check)", text);
	return STATUS_USAGE;
}

static void take_text(struct offline *offline, enum log_stream stream, const char *text, size_t len)
{
	(void)offline;
	fwrite(text, 1, len, stream == LOG_OUT ? stdout : stderr);
}

static void take_change(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

/* Lets time pass until the main part has returned. */
static int main_part_run(struct offline *offline, struct refusal *why)
{
	const struct worker *worker = &offline->host.worker;
	struct mono due;
	int error = offline_load(offline, why);

	for (unsigned i = 0; !error && i < TURNS; i++) {
		if (worker->dp.ops->is_done(worker->dp.script) ||
			atomic_load(&offline->host.stop_wanted) || !offline_next(offline, &due))
			return 0;
		error = offline_advance(offline, due, why);
	}
	return error;
}

static int check(
	const char *path, int argc, char **argv, bool is_told, const struct script_ops *ops)
{
	struct offline offline = {
		.say = take_text,
		.host = { .source = { path, argc, argv },
			.ops = ops,
			.is_silent = true,
			.told = is_told ? take_change : NULL },
	};
	struct refusal why = { 0 };
	int status = STATUS_REFUSED;

	if (!offline_open(&offline, &why)) {
		if (!main_part_run(&offline, &why))
			status = atomic_load(&offline.host.stop_code);
		offline_end(&offline);
		offline_close(&offline);
	}
	fflush(stdout);
	if (why.text[0])
		log_line(LOG_LEVEL_ERROR, "%s", why.text);
	else if (status == STATUS_OK && !is_told)
		puts("ok");
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
