/* SPDX-License-Identifier: MIT */
/* Lets consoles talk to a running script. */
#include "host/engine/control.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/engine/host.h"
#include "host/engine/journal.h"
#include "host/engine/worker.h"

/* A socket that listens, or a connection. */
struct control {
	struct watch watch; /* the first member */
	struct worker *worker;
	struct control *next;
	uint64_t id; /* never used twice */
	bool is_listener;
	bool is_master;		 /* the host ends with it */
	char path[CONTROL_PATH]; /* of a listener's file */
};

static void control_drop(struct control *control)
{
	struct worker *worker = control->worker;
	struct control **at = &worker->controls;

	while (*at != control)
		at = &(*at)->next;
	*at = control->next;
	loop_remove(&worker->loop, &control->watch);
	close(control->watch.fd);
	if (control->is_listener)
		unlink(control->path);
	if (control->is_master) {
		host_stop(worker->host, 0);
		worker_stop(worker);
	}
	free(control);
}

static void connection_ready(struct watch *watch, uint32_t events)
{
	static _Thread_local char message[CONTROL_TEXT + 1];
	struct control *control = (struct control *)watch;
	const struct datapath *dp = &control->worker->dp;
	ssize_t n = recv(watch->fd, message, sizeof(message), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (dp->ops->cancel)
			dp->ops->cancel(dp->script, control->id);
		control_drop(control);
	} else if (message[0] == CONTROL_EVAL && dp->ops->eval) {
		dp->ops->eval(dp->script, control->id, message + 1, (size_t)n - 1);
	} else if (message[0] == CONTROL_CANCEL && dp->ops->cancel) {
		dp->ops->cancel(dp->script, control->id);
	} else if (message[0] == CONTROL_COMPLETE && dp->ops->complete) {
		dp->ops->complete(dp->script, control->id, message + 1, (size_t)n - 1);
	}
}

static int control_add(struct worker *worker, int fd, void (*ready)(struct watch *, uint32_t),
	struct control **out)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return -ENOMEM;
	control->watch.fd = fd;
	control->watch.ready = ready;
	control->worker = worker;
	control->id = ++worker->control_last_id;
	int error = loop_add(&worker->loop, &control->watch, EPOLLIN);

	if (error) {
		free(control);
		return error;
	}
	control->next = worker->controls;
	worker->controls = control;
	*out = control;
	return 0;
}

static void listener_ready(struct watch *watch, uint32_t events)
{
	struct control *listener = (struct control *)watch, *connection;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0 && control_add(listener->worker, fd, connection_ready, &connection))
		close(fd);
}

bool control_path(int pid, char *out, size_t room)
{
	const char *dir = journal_dir();

	return dir && (size_t)snprintf(out, room, "%s/control.%d", dir, pid) < room;
}

int control_listen(struct worker *worker, const char *path, struct refusal *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct control *listener;

	if (strlen(path) >= sizeof(addr.sun_path))
		return refuse(why, ENAMETOOLONG, "control: %s: longer than %zu bytes", path,
			sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Nobody may connect before the mode is set: 0600 from the start. */
	mode_t old = umask(0177);
	int error = fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 4)
			    ? -errno
			    : 0;

	umask(old);
	if (!error)
		error = control_add(worker, fd, listener_ready, &listener);
	if (error) {
		if (fd >= 0)
			close(fd);
		return refuse(
			why, -error, "control: cannot listen at %s: %s", path, strerror(-error));
	}
	listener->is_listener = true;
	strcpy(listener->path, path);
	return 0;
}

int control_serve(struct worker *worker, int fd, struct refusal *why)
{
	struct control *connection;
	int error = control_add(worker, fd, connection_ready, &connection);

	if (error)
		return refuse(why, -error, "control: cannot serve: %s", strerror(-error));
	connection->is_master = true;
	return 0;
}

void control_close(struct worker *worker)
{
	while (worker->controls) {
		worker->controls->is_master = false;
		control_drop(worker->controls);
	}
}

bool control_is_used(const struct worker *worker)
{
	for (const struct control *control = worker->controls; control; control = control->next) {
		if (!control->is_listener)
			return true;
	}
	return false;
}

void control_send(
	struct worker *worker, uint64_t id, enum control_kind kind, const char *text, size_t len)
{
	struct control *control = worker->controls;
	char tag = (char)kind;
	struct iovec parts[] = { { &tag, 1 },
		{ (void *)text, len < CONTROL_TEXT ? len : CONTROL_TEXT } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	while (control && control->id != id)
		control = control->next;
	/* Who does not read loses words: packets do not wait for a console. */
	if (control && sendmsg(control->watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

/* Does somebody listen there? What cannot be asked is taken for yes. */
static bool is_alive(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(addr.sun_path)) {
		if (fd >= 0)
			close(fd);
		return true;
	}
	strcpy(addr.sun_path, path);
	bool is_refused =
		connect(fd, (struct sockaddr *)&addr, sizeof(addr)) && errno == ECONNREFUSED;

	close(fd);
	return !is_refused;
}

void control_clean(const char *dir)
{
	DIR *files = opendir(dir);

	for (const struct dirent *entry; files && (entry = readdir(files));) {
		char path[CONTROL_PATH + 64];

		if (strncmp(entry->d_name, "control.", 8))
			continue;
		snprintf(path, sizeof(path), "%.100s/%.60s", dir, entry->d_name);
		if (!is_alive(path))
			unlink(path);
	}
	if (files)
		closedir(files);
}
