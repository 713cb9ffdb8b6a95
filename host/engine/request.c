/* SPDX-License-Identifier: MIT */
/* Does to the network what a script asked for. */
#include "host/engine/request.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/netlink/events.h"
#include "host/netlink/netns.h"
#include "host/netlink/offload.h"
#include "host/port/socket.h"
#include "host/port/tun.h"
#include "host/port/xdp.h"

extern char **environ;

static void fail(struct reply *reply, const struct refusal *why)
{
	reply->error = -why->code;
	snprintf(reply->text, sizeof(reply->text), "%s", why->text);
}

/* Enters the request's namespace; false: it cannot be entered, and the reply says so. */
static bool enter(const struct request *request, struct reply *reply, int *token)
{
	struct refusal why;

	*token = netns_enter(request->netns, &why);
	if (*token < -1)
		fail(reply, &why);
	return *token >= -1;
}

static void undo_make(struct undo *undo, enum undo_kind kind, const struct request *request)
{
	memset(undo, 0, sizeof(*undo));
	undo->kind = kind;
	memcpy(undo->netns, request->netns, sizeof(undo->netns));
}

/* A link that moves is undone from where it then is. */
static int change_journal(struct journal *journal, const struct request *request)
{
	struct undo undo;

	if (!request->undo_at || request->is_kept)
		return 0;
	undo_make(&undo, UNDO_NETLINK, request);
	undo.len = request->len - request->undo_at;
	if (undo.len > sizeof(undo.payload))
		return -E2BIG;
	memcpy(undo.payload, request->payload + request->undo_at, undo.len);
	if (request->is_move) {
		undo.is_move = true;
		memcpy(undo.netns, request->to_netns, sizeof(undo.netns));
		memcpy(undo.to_netns, request->netns, sizeof(undo.to_netns));
	}
	return journal_add(journal, &undo);
}

static int namespace_open(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), name[0] ? "/run/netns/%s" : "/proc/self/ns/net", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void change_send(struct nlmsghdr *nlh, struct reply *reply)
{
	struct netlink netlink;
	struct refusal why;

	if (netlink_open(&netlink, &why)) {
		fail(reply, &why);
		return;
	}
	reply->error = netlink_talk(&netlink, nlh, reply->text, sizeof(reply->text));
	netlink_close(&netlink);
}

static void change_run(struct journal *journal, const struct request *request, struct reply *reply)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_PAYLOAD + 16];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
	bool has_undo = request->undo_at && !request->is_kept;
	int target = -1, token;

	memcpy(buffer, request->payload, request->undo_at ? request->undo_at : request->len);
	if (request->is_move) {
		target = namespace_open(request->to_netns);
		if (target < 0) {
			reply->error = -errno;
			snprintf(reply->text, sizeof(reply->text), "no namespace %s",
				request->to_netns);
			return;
		}
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)target);
	}
	reply->error = change_journal(journal, request);
	if (!reply->error) {
		if (enter(request, reply, &token)) {
			change_send(nlh, reply);
			netns_leave(token);
		}
		if (reply->error && has_undo)
			journal_forget(journal);
	}
	if (target >= 0)
		close(target);
}

static int open_kind(const struct request *request, struct refusal *why)
{
	struct netlink netlink;
	struct events events;
	int error;

	switch (request->number) {
	case REQUEST_OPEN_NETLINK:
		error = netlink_open(&netlink, why);
		if (error)
			return error;
		return netlink_fd_take(&netlink);
	case REQUEST_OPEN_EVENTS:
		error = events_open(&events, why);
		return error ? error : events_fd_take(&events);
	case REQUEST_OPEN_TUN:
		return tun_device_open(request->payload, LAYER_ip, request->number2, why);
	case REQUEST_OPEN_TAP:
		return tun_device_open(request->payload, LAYER_eth, request->number2, why);
	case REQUEST_OPEN_XDP:
		return xdp_open(request->number2, request->payload, why);
	case REQUEST_OPEN_PACKET:
		return socket_open(request->number2, request->payload, request->group, why);
	}
	return refuse(why, EINVAL, "keeper: cannot open that");
}

static void open_run(const struct request *request, struct reply *reply)
{
	struct refusal why;
	int token;

	if (!enter(request, reply, &token))
		return;
	int fd = open_kind(request, &why);

	netns_leave(token);
	if (fd < 0)
		fail(reply, &why);
	else
		reply->fd = fd;
}

static int sysctl_journal(
	struct journal *journal, const struct request *request, const char *path, const char *old)
{
	struct undo undo;

	undo_make(&undo, UNDO_SYSCTL, request);
	undo.len = strlen(path) + strlen(old) + 2;
	if (undo.len > sizeof(undo.payload))
		return -E2BIG;
	strcpy(undo.payload, path);
	strcpy(undo.payload + strlen(path) + 1, old);
	return journal_add(journal, &undo);
}

static void sysctl_run(struct journal *journal, const struct request *request, struct reply *reply)
{
	const char *path = request->payload;
	const char *value = path + strlen(path) + 1;
	struct refusal why;
	int token;

	if (!enter(request, reply, &token))
		return;
	int error = sysctl_get(path, reply->value, &why);

	if (!error && *value) {
		error = sysctl_journal(journal, request, path, reply->value);
		if (error) {
			refuse(&why, -error, "sysctl %s: cannot note its old value", path);
		} else {
			error = sysctl_set(path, value, &why);
			if (error)
				journal_forget(journal);
		}
	}
	netns_leave(token);
	if (error)
		fail(reply, &why);
}

static int offload_off(
	struct journal *journal, const struct request *request, const struct offload_link *link)
{
	struct undo undo;

	undo_make(&undo, UNDO_OFFLOAD, request);
	undo.len = sizeof(*link);
	memcpy(undo.payload, link, sizeof(*link));
	int error = journal_add(journal, &undo);

	if (error)
		return error;
	error = offload_set(link, false);
	if (error)
		journal_forget(journal);
	return error;
}

static void offload_run(struct journal *journal, const struct request *request, struct reply *reply)
{
	struct request there = { .verb = REQUEST_OFFLOAD };
	struct offload_link peer;
	int token;
	int error = offload_peer(request->netns, request->number, &peer, there.netns);

	if (error == -ENODEV)
		return; /* what comes by a wire is whole */
	if (!error && enter(&there, reply, &token)) {
		error = offload_get(&peer);
		if (error > 0)
			error = offload_off(journal, &there, &peer);
		else
			peer.name[0] = '\0';
		netns_leave(token);
	}
	if (error)
		reply->error = error;
	else if (peer.name[0])
		snprintf(reply->value, sizeof(reply->value), "%s%s%sethtool -K %s tx off",
			there.netns[0] ? "ip netns exec " : "", there.netns,
			there.netns[0] ? " " : "", peer.name);
}

/* The undo knows the namespace before it has a name. */
static int netns_make(struct journal *journal, const struct request *request, struct refusal *why)
{
	struct undo undo;
	ino_t inode;
	int fd = netns_new(request->netns, &inode, why);

	if (fd < 0)
		return fd;
	undo_make(&undo, UNDO_NETNS, request);
	undo.inode = inode;
	int error = journal_add(journal, &undo);

	if (error)
		refuse(why, -error, "netns %s: cannot note its undo", request->netns);
	else if ((error = netns_bind(request->netns, fd, why)))
		journal_forget(journal);
	close(fd);
	return error;
}

static void netns_run(struct journal *journal, const struct request *request, struct reply *reply)
{
	struct refusal why;
	int error;

	if (!request->number)
		error = netns_del(request->netns, &why);
	else if (netns_inode(request->netns))
		error = refuse(&why, EEXIST, "netns %s: exists already (see them: ip netns)",
			request->netns);
	else
		error = netns_make(journal, request, &why);
	if (error)
		fail(reply, &why);
}

static int spawn(const struct request *request, char *const *argv, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, request->number);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	for (unsigned i = 0; i < request->fd_count; i++)
		posix_spawn_file_actions_adddup2(&files, request->fds[i], (int)i);
	int error = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);

	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -error;
}

static void spawn_run(const struct request *request, struct reply *reply)
{
	char *argv[257];
	unsigned count = 0;
	pid_t pid;
	int token;

	for (size_t at = 0; at < request->len && count < 256; count++) {
		argv[count] = (char *)request->payload + at;
		at += strlen(argv[count]) + 1;
	}
	argv[count] = NULL;
	if (!enter(request, reply, &token))
		return;
	reply->error = spawn(request, argv, &pid);
	netns_leave(token);
	if (reply->error) {
		snprintf(reply->text, sizeof(reply->text), "%s: %s", argv[0],
			reply->error == -ENOENT ? "command not found" : strerror(-reply->error));
		return;
	}
	reply->number = pid;
	reply->fd = (int)syscall(SYS_pidfd_open, pid, 0);
}

static void wait_run(const struct request *request, struct reply *reply)
{
	int status = 0;

	if (waitpid(request->number, &status, 0) < 0)
		reply->error = -errno;
	reply->number = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void request_run(struct journal *journal, const struct request *request, struct reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->fd = -1;
	switch (request->verb) {
	case REQUEST_CHANGE:
		change_run(journal, request, reply);
		break;
	case REQUEST_OPEN:
		open_run(request, reply);
		break;
	case REQUEST_SYSCTL:
		sysctl_run(journal, request, reply);
		break;
	case REQUEST_OFFLOAD:
		offload_run(journal, request, reply);
		break;
	case REQUEST_NETNS:
		netns_run(journal, request, reply);
		break;
	case REQUEST_SPAWN:
		spawn_run(request, reply);
		break;
	case REQUEST_WAIT:
		wait_run(request, reply);
		break;
	case REQUEST_UNDO:
		reply->number = (int)journal_mark(journal);
		if (request->number >= 0)
			journal_undo(journal, (unsigned)request->number);
		break;
	}
}

/* As subreaper we inherit grandchildren too; false: there is none. */
static bool children_signal(int signo)
{
	char path[64], pids[4096];
	bool is_any = false;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, pids, sizeof(pids) - 1);

	if (fd >= 0)
		close(fd);
	pids[n > 0 ? n : 0] = '\0';
	for (char *save, *pid = strtok_r(pids, " ", &save); pid; pid = strtok_r(NULL, " ", &save)) {
		kill((pid_t)atoi(pid), signo);
		is_any = true;
	}
	return is_any;
}

void request_children_end(void)
{
	enum { TRIES = 100, PATIENCE = 20 };

	for (unsigned i = 0; i < TRIES; i++) {
		if (!children_signal(i < PATIENCE ? SIGTERM : SIGKILL))
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}
