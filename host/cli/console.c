/* SPDX-License-Identifier: MIT */
/* moontap console and repl: lines in, values and errors out, while packets flow. */
#include "host/cli/console.h"

#include <dirent.h>
#include <editline/readline.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/complete.h"
#include "host/engine/control.h"
#include "host/engine/journal.h"

static volatile sig_atomic_t is_interrupted;

static void interrupt_note(int signo)
{
	(void)signo;
	is_interrupted = 1;
}

static int message_send(int fd, enum control_kind kind, const char *text, size_t len)
{
	char tag = (char)kind;
	struct iovec parts[] = { { &tag, 1 }, { (void *)text, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The next message; Ctrl-C meanwhile cancels the line. 0: the connection is closed. */
static ssize_t message_receive(int fd, char *text)
{
	for (;;) {
		ssize_t n = recv(fd, text, CONTROL_TEXT + 1, 0);

		if (n >= 0 || errno != EINTR)
			return n > 0 ? n : 0;
		if (is_interrupted)
			message_send(fd, CONTROL_CANCEL, "", 0);
		is_interrupted = 0;
	}
}

enum answer { ANSWER_OVER, ANSWER_FAILED, ANSWER_MORE, ANSWER_CLOSED };

static enum answer answer_show(int fd)
{
	static char text[CONTROL_TEXT + 2];

	for (;;) {
		ssize_t n = message_receive(fd, text);

		if (!n)
			return ANSWER_CLOSED;
		text[n] = '\0';
		switch (text[0]) {
		case CONTROL_PRINT:
			fwrite(text + 1, 1, (size_t)n - 1, stdout);
			break;
		case CONTROL_VALUE:
			if (n > 1)
				puts(text + 1);
			fflush(stdout);
			return ANSWER_OVER;
		case CONTROL_ERROR:
			fflush(stdout);
			fprintf(stderr, "%s\n", text + 1);
			return ANSWER_FAILED;
		case CONTROL_MORE:
			return ANSWER_MORE;
		default: /* names that nobody waits for any more */
			break;
		}
	}
}

/* A line from a person (with editing and history) or from a file, after those in `before` (NULL:
 * none); malloc'ed. */
static char *line_read(const char *before, bool is_person)
{
	char *line = NULL;
	size_t room = 0;

	complete_after(before);
	if (is_person)
		return readline(before ? ">> " : "> ");
	ssize_t n = getline(&line, &room, stdin);

	if (n < 0) {
		free(line);
		return NULL;
	}
	if (n && line[n - 1] == '\n')
		line[n - 1] = '\0';
	return line;
}

/* text and one more line, malloc'ed; frees both. */
static char *lines_join(char *text, char *line)
{
	size_t len = (text ? strlen(text) + 1 : 0) + strlen(line) + 1;
	char *joined = malloc(len);

	if (joined)
		snprintf(joined, len, "%s%s%s", text ? text : "", text ? "\n" : "", line);
	free(text);
	free(line);
	return joined;
}

int console_talk(int fd)
{
	struct sigaction note = { .sa_handler = interrupt_note };
	bool is_person = isatty(STDIN_FILENO);
	char *text = NULL, *line;
	int status = STATUS_OK;

	sigaction(SIGINT, &note, NULL);
	if (is_person) {
		complete_open(fd);
		puts("moontap: Lua 5.4. Here are mt, and the script's globals and locals.\n"
		     "TAB completes, Ctrl-C gives a line up, Ctrl-D ends.");
	}
	/* An empty line is answered when the script has set up: then what it said stands above. */
	if (message_send(fd, CONTROL_EVAL, "", 0) || answer_show(fd) == ANSWER_CLOSED)
		return STATUS_OK;
	while ((line = line_read(text, is_person)) || is_interrupted) {
		if (is_interrupted) {
			is_interrupted = 0; /* Ctrl-C at the prompt gives up what was typed */
			putchar('\n');
			free(line);
			free(text);
			text = NULL;
			continue;
		}
		if (is_person && *line)
			add_history(line);
		text = lines_join(text, line);
		if (!text || message_send(fd, CONTROL_EVAL, text, strlen(text)))
			break;
		enum answer answer = answer_show(fd);

		if (answer == ANSWER_CLOSED)
			break;
		if (answer == ANSWER_FAILED && !is_person)
			status = STATUS_REFUSED;
		if (answer == ANSWER_MORE)
			continue;
		free(text);
		text = NULL;
	}
	if (is_person && !line)
		putchar('\n');
	free(text);
	return status;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/* The socket of a process: here, or in the /run that its sandbox has. */
static int connect_pid(const char *pid)
{
	char path[CONTROL_PATH], inside[2 * CONTROL_PATH];

	if (!control_path(atoi(pid), path, sizeof(path)))
		return -1;
	int fd = connect_to(path);

	if (fd >= 0)
		return fd;
	snprintf(inside, sizeof(inside), "/proc/%s/root/run/moontap/control.%s", pid, pid);
	return connect_to(inside);
}

/* The only moontap that runs; *count: how many there are. */
static int connect_only(unsigned *count)
{
	const char *dir = journal_dir();
	DIR *files = dir ? opendir(dir) : NULL;
	int found = -1;

	*count = 0;
	for (const struct dirent *entry; files && (entry = readdir(files));) {
		char path[CONTROL_PATH + 64];

		if (strncmp(entry->d_name, "control.", 8))
			continue;
		snprintf(path, sizeof(path), "%s/%.60s", dir, entry->d_name);
		int fd = connect_to(path);

		if (fd < 0)
			continue;
		if (found >= 0)
			close(found);
		found = fd;
		++*count;
	}
	if (files)
		closedir(files);
	return found;
}

static int console_refused(const char *what)
{
	if (what)
		log_line(LOG_LEVEL_ERROR,
			"console: cannot connect to %s: %s (is it a running moontap "
			"of yours?)",
			what, strerror(errno));
	else
		log_line(LOG_LEVEL_ERROR,
			"console: no moontap of yours is running here (start one: "
			"moontap run; in a sandbox: moontap console PID)");
	return STATUS_REFUSED;
}

int cli_console(int argc, char **argv, const struct script_ops *ops)
{
	unsigned count = 0;
	int fd;

	(void)ops;
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		puts("moontap console [PID|SOCKET]: a console on a running moontap; without an\n"
		     "argument on the only one that runs. Lines are Lua, evaluated in the "
		     "script's\n"
		     "own state while packets flow; Ctrl-C gives a line up, Ctrl-D ends the "
		     "console.");
		return STATUS_OK;
	}
	if (argc > 2) {
		log_line(LOG_LEVEL_ERROR, "console: takes one PID or SOCKET");
		return STATUS_USAGE;
	}
	if (argc == 1)
		fd = connect_only(&count);
	else
		fd = strchr(argv[1], '/') ? connect_to(argv[1]) : connect_pid(argv[1]);
	if (fd < 0)
		return console_refused(argv[1]);
	if (count > 1) {
		close(fd);
		log_line(LOG_LEVEL_ERROR,
			"console: %u are running (say which: moontap console PID)", count);
		return STATUS_USAGE;
	}
	return console_talk(fd);
}
