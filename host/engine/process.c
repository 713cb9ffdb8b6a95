/* SPDX-License-Identifier: MIT */
/* Starts the command that is to see the packets, and learns how it ended. */
#include "host/engine/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(struct process *process, char *const *argv, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&files);
	if (out >= 0) {
		posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	}
	int error = posix_spawnp(&process->pid, argv[0], &files, &attr, argv, environ);

	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -error;
}

int process_start(struct process *process, char *const *argv, int is_captured)
{
	int pipe_fds[2] = { -1, -1 };

	if (is_captured && pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	int error = spawn(process, argv, pipe_fds[1]);

	if (is_captured)
		close(pipe_fds[1]);
	if (error)
		goto fail;
	process->watch.fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (process->watch.fd < 0) {
		error = -errno;
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		goto fail;
	}
	fcntl(process->watch.fd, F_SETFD, FD_CLOEXEC);
	process->output.fd = pipe_fds[0];
	return 0;

fail:
	process->pid = 0;
	if (is_captured)
		close(pipe_fds[0]);
	return error;
}

void process_reap(struct process *process)
{
	int status = 0;

	waitpid(process->pid, &status, 0);
	process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	process->pid = 0;
	close(process->watch.fd);
	process->watch.fd = -1;
}
