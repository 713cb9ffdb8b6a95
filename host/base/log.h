/* SPDX-License-Identifier: MIT */
/* Lines for people. A worker puts them into its queue and never waits for a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/counters.h"
#include "host/base/queue.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_stream { LOG_OUT = 1, LOG_ERR = 2 };

/* What one worker has to say; the main thread reads it. */
struct log_outlet {
	struct queue queue;
	int wake_fd;	     /* eventfd of the reader */
	struct counter lost; /* lines that found the queue full */
	bool is_stdout_gone; /* its reader has gone: what is printed goes nowhere, unwaited for */

	/* Takes the text at once, on the worker's own thread; NULL: it goes into the queue. */
	void (*take)(
		struct log_outlet *outlet, enum log_stream stream, const char *text, size_t len);
};

int log_outlet_init(struct log_outlet *outlet, int wake_fd);
void log_outlet_fini(struct log_outlet *outlet);

/* From now on this thread's lines go into `outlet` (NULL: straight to the file descriptors).
 * Returns where they went before. */
struct log_outlet *log_use(struct log_outlet *outlet);

void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* One line to stderr, "moontap: " before it; the newline is added. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Raw text. wait: stay until there is room (never on the data path); else a full queue counts
 * a lost line. */
void log_write(enum log_stream stream, const char *text, size_t len, bool wait);

/* Reader's side: moves what is queued to the file descriptors, as far as they take it without
 * making us wait. 0: none is left; -EAGAIN: a descriptor is full, or there is no end of it. */
int log_drain(struct log_outlet *outlet);
