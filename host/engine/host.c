/* SPDX-License-Identifier: MIT */
/* The main thread: signals, the terminal and the command; it sees no packet and no Lua. */
#include "host/engine/host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/engine/stats.h"

enum {
	TERMINAL_RETRY_MS = 20,
	END_POLL_MS = 50,
	END_URGES = 3,	 /* so often, once a second, a script that does not end is interrupted */
	REPEAT_MS = 200, /* so soon no person presses Ctrl-C again */
	STATUS_AT_ONCE = 130,
};

static struct host *host_of(struct watch *watch, size_t offset)
{
	return (struct host *)((char *)watch - offset);
}

void host_wake(struct host *host)
{
	uint64_t one = 1;

	if (write(host->wake.fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: it is awake */
}

void host_stop(struct host *host, int code)
{
	atomic_store(&host->stop_code, code);
	atomic_store(&host->stop_wanted, true);
	host_wake(host);
}

void host_command_netns(struct host *host, const char *netns)
{
	snprintf(host->command_netns, sizeof(host->command_netns), "%s", netns);
}

static void wake_ready(struct watch *watch, uint32_t events)
{
	uint64_t count;

	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return; /* nobody rang */
}

static void end(struct host *host, int status)
{
	if (host->is_ending)
		return;
	host->is_ending = true;
	host->status = status;
	workers_stop(host);
}

static void signals_ready(struct watch *watch, uint32_t events)
{
	struct host *host = host_of(watch, offsetof(struct host, signals));
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (host->is_deaf && info.ssi_signo == SIGINT)
		return;
	int64_t now = clock_now(&host->worker.clock).ns;

	/* timeout(1) and others signal a process and then its group: that is one wish. */
	if (host->ends_wanted && now - host->end_wanted_at < (int64_t)REPEAT_MS * NS_PER_MS)
		return;
	host->end_wanted_at = now;
	/* The kernel undoes what only our descriptors hold. */
	if (++host->ends_wanted > 1)
		_exit(STATUS_AT_ONCE);
	/* What the terminal sends has reached the command too. */
	if (host->process.pid && info.ssi_code != SI_KERNEL)
		kill(host->process.pid, (int)info.ssi_signo);
	if (!host->process.pid)
		end(host, 0);
}

static int signals_open(struct host *host)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	host->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return host->signals.fd < 0 ? -errno : 0;
}

int host_init(struct host *host, struct refusal *why)
{
	int error = loop_open(&host->loop);

	if (error)
		goto fail;
	error = signals_open(host);
	if (error)
		goto fail_loop;
	host->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (host->wake.fd < 0) {
		error = -errno;
		goto fail_signals;
	}
	host->wake.ready = wake_ready;
	host->signals.ready = signals_ready;
	loop_add(&host->loop, &host->wake, EPOLLIN);
	loop_add(&host->loop, &host->signals, EPOLLIN);
	return 0;

fail_signals:
	close(host->signals.fd);
fail_loop:
	loop_close(&host->loop);
fail:
	return refuse(why, -error, "host: cannot start: %s", strerror(-error));
}

void host_fini(struct host *host)
{
	close(host->wake.fd);
	close(host->signals.fd);
	loop_close(&host->loop);
}

/* What the workers have to say goes out; true if the terminal or pipe takes no more now. */
static bool outlet_drain(struct host *host)
{
	bool is_full = workers_drain(host);

	/* `moontap run | head` has seen enough; a command decides itself. */
	if (host->worker.outlet.is_stdout_gone && !host->command_count)
		end(host, 0);
	return is_full;
}

/* All that workers hand to this thread; true if there is more to come back for. */
static bool drain(struct host *host)
{
	bool is_full = outlet_drain(host);

	return (host->capture && capture_drain(host->capture)) || is_full;
}

/* Captured output, line by line with an indent, after what the trace had to say before it. */
static void output_ready(struct watch *watch, uint32_t events)
{
	struct host *host =
		host_of(watch, offsetof(struct host, process) + offsetof(struct process, output));
	char bytes[4096];
	ssize_t n = read(watch->fd, bytes, sizeof(bytes));

	(void)events;
	outlet_drain(host);
	if (n <= 0) {
		loop_remove(&host->loop, watch);
		close(watch->fd);
		watch->fd = -1;
		return;
	}
	for (char *line = bytes, *stop = bytes + n; line < stop;) {
		char *newline = memchr(line, '\n', (size_t)(stop - line));
		size_t len = newline ? (size_t)(newline - line) + 1 : (size_t)(stop - line);

		if (len > 1)
			log_write(LOG_OUT, "   ", 3, true);
		log_write(LOG_OUT, line, len, true);
		line += len;
	}
}

static void command_say(char *const *argv, bool is_coloured)
{
	if (is_coloured)
		log_write(LOG_OUT, "\033[1m", 4, true);
	log_write(LOG_OUT, "\n$", 2, true);
	for (; *argv; argv++) {
		log_write(LOG_OUT, " ", 1, true);
		log_write(LOG_OUT, *argv, strlen(*argv), true);
	}
	if (is_coloured)
		log_write(LOG_OUT, "\033[0m", 4, true);
	log_write(LOG_OUT, "\n", 1, true);
}

static void command_start(struct host *host);

static void process_ready(struct watch *watch, uint32_t events)
{
	struct host *host = host_of(watch, offsetof(struct host, process));

	(void)events;
	loop_remove(&host->loop, watch);
	process_reap(&host->process, host->keeper);
	while (host->process.output.fd >= 0)
		output_ready(&host->process.output, EPOLLIN);
	if (host->command_next < host->command_count && !host->process.status && !host->ends_wanted)
		command_start(host);
	else
		end(host, host->process.status);
}

static void command_start(struct host *host)
{
	const struct command *command = &host->commands[host->command_next++];

	if (command->is_shown) {
		outlet_drain(host);
		command_say(command->argv, host->trace && host->trace->is_coloured);
	}
	struct process_wish wish = { command->argv, host->command_netns, command->is_shown, true };
	int error = process_start(&host->process, host->keeper, &wish, &host->why);

	if (error) {
		end(host, error == -ENOENT ? PROCESS_NOT_FOUND : PROCESS_CANNOT_RUN);
		return;
	}
	host->process.watch.ready = process_ready;
	host->process.output.ready = output_ready;
	loop_add(&host->loop, &host->process.watch, EPOLLIN);
	if (command->is_shown)
		loop_add(&host->loop, &host->process.output, EPOLLIN);
}

/* What has changed since the last look? true: all is over. */
static bool host_look(struct host *host)
{
	enum worker_state state = workers_look(host);

	if (atomic_load(&host->stop_wanted) && !host->is_ending) {
		end(host, atomic_load(&host->stop_code));
		if (host->process.pid)
			kill(host->process.pid, SIGTERM);
	}
	switch (state) {
	case WORKER_LOADING:
		return false;
	case WORKER_READY:
		if (host->command_count && !host->command_next && !host->is_ending)
			command_start(host);
		return false;
	case WORKER_FAILED:
		end(host, 1);
		break;
	case WORKER_ENDED:
		/* A script that has nothing left to do: its command still runs. */
		if (host->command_count && !host->command_next && !host->is_ending)
			command_start(host);
		if (!host->command_count)
			end(host, 0);
		break;
	}
	return host->is_ending && !host->process.pid;
}

/* A script that does not end is interrupted, and left behind if that does not help: C functions and
 * coroutines of its own are out of reach. */
static void end_urge(struct host *host)
{
	int64_t now = clock_now(&host->worker.clock).ns;

	if (workers_look(host) == WORKER_ENDED)
		return;
	if (!host->urge_at)
		host->urge_at = now + NS_PER_S;
	if (now < host->urge_at)
		return;
	host->urge_at = now + NS_PER_S;
	if (host->urges++ < END_URGES) {
		workers_interrupt(host);
		return;
	}
	drain(host);
	log_line(LOG_LEVEL_WARN, "the script does not stop: ended without it");
	_exit(host->status); /* the kernel undoes what only our descriptors hold */
}

static void serve(struct host *host)
{
	for (;;) {
		bool is_full = drain(host);
		bool is_over = host_look(host);

		if (is_over)
			return;
		loop_wait(&host->loop, host->is_ending ? END_POLL_MS
				       : is_full       ? TERMINAL_RETRY_MS
						       : -1);
		if (host->is_ending)
			end_urge(host);
	}
}

static void stats_show(struct host *host)
{
	char lines[16384];
	struct text out;

	text_init(&out, lines, sizeof(lines));
	stats_print(&out, host);
	if (host->capture)
		capture_stats(host->capture, &out);
	log_write(host->stats_to, lines, out.len, true);
}

int host_run(struct host *host)
{
	if (workers_open(host))
		return 1;
	serve(host);
	workers_join(host);
	while (drain(host))
		loop_wait(&host->loop, TERMINAL_RETRY_MS);
	if (host->stats_to == LOG_OUT)
		log_write(LOG_OUT, "\n", 1, true);
	if (host->stats_to && workers_look(host) == WORKER_ENDED)
		stats_show(host);
	workers_close(host);
	return host->status;
}
