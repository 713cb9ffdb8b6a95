/* SPDX-License-Identifier: MIT */
/* Keeps the capabilities away from packets and scripts, and the network as it was. */
#include "host/engine/keeper.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/engine/control.h"

/* One datagram of the channel: a struct, and descriptors beside it. */
static int channel_send(int fd, const void *bytes, size_t len, const int *fds, unsigned fd_count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(REQUEST_FDS * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_count) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* 0: the other end is gone. */
static ssize_t channel_receive(int fd, void *bytes, size_t room, int *fds, unsigned *fd_count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(REQUEST_FDS * sizeof(int))];
	struct iovec iov = { bytes, room };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*fd_count = 0;
	const struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
		*fd_count = (unsigned)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(cmsg), *fd_count * sizeof(int));
	}
	return n;
}

/* Carries requests out until the host is gone. */
static void serve(int fd, struct journal *journal)
{
	struct request *request = malloc(sizeof(*request));
	struct reply reply;
	unsigned fd_count;
	int fds[REQUEST_FDS];

	while (request && channel_receive(fd, request, sizeof(*request), fds, &fd_count) > 0) {
		request->fd_count = fd_count;
		memcpy(request->fds, fds, sizeof(fds));
		request_run(journal, request, &reply);
		channel_send(fd, &reply, sizeof(reply), &reply.fd, reply.fd >= 0 ? 1 : 0);
		if (reply.fd >= 0)
			close(reply.fd);
		for (unsigned i = 0; i < fd_count; i++)
			close(fds[i]);
	}
	free(request);
}

/* Its own process group, and deaf to what the terminal says: it ends when the host has ended. */
static void keeper_main(int fd)
{
	static const int deaf[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	struct journal *journal;
	char control[CONTROL_PATH];
	bool has_control = control_path(getppid(), control, sizeof(control));
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (unsigned i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++)
		signal(deaf[i], SIG_IGN);
	setpgid(0, 0);
	prctl(PR_SET_NAME, "moontap-keeper");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (journal_open(&journal, journal_dir(), NULL) && journal_open(&journal, NULL, NULL))
		_exit(1);
	serve(fd, journal);
	request_children_end();
	journal_close(journal);
	/* A host that was killed could not remove its socket. */
	if (has_control)
		unlink(control);
	_exit(0);
}

static void capabilities_drop(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	/* Without CAP_SETPCAP the bounding set stays: then there was nothing to drop. */
	capng_apply(CAPNG_SELECT_BOTH);
	capng_apply(CAPNG_SELECT_CAPS);
	prctl(PR_SET_DUMPABLE, 1);
}

int keeper_start(struct keeper *keeper, struct refusal *why)
{
	int fds[2];

	*keeper = (struct keeper){ .fd = -1 };
	pthread_mutex_init(&keeper->lock, NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return refuse(why, errno, "keeper: cannot start: %s", strerror(errno));
	pid_t pid = fork();

	if (pid < 0) {
		int error = errno;

		close(fds[0]);
		close(fds[1]);
		return refuse(why, error, "keeper: cannot start: %s", strerror(error));
	}
	if (pid == 0) {
		close(fds[0]);
		keeper_main(fds[1]);
	}
	close(fds[1]);
	keeper->fd = fds[0];
	keeper->pid = pid;
	capabilities_drop();
	return 0;
}

int keeper_start_local(struct keeper *keeper, struct refusal *why)
{
	*keeper = (struct keeper){ .fd = -1 };
	pthread_mutex_init(&keeper->lock, NULL);
	return journal_open(&keeper->local, NULL, why);
}

void keeper_end(struct keeper *keeper)
{
	if (keeper->local)
		journal_close(keeper->local);
	keeper->local = NULL;
	if (keeper->fd < 0)
		return;
	close(keeper->fd);
	keeper->fd = -1;
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

void keeper_call(struct keeper *keeper, const struct request *request, struct reply *reply)
{
	size_t len = offsetof(struct request, payload) + request->len;
	unsigned fd_count = 0;
	int fds[REQUEST_FDS];

	if (keeper->local) {
		request_run(keeper->local, request, reply);
		return;
	}
	pthread_mutex_lock(&keeper->lock);
	reply->error = channel_send(keeper->fd, request, len, request->fds, request->fd_count);
	if (!reply->error && channel_receive(keeper->fd, reply, sizeof(*reply), fds, &fd_count) !=
				     sizeof(*reply))
		reply->error = -EPIPE;
	pthread_mutex_unlock(&keeper->lock);
	reply->fd = fd_count ? fds[0] : -1;
	if (reply->error == -EPIPE)
		strcpy(reply->text,
			"the keeper is gone (was it killed? moontap clean puts back what is left)");
}

int keeper_ask(struct keeper *keeper, const struct request *request, struct reply *reply,
	struct refusal *why)
{
	keeper_call(keeper, request, reply);
	return reply->error ? refuse(why, -reply->error, "%s", reply->text) : 0;
}
