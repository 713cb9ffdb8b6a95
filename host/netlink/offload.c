/* SPDX-License-Identifier: MIT */
/* Has the links that frames come from finish what they would leave to a device. */
#include "host/netlink/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/netlink/netns.h"

static int ethtool(const struct offload_link *link, struct ethtool_value *value)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, link->name, sizeof(link->name));
	int error = ioctl(fd, SIOCGIFINDEX, &ifr) ? -errno : 0;

	if (!error && ifr.ifr_ifindex != link->ifindex)
		error = -ENODEV;
	ifr.ifr_data = (void *)value;
	if (!error && ioctl(fd, SIOCETHTOOL, &ifr))
		error = -errno;
	close(fd);
	return error;
}

int offload_get(const struct offload_link *link)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GTXCSUM };
	int error = ethtool(link, &value);

	return error ? error : value.data != 0;
}

int offload_set(const struct offload_link *link, bool is_on)
{
	return ethtool(link, &(struct ethtool_value){ ETHTOOL_STXCSUM, is_on });
}

static int id_read(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == NETNSA_NSID)
		*(int *)arg = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* The id that this namespace has for the one of the descriptor; -1: none. */
static int id_of(int netns_fd)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t n = -1;
	int id = -1;

	nlh->nlmsg_type = RTM_GETNSID;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)netns_fd);
	if (socket && mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) > 0)
		n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (n > 0 && mnl_nlmsg_ok(nlh, (int)n) && nlh->nlmsg_type == RTM_NEWNSID)
		mnl_attr_parse(nlh, sizeof(struct rtgenmsg), id_read, &id);
	if (socket)
		mnl_socket_close(socket);
	return id;
}

struct search {
	int id;
	const char *found; /* NULL: not yet */
	char *out;
};

static void name_try(void *arg, const char *name)
{
	struct search *search = arg;
	char path[96];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	int fd = search->found ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && id_of(fd) == search->id)
		search->found = strcpy(search->out, name);
	if (fd >= 0)
		close(fd);
}

/* In the link's namespace, which was entered from `home` (-1: it is our own). */
static int peer_find(const char *netns, int home, int ifindex, int *peer, char *peer_netns)
{
	struct netlink netlink;
	struct link link;
	int error = netlink_open(&netlink, NULL);

	if (error)
		return error;
	error = link_get(&netlink, NULL, ifindex, &link, NULL);
	netlink_close(&netlink);
	if (error)
		return error;
	if (strcmp(link.kind, "veth") || !link.peer)
		return -ENODEV;
	*peer = link.peer;
	if (link.peer_netns < 0) {
		strcpy(peer_netns, netns);
		return 0;
	}
	peer_netns[0] = '\0';
	if (home >= 0 && id_of(home) == link.peer_netns)
		return 0;
	struct search search = { .id = link.peer_netns, .out = peer_netns };

	netns_list(name_try, &search);
	return search.found ? 0 : -ENOENT;
}

int offload_peer(const char *netns, int ifindex, struct offload_link *out, char *peer_netns)
{
	int token = netns_enter(netns, NULL);
	int peer = 0;

	if (token < -1)
		return token + 1;
	int error = peer_find(netns, token, ifindex, &peer, peer_netns);

	netns_leave(token);
	if (error)
		return error;
	token = netns_enter(peer_netns, NULL);
	if (token < -1)
		return token + 1;
	*out = (struct offload_link){ .ifindex = peer };
	if (!if_indextoname((unsigned)peer, out->name))
		error = -errno;
	netns_leave(token);
	return error;
}
