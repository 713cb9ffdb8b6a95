/* SPDX-License-Identifier: MIT */
/* The control protocol: lines go to worker 1's script, values and errors come back. One datagram of
 * a SOCK_SEQPACKET socket a message: a byte of enum control_kind, then text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/refusal.h"

enum control_kind {
	CONTROL_EVAL = 'e',	/* to the host: a line, or several, of the script's language */
	CONTROL_PRINT = 'p',	/* from it: what the line printed */
	CONTROL_VALUE = 'v',	/* the line's values; the line is over */
	CONTROL_ERROR = 'x',	/* what went wrong; the line is over */
	CONTROL_MORE = 'm',	/* the line is not complete: send it again with the next one */
	CONTROL_CANCEL = 'c',	/* to the host: give the line up */
	CONTROL_COMPLETE = 't', /* to the host: a line of the asker's own, then what was typed */
	CONTROL_NAMES = 'n',	/* from it: that line again, then lines, each of which may stand in
				   place of the name that the text ends with */
};

enum { CONTROL_TEXT = 60000, CONTROL_PATH = 108 };

struct worker;
struct control;

/* Listens at `path`; the worker's loop serves it. 0 or -errno with why. */
int control_listen(struct worker *worker, const char *path, struct refusal *why);

/* Serves one connection that exists already; the host ends when it closes. */
int control_serve(struct worker *worker, int fd, struct refusal *why);

/* Closes all of the worker's, removes the socket's file. */
void control_close(struct worker *worker);

/* Is somebody connected? */
bool control_is_used(const struct worker *worker);

/* Sends a message to connection `id`; what no longer exists hears nothing. */
void control_send(
	struct worker *worker, uint64_t id, enum control_kind kind, const char *text, size_t len);

/* Removes the sockets in `dir` at which nobody listens any more. */
void control_clean(const char *dir);

/* "control.PID" in the directory of the journals, by default; false: there is no such directory. */
bool control_path(int pid, char *out, size_t room);
