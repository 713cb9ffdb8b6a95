/* SPDX-License-Identifier: MIT */
/* moontap repl: a host and a console on it, over a socketpair. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/console.h"
#include "host/cli/options.h"
#include "host/cli/run.h"

/* The console is a process of its own: what it waits for is a person. */
static pid_t console_fork(const int fds[2], struct run_extra *extra)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(fds[0]);
		run_extra_forget(extra);
		_exit(console_talk(fds[1]));
	}
	return pid;
}

static int console_end(pid_t pid)
{
	int status = 0;

	kill(pid, SIGTERM); /* it has ended already, unless the host ended first */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_OK;
}

static int fds_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

static int repl(const struct options *options, const struct script_ops *ops)
{
	struct run_extra extra = { .is_console = true };
	struct termios terminal;
	bool has_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
	int fds[2];
	int status = run_prepare(options, ops, &extra);

	if (status != STATUS_OK)
		return status;
	if (fds_pair(fds)) {
		log_line(LOG_LEVEL_ERROR, "repl: cannot start: %s", strerror(errno));
		return run_finish(&extra, STATUS_REFUSED);
	}
	pid_t pid = console_fork(fds, &extra);

	close(fds[1]);
	extra.console_fd = fds[0];
	status = run_serve(options, ops, &extra);
	int said = pid > 0 ? console_end(pid) : STATUS_REFUSED;

	if (has_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	return run_finish(&extra, status ? status : said);
}

int cli_repl(int argc, char **argv, const struct script_ops *ops)
{
	struct options options;

	(void)argc;
	if (!options_read(&options, argv[0], argv + 1))
		return STATUS_USAGE;
	if (options.help) {
		puts("moontap repl [OPTIONS] [SCRIPT] [ARGS...]: a console of your own; with "
		     "SCRIPT,\n"
		     "on it. Packets keep flowing while you type. Ctrl-D ends it.\n");
		options_help();
		return STATUS_OK;
	}
	if (options.command) {
		log_line(LOG_LEVEL_ERROR, "repl: takes no COMMAND (use mt.spawn in the console)");
		return STATUS_USAGE;
	}
	options_apply(&options);
	return repl(&options, ops);
}
