/* SPDX-License-Identifier: MIT */
/* moontap demo: real pings answered by the default script, each packet shown as it crosses; then
 * the tour of a veth pair. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/scripts.h"
#include "host/engine/host.h"
#include "host/engine/sandbox.h"

static const char intro[] =
	"A network of its own with a device tun0 in it, and the script ping.lua. What is\n"
	"sent to the prefix of tun0 is read by moontap; a rule of the script decides, and\n"
	"the answer is written back.\n"
	"  ->  a packet that was read       <-  a packet that was written\n";

static const char tour_intro[] =
	"The tour: a ping between the two ends of a veth pair that are both here, and the\n"
	"way that each packet takes (script veth_tour.lua; about five seconds).\n\n";

static bool has_program(const char *name)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];

	for (const char *dir = path ? path : "/usr/bin:/bin"; *dir;) {
		size_t len = strcspn(dir, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, dir, name);
		if (!access(file, X_OK))
			return true;
		dir += len + (dir[len] == ':');
	}
	return false;
}

static int refused(const char *what)
{
	log_line(LOG_LEVEL_ERROR, "demo: %s", what);
	return STATUS_REFUSED;
}

static bool has_script(const char *name)
{
	char path[PATH_MAX];

	if (scripts_find(name, path, sizeof(path), NULL))
		return true;
	log_line(LOG_LEVEL_ERROR,
		"demo: the script %s.lua is not beside this executable (install it with cmake "
		"--install, or run it from the build tree)",
		name);
	return false;
}

/* Runs the script `name` in a sandbox, as host wants it; what is wrong has been said. */
static int part_run(struct host *host, const char *name, const char *text)
{
	struct keeper keeper;
	struct refusal why = { 0 };
	char path[PATH_MAX];

	scripts_find(name, path, sizeof(path), NULL); /* cli_demo has seen to it */
	if (sandbox_enter(&why) || keeper_start(&keeper, &why))
		return refused(why.text);
	fputs(text, stdout);
	fflush(stdout);
	host->source.path = path;
	host->keeper = &keeper;
	if (host_init(host, &why)) {
		keeper_end(&keeper);
		return refused(why.text);
	}
	int status = host_run(host);

	host_fini(host);
	keeper_end(&keeper);
	return host->why.text[0] ? refused(host->why.text) : status;
}

static int ping_run(const struct script_ops *ops)
{
	static const char *const ping4[] = { "ping", "-n", "-c", "3", "-i", "0.3", "-w", "5",
		"192.168.1.100", NULL };
	static const char *const ping6[] = { "ping", "-n", "-c", "2", "-i", "0.3", "-w", "5",
		"2001:db8:1::100", NULL };
	const struct command commands[] = {
		{ .argv = (char *const *)ping4, .is_shown = true },
		{ .argv = (char *const *)ping6, .is_shown = true },
	};
	struct trace_lines trace;
	struct host host = { .ops = ops,
		.commands = commands,
		.command_count = 2,
		.stats_to = LOG_OUT,
		.trace = &trace };

	trace_lines_init(&trace);
	int status = part_run(&host, "ping", intro);

	if (status == STATUS_OK)
		puts("\nAll pings were answered. Nothing on this host was changed.\n"
		     "Next: moontap run --sandbox --trace -- ping -c 3 192.168.1.7");
	return status;
}

static int tour_run(const struct script_ops *ops)
{
	struct host host = { .ops = ops };

	int status = part_run(&host, "veth_tour", tour_intro);

	if (status == STATUS_OK)
		puts("\nNothing on this host was changed. Next: moontap run --sandbox "
		     "veth_responder");
	return status;
}

static int demo_help(void)
{
	puts("moontap demo [ping|tour]: in a sandbox; nothing on this machine is changed.\n"
	     "  ping   watch real pings being answered by the installed script ping.lua\n"
	     "  tour   see which way a ping takes through a veth pair (veth_tour.lua)\n"
	     "Without a word: both, one after the other, in about six seconds.");
	return STATUS_OK;
}

static pid_t first_part;
static volatile sig_atomic_t end_wanted;

/* A terminal sends SIGINT to the first part too; the others come to us alone. */
static void end_forward(int signo)
{
	end_wanted = signo;
	if (signo != SIGINT)
		kill(first_part, signo);
}

static void signals_set(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = handler };

	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* The pings run in a process of their own: a sandbox and its capabilities are for one script. */
static int both_run(const struct script_ops *ops)
{
	int status;

	first_part = fork();
	if (first_part < 0)
		return refused(strerror(errno));
	if (!first_part)
		exit(ping_run(ops));
	signals_set(end_forward);
	while (waitpid(first_part, &status, 0) < 0 && errno == EINTR)
		continue;
	signals_set(SIG_DFL);
	if (!WIFEXITED(status))
		return STATUS_REFUSED;
	if (end_wanted || WEXITSTATUS(status))
		return WEXITSTATUS(status);
	puts("");
	return tour_run(ops);
}

int cli_demo(int argc, char **argv, const struct script_ops *ops)
{
	const char *part = argc > 1 ? argv[1] : "";
	bool has_ping = !strcmp(part, "ping"), has_tour = !strcmp(part, "tour");

	if (!strcmp(part, "--help") || !strcmp(part, "-h"))
		return demo_help();
	if (argc > 2 || (argc == 2 && !has_ping && !has_tour)) {
		log_line(LOG_LEVEL_ERROR, "demo: takes ping, tour or nothing");
		return STATUS_USAGE;
	}
	if (!has_program("ping"))
		return refused("ping is not installed (apt install iputils-ping)");
	if (!has_script("ping") || !has_script("veth_tour"))
		return STATUS_REFUSED;
	log_set_level(LOG_LEVEL_WARN);
	fflush(NULL);
	if (has_ping)
		return ping_run(ops);
	return has_tour ? tour_run(ops) : both_run(ops);
}
