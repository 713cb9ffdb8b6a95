/* SPDX-License-Identifier: MIT */
/* Talks to the kernel about links, addresses and routes. */
#include "host/netlink/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DUMP_TRIES = 10 };

static void socket_prepare(struct netlink *netlink, struct mnl_socket *socket)
{
	int one = 1;

	/* Older kernels know neither; then there is only errno to show. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &one, sizeof(one));
	*netlink = (struct netlink){ .socket = socket, .seq = (unsigned)time(NULL) };
}

int netlink_from_fd(struct netlink *netlink, int fd, struct refusal *why)
{
	struct mnl_socket *socket = mnl_socket_fdopen(fd);

	if (!socket)
		return refuse(why, errno, "netlink: cannot use a socket: %s", strerror(errno));
	socket_prepare(netlink, socket);
	return 0;
}

int netlink_open(struct netlink *netlink, struct refusal *why)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!socket)
		return refuse(why, errno, "netlink: cannot open a socket: %s", strerror(errno));
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		mnl_socket_close(socket);
		return refuse(why, error, "netlink: cannot bind a socket: %s", strerror(error));
	}
	socket_prepare(netlink, socket);
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	netlink->socket = NULL;
}

int netlink_fd_take(struct netlink *netlink)
{
	int fd = fcntl(mnl_socket_get_fd(netlink->socket), F_DUPFD_CLOEXEC, 0);
	int error = errno;

	netlink_close(netlink);
	return fd < 0 ? -error : fd;
}

struct nlmsghdr *netlink_request(
	void *buffer, uint16_t type, uint16_t flags, size_t header, void **header_out)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	*header_out = mnl_nlmsg_put_extra_header(nlh, header);
	return nlh;
}

/* libmnl parses no extended acks: their TLVs follow the (capped) copy of our header. */
static void ext_ack(const struct nlmsghdr *nlh, char *text, size_t room)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);
	const struct nlattr *attr;

	text[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += err->msg.nlmsg_len - sizeof(err->msg);
	mnl_attr_for_each(attr, nlh, skip)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(text, room, "%s", mnl_attr_get_str(attr));
	}
}

static int send_request(struct netlink *netlink, struct nlmsghdr *request)
{
	request->nlmsg_seq = ++netlink->seq;
	return mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0 ? -errno : 0;
}

int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, char *kernel_says, size_t room)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];

	if (kernel_says)
		kernel_says[0] = '\0';
	request->nlmsg_flags |= NLM_F_ACK;
	int error = send_request(netlink, request);

	while (!error) {
		ssize_t n = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!mnl_nlmsg_ok(nlh, (int)n) || nlh->nlmsg_seq != netlink->seq ||
			nlh->nlmsg_type != NLMSG_ERROR)
			continue; /* the echo of an older request */
		if (kernel_says)
			ext_ack(nlh, kernel_says, room);
		return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	}
	return error;
}

/* One answer to a dump: MNL_CB_OK go on, MNL_CB_STOP done, or -errno. mnl_cb_run would stop in the
 * middle of the buffer at NLM_F_DUMP_INTR, so the messages are walked here to NLMSG_DONE. */
static int dump_part(struct netlink *netlink, const struct nlmsghdr *nlh, int len, mnl_cb_t each,
	void *arg, int *is_interrupted)
{
	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != netlink->seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*is_interrupted = 1;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return MNL_CB_STOP;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
		if (each(nlh, arg) < 0)
			return -errno;
	}
	return MNL_CB_OK;
}

static int dump_once(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg,
	int *is_interrupted)
{
	_Alignas(struct nlmsghdr) char buffer[4 * NETLINK_BUFFER];
	int status = send_request(netlink, request);

	*is_interrupted = 0;
	if (status < 0)
		return status;
	status = MNL_CB_OK;
	while (status == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		status = dump_part(netlink, (const struct nlmsghdr *)buffer, (int)n, each, arg,
			is_interrupted);
	}
	return status < 0 ? status : 0;
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each,
	void (*restart)(void *), void *arg)
{
	int is_interrupted = 1;
	int error = 0;

	if (netlink->carrier && netlink->carrier->dump)
		return netlink->carrier->dump(
			netlink->carrier_arg, netlink->netns, request, each, arg);
	request->nlmsg_flags |= NLM_F_DUMP;
	for (unsigned i = 0; !error && is_interrupted && i < DUMP_TRIES; i++) {
		if (i && restart)
			restart(arg);
		error = dump_once(netlink, request, each, arg, &is_interrupted);
	}
	if (!error && is_interrupted)
		return -EINTR;
	return error;
}

int netlink_change(struct netlink *netlink, struct nlmsghdr *request, const struct nlmsghdr *undo,
	char *kernel_says, size_t room)
{
	struct netlink_change change = { request, undo, netlink->netns, NULL };

	kernel_says[0] = '\0';
	if (!netlink->carrier)
		return netlink_talk(netlink, request, kernel_says, room);
	return netlink->carrier->change(netlink->carrier_arg, &change, kernel_says, room);
}

int netlink_refuse(struct refusal *why, int error, const char *what, const char *doing,
	const char *kernel_says)
{
	const char *hint = error == -EPERM
				   ? " (it needs CAP_NET_ADMIN: run it as root, or with --sandbox)"
				   : "";

	return refuse(why, -error, "%s: cannot %s: %s%s%s%s", what, doing, strerror(-error),
		kernel_says[0] ? ": " : "", kernel_says, hint);
}
