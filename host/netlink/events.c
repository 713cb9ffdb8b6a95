/* SPDX-License-Identifier: MIT */
/* Hears of links and addresses that change under us. */
#include "host/netlink/events.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

int events_open(struct events *events, struct refusal *why)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

	if (socket && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) == 0) {
		events->socket = socket;
		return 0;
	}
	int error = errno;

	if (socket)
		mnl_socket_close(socket);
	return refuse(why, error, "netlink: cannot follow changes: %s", strerror(error));
}

void events_close(struct events *events)
{
	if (events->socket)
		mnl_socket_close(events->socket);
	events->socket = NULL;
}

int events_from_fd(struct events *events, int fd, struct refusal *why)
{
	events->socket = mnl_socket_fdopen(fd);
	return events->socket ? 0 : refuse(why, errno, "netlink: cannot use a socket");
}

int events_fd_take(struct events *events)
{
	int fd = fcntl(events_fd(events), F_DUPFD_CLOEXEC, 0);
	int error = errno;

	events_close(events);
	return fd < 0 ? -error : fd;
}

int events_fd(const struct events *events)
{
	return mnl_socket_get_fd(events->socket);
}

/* The kernel sends one message a datagram; what is none of ours says "nothing changed on 0". */
static int message_link(const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return ((const struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_index;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return (int)((const struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_index;
	}
	return 0;
}

bool events_next(struct events *events, int *ifindex, bool *is_gone)
{
	_Alignas(struct nlmsghdr) char buffer[16384];
	ssize_t n = mnl_socket_recvfrom(events->socket, buffer, sizeof(buffer));
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;

	*ifindex = 0;
	*is_gone = false;
	if (n < 0)
		return errno == ENOBUFS || errno == EINTR;
	if (mnl_nlmsg_ok(nlh, (int)n))
		*ifindex = message_link(nlh);
	if (*ifindex)
		*is_gone = nlh->nlmsg_type == RTM_DELLINK;
	return true;
}
