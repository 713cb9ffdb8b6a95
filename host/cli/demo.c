/* SPDX-License-Identifier: MIT */
/* moontap demo: real pings answered by the default script, each packet shown as it crosses. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int cli_demo(int argc, char **argv, const struct script_ops *ops)
{
	static const char *const ping4[] = { "ping", "-n", "-c", "3", "-i", "0.3", "-w", "5",
		"192.168.1.100", NULL };
	static const char *const ping6[] = { "ping", "-n", "-c", "2", "-i", "0.3", "-w", "5",
		"2001:db8:1::100", NULL };
	const struct command commands[] = {
		{ .argv = (char *const *)ping4, .is_shown = true },
		{ .argv = (char *const *)ping6, .is_shown = true },
	};
	const char *no_color = getenv("NO_COLOR");
	struct trace trace = { .is_coloured = isatty(STDOUT_FILENO) && !(no_color && *no_color) };
	struct refusal why = { 0 };
	char path[PATH_MAX];

	if (argc > 1) {
		bool is_help = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");

		if (!is_help)
			log_line(LOG_LEVEL_ERROR, "demo: takes no arguments");
		else
			puts("moontap demo: watch real pings being answered by the installed "
			     "script "
			     "ping.lua,\nin a sandbox; nothing on this machine is changed.");
		return is_help ? STATUS_OK : STATUS_USAGE;
	}
	if (!has_program("ping"))
		return refused("ping is not installed (apt install iputils-ping)");
	if (!scripts_find("ping", path, sizeof(path), NULL))
		return refused("the script ping.lua is not beside this executable (install it "
			       "with cmake --install, or run it from the build tree)");
	if (sandbox_enter(&why))
		return refused(why.text);
	struct keeper keeper;

	if (keeper_start(&keeper, &why))
		return refused(why.text);
	struct host host = { .source = { .path = path },
		.ops = ops,
		.commands = commands,
		.command_count = 2,
		.stats_to = LOG_OUT,
		.trace = &trace,
		.keeper = &keeper };

	log_set_level(LOG_LEVEL_WARN);
	fputs(intro, stdout);
	fflush(stdout);
	if (host_init(&host, &why))
		return refused(why.text);
	int status = host_run(&host);

	host_fini(&host);
	keeper_end(&keeper);
	if (host.why.text[0])
		return refused(host.why.text);
	if (status == STATUS_OK)
		puts("\nAll pings were answered. Nothing on this host was changed.\n"
		     "Next: moontap run --sandbox --trace -- ping -c 3 192.168.1.7");
	return status;
}
