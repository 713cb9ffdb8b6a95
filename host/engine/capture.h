/* SPDX-License-Identifier: MIT */
/* Writes every packet of every port into a pcapng file: as it was read, with what was decided about
 * it, and as it was sent. Workers put packets into rings; the main thread writes. */
#pragma once

#include "host/base/refusal.h"
#include "host/base/text.h"
#include "host/engine/trace.h"

struct capture;

/* Opens the file ("-": standard output). 0 or -errno with why. */
int capture_open(struct capture **out, const char *path, struct refusal *why);

/* Who looks on at one worker's packets, and hands on to `next` (may be NULL) what it sees; rings
 * wake_fd (an eventfd) between bursts. Before that worker starts. NULL: no memory. */
struct trace *capture_join(struct capture *capture, int wake_fd, struct trace *next);

/* Main thread: writes what is in the rings, as far as the file takes it without making us wait.
 * true: there is more, come back. The workers' lanes must live. */
bool capture_drain(struct capture *capture);

/* A line for the counters: how many packets were written and how many are missing, and why. */
void capture_stats(const struct capture *capture, struct text *out);

/* When all is drained, or given up: says what is missing, if anything. */
void capture_close(struct capture *capture);
