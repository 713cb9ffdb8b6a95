/* SPDX-License-Identifier: MIT */
/* Starts the commands that are to see the packets, and learns how they ended. */
#include "host/engine/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int argv_put(struct request *request, char *const *argv)
{
	for (; *argv; argv++) {
		size_t len = strlen(*argv) + 1;

		if (len > sizeof(request->payload) - request->len)
			return -E2BIG;
		memcpy(request->payload + request->len, *argv, len);
		request->len += len;
	}
	return 0;
}

int process_start(struct process *process, struct keeper *keeper, const struct process_wish *wish,
	struct refusal *why)
{
	struct request request = { .verb = REQUEST_SPAWN, .fd_count = 3 };
	int pipe_fds[2] = { -1, -1 };
	struct reply reply;
	int error = argv_put(&request, wish->argv);

	if (error)
		return refuse(why, -error, "%s: too many arguments", wish->argv[0]);
	if (wish->is_captured && pipe2(pipe_fds, O_CLOEXEC))
		return refuse(why, errno, "%s: %s", wish->argv[0], strerror(errno));
	for (int i = 0; i < 3; i++)
		request.fds[i] = i && wish->is_captured ? pipe_fds[1] : i;
	request.number = wish->is_foreground ? getpgrp() : 0;
	snprintf(request.netns, sizeof(request.netns), "%s", wish->netns ? wish->netns : "");
	error = keeper_ask(keeper, &request, &reply, why);
	if (wish->is_captured)
		close(pipe_fds[1]);
	if (error) {
		if (wish->is_captured)
			close(pipe_fds[0]);
		return error;
	}
	process->pid = reply.number;
	process->watch.fd = reply.fd;
	process->output.fd = pipe_fds[0];
	return 0;
}

void process_reap(struct process *process, struct keeper *keeper)
{
	struct request request = { .verb = REQUEST_WAIT, .number = process->pid };
	struct reply reply;

	keeper_call(keeper, &request, &reply);
	process->status = reply.error ? PROCESS_CANNOT_RUN : reply.number;
	process->pid = 0;
	close(process->watch.fd);
	process->watch.fd = -1;
}
