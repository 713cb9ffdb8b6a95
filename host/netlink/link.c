/* SPDX-License-Identifier: MIT */
/* Finds links, sets them up and down. */
#include "host/netlink/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static int link_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	struct link *link = arg;
	const struct nlattr *attr;

	link->ifindex = info->ifi_index;
	link->is_up = info->ifi_flags & IFF_UP;
	mnl_attr_for_each(attr, nlh, sizeof(*info))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
			break;
		case IFLA_MTU:
			link->mtu = mnl_attr_get_u32(attr);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
				memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
			break;
		}
	}
	return MNL_CB_OK;
}

int link_get(struct netlink *netlink, const char *name, int ifindex, struct link *out,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifinfomsg *info;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_GETLINK, 0, sizeof(*info), (void **)&info);
	struct link link = { 0 };

	info->ifi_index = ifindex;
	if (name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	nlh->nlmsg_seq = ++netlink->seq;
	if (mnl_socket_sendto(netlink->socket, nlh, nlh->nlmsg_len) < 0)
		return refuse(why, errno, "netlink: %s", strerror(errno));
	ssize_t n = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));

	if (n < 0 || mnl_cb_run(buffer, (size_t)n, netlink->seq,
			     mnl_socket_get_portid(netlink->socket), link_read, &link) < 0)
		return refuse(why, errno, "%s: %s", name ? name : "link", strerror(errno));
	*out = link;
	return 0;
}

int link_set(struct netlink *netlink, const struct link *link, const struct link_change *change,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifinfomsg *info;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_NEWLINK, 0, sizeof(*info), (void **)&info);
	char says[200];

	info->ifi_index = link->ifindex;
	if (change->up >= 0) {
		info->ifi_change = IFF_UP;
		info->ifi_flags = change->up ? IFF_UP : 0;
	}
	if (change->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, change->mtu);
	if (change->mac)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, change->mac);
	int error = netlink_talk(netlink, nlh, says, sizeof(says));

	if (error)
		return refuse(why, -error, "%s: cannot set the link: %s%s%s", link->name,
			strerror(-error), says[0] ? ": " : "", says);
	return 0;
}
