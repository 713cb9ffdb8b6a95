/* SPDX-License-Identifier: MIT */
/* Brings what scripts print and what the host has to say to stdout and stderr. */
#include "host/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	OUTLET_BYTES = 1 << 18,
	DRAIN_MAX = 16384,
	PIECE = 4096, /* PIPE_BUF: a pipe that polls writable takes so much without blocking */
};

static _Thread_local struct log_outlet *here;
static enum log_level level_wanted = LOG_LEVEL_INFO;

int log_outlet_init(struct log_outlet *outlet, int wake_fd)
{
	memset(outlet, 0, sizeof(*outlet));
	outlet->wake_fd = wake_fd;
	return queue_init(&outlet->queue, OUTLET_BYTES);
}

void log_outlet_fini(struct log_outlet *outlet)
{
	queue_fini(&outlet->queue);
}

struct log_outlet *log_use(struct log_outlet *outlet)
{
	struct log_outlet *before = here;

	here = outlet;
	return before;
}

void log_set_level(enum log_level level)
{
	level_wanted = level;
}

bool log_wants(enum log_level level)
{
	return level <= level_wanted;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool put(enum log_stream stream, const char *text, size_t len)
{
	uint64_t one = 1;
	bool was_empty;

	if (!queue_put(&here->queue, (uint8_t)stream, text, len, &was_empty))
		return false;
	if (was_empty && write(here->wake_fd, &one, sizeof(one)) < 0)
		return true; /* the counter is at its top: the reader is awake already */
	return true;
}

void log_write(enum log_stream stream, const char *text, size_t len, bool wait)
{
	if (!here) {
		write_all(stream, text, len);
		return;
	}
	if (here->take) {
		here->take(here, stream, text, len);
		return;
	}
	while (len) {
		size_t piece = len < PIECE ? len : PIECE;

		while (!put(stream, text, piece)) {
			if (!wait) {
				counter_add(&here->lost, 1);
				return;
			}
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		}
		text += piece;
		len -= piece;
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const prefix[] = { "moontap: ", "moontap: ", "", "debug: " };
	char line[1200];
	va_list args;

	if (!log_wants(level))
		return;
	int start = snprintf(line, sizeof(line), "%s", prefix[level]);

	va_start(args, format);
	int n = vsnprintf(line + start, sizeof(line) - (size_t)start - 1, format, args);
	va_end(args);
	size_t len = (size_t)start + (size_t)n;

	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len] = '\n';
	log_write(LOG_ERR, line, len + 1, false);
}

static bool takes_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1;
}

int log_drain(struct log_outlet *outlet)
{
	char piece[PIECE];
	uint8_t tag;
	size_t len;

	for (unsigned i = 0; !queue_is_empty(&outlet->queue); i++) {
		/* A script that prints without end must not keep us here. */
		if (i == DRAIN_MAX)
			return -EAGAIN;
		/* Which stream comes next is not known before it is taken: both must have room. */
		if (!takes_now(LOG_OUT) || !takes_now(LOG_ERR))
			return -EAGAIN;
		queue_take(&outlet->queue, &tag, piece, sizeof(piece), &len);
		if (tag == LOG_OUT && outlet->is_stdout_gone)
			continue;
		if (write_all(tag, piece, len) == -EPIPE && tag == LOG_OUT)
			outlet->is_stdout_gone = true;
	}
	return 0;
}
