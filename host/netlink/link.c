/* SPDX-License-Identifier: MIT */
/* Finds, makes, changes and deletes links. */
#include "host/netlink/link.h"

#include <ctype.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/netlink/found.h"

#include "host/base/nearest.h"
#include "host/netlink/restore.h"

const char *link_name_check(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= LINK_NAME)
		return "a device name has 1 to 15 bytes";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "a device cannot be called . or ..";
	for (; *name; name++) {
		if (*name == '/' || *name == ':' || *name == '%' || isspace((unsigned char)*name))
			return "a device name has no '/', ':', '%' or space";
	}
	return NULL;
}

/* The kind; a tun device says by its type whether it is one or a tap. */
static void info_read(const struct nlattr *info, struct link *link)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!data || strcmp(link->kind, "tun"))
		return;
	mnl_attr_for_each_nested(attr, data)
	{
		if (mnl_attr_get_type(attr) == IFLA_TUN_TYPE && mnl_attr_get_u8(attr) == 2)
			strcpy(link->kind, "tap");
	}
}

static uint64_t dropped_read(const struct nlattr *attr)
{
	struct rtnl_link_stats64 stats = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(&stats, mnl_attr_get_payload(attr), len < sizeof(stats) ? len : sizeof(stats));
	return stats.tx_dropped;
}

static void attr_read(const struct nlattr *attr, struct link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		link->has_mac = mnl_attr_get_payload_len(attr) == sizeof(link->mac);
		if (link->has_mac)
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_MASTER:
		link->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		link->peer = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_netns = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_STATS64:
		link->tx_dropped = dropped_read(attr);
		break;
	case IFLA_LINKINFO:
		info_read(attr, link);
		break;
	}
}

static int link_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	struct link link = { .ifindex = info->ifi_index,
		.is_up = info->ifi_flags & IFF_UP,
		.has_carrier = info->ifi_flags & IFF_LOWER_UP,
		.peer_netns = -1 };
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*info)) attr_read(attr, &link);
	return found_add(arg, &link);
}

int link_list(struct netlink *netlink, struct link **out, unsigned *count, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifinfomsg *info;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_GETLINK, 0, sizeof(*info), (void **)&info);
	struct found found = { .size = sizeof(**out) };
	int error = found_dump(netlink, nlh, link_read, &found);

	if (error)
		return refuse(why, -error, "link: cannot list: %s", strerror(-error));
	*out = found.records;
	*count = found.count;
	return 0;
}

static int link_missing(const char *name, int ifindex, const struct link *links, unsigned count,
	struct refusal *why)
{
	const char *names[129] = { NULL };

	for (unsigned i = 0; i < count && i < 128; i++)
		names[i] = links[i].name;
	const char *meant = name ? nearest(name, names) : NULL;

	if (meant)
		return refuse(why, ENODEV, "%s: no such link (did you mean %s?)", name, meant);
	if (name)
		return refuse(
			why, ENODEV, "%s: no such link (see mt.link.list() or ip link)", name);
	return refuse(why, ENODEV, "link %d: no such link", ifindex);
}

int link_get(struct netlink *netlink, const char *name, int ifindex, struct link *out,
	struct refusal *why)
{
	struct link *links;
	unsigned count;
	int error = link_list(netlink, &links, &count, why);

	if (error)
		return error;
	for (unsigned i = 0; i < count; i++) {
		if (name ? strcmp(links[i].name, name) : links[i].ifindex != ifindex)
			continue;
		*out = links[i];
		free(links);
		return 0;
	}
	error = link_missing(name, ifindex, links, count, why);
	free(links);
	return error;
}

/* An ifindex that is free now: with it the undo is known before the link exists. */
static int ifindex_free(struct netlink *netlink, int *out, struct refusal *why)
{
	struct link *links;
	unsigned count;
	int most = 0;
	int error = link_list(netlink, &links, &count, why);

	if (error)
		return error;
	for (unsigned i = 0; i < count; i++)
		most = links[i].ifindex > most ? links[i].ifindex : most;
	free(links);
	*out = most + 1;
	return 0;
}

/* The kernel makes the peer first: without an index of its own it would take ours. */
static void veth_put(struct nlmsghdr *nlh, const struct link_new *spec, int peer_ifindex)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);

	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ifi_index = peer_ifindex;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, spec->peer);
	if (spec->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, spec->mtu);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
}

static void vxlan_put(struct nlmsghdr *nlh, const struct link_new *spec)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);

	mnl_attr_put_u32(nlh, IFLA_VXLAN_ID, (uint32_t)spec->vni);
	mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, __builtin_bswap16(spec->port ? spec->port : 4789));
	if (spec->parent)
		mnl_attr_put_u32(nlh, IFLA_VXLAN_LINK, (uint32_t)spec->parent);
	mnl_attr_nest_end(nlh, data);
}

/* Of the two names of a pair, the one that is taken. */
static int exists_refuse(struct netlink *netlink, const struct link_new *spec, struct refusal *why)
{
	struct link link;
	bool is_peer = spec->peer && link_get(netlink, spec->name, 0, &link, NULL);
	const char *name = is_peer ? spec->peer : spec->name;

	return refuse(why, EEXIST,
		"%s: exists already (choose another name, or see it: ip -d link show %s)", name,
		name);
}

int link_add(struct netlink *netlink, const struct link_new *spec, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER], undo_buffer[NETLINK_BUFFER];
	struct ifinfomsg *info, *undo_info;
	struct nlmsghdr *nlh = netlink_request(
		buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*info), (void **)&info);
	struct nlmsghdr *undo = netlink_request(
		undo_buffer, RTM_DELLINK, 0, sizeof(*undo_info), (void **)&undo_info);
	char says[200];
	int error = ifindex_free(netlink, &info->ifi_index, why);

	if (error)
		return error;
	undo_info->ifi_index = info->ifi_index;
	mnl_attr_put_strz(undo, IFLA_IFNAME, spec->name);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, spec->name);
	if (spec->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, spec->mtu);
	if (spec->mac)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, spec->mac);
	if (spec->parent && strcmp(spec->kind, "vxlan"))
		mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)spec->parent);
	struct nlattr *nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, spec->kind);
	if (spec->peer)
		veth_put(nlh, spec, info->ifi_index + 1);
	else if (spec->vni >= 0)
		vxlan_put(nlh, spec);
	mnl_attr_nest_end(nlh, nest);
	error = netlink_change(netlink, nlh, undo, says, sizeof(says));
	if (error == -EEXIST)
		return exists_refuse(netlink, spec, why);
	if (error == -EOPNOTSUPP)
		return refuse(why, EOPNOTSUPP, "%s: this kernel has no links of kind %s%s%s",
			spec->name, spec->kind, says[0] ? ": " : "", says);
	return error ? netlink_refuse(why, error, spec->name, "be made", says) : 0;
}

int link_del(struct netlink *netlink, const struct link *link, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifinfomsg *info;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_DELLINK, 0, sizeof(*info), (void **)&info);
	char says[200];

	info->ifi_index = link->ifindex;
	int error = netlink_change(netlink, nlh, NULL, says, sizeof(says));

	return error ? netlink_refuse(why, error, link->name, "be deleted", says) : 0;
}

static void up_put(struct ifinfomsg *info, bool is_up)
{
	info->ifi_change = IFF_UP;
	info->ifi_flags = is_up ? IFF_UP : 0;
}

/* The same attributes, as the link has them now. */
static void undo_put(struct nlmsghdr *undo, struct ifinfomsg *info, const struct link *link,
	const struct link_change *change)
{
	info->ifi_index = link->ifindex;
	if (change->up)
		up_put(info, link->is_up);
	if (change->mtu)
		mnl_attr_put_u32(undo, IFLA_MTU, link->mtu);
	if (change->mac)
		mnl_attr_put(undo, IFLA_ADDRESS, 6, link->mac);
	if (change->name)
		mnl_attr_put_strz(undo, IFLA_IFNAME, link->name);
	if (change->master)
		mnl_attr_put_u32(undo, IFLA_MASTER, (uint32_t)link->master);
}

static int change_send(struct netlink *netlink, struct nlmsghdr *nlh, struct nlmsghdr *undo,
	const struct link_change *change, char *says, size_t room)
{
	struct netlink_change moved = { nlh, undo, netlink->netns, change->netns };

	if (!change->netns)
		return netlink_change(netlink, nlh, undo, says, room);
	says[0] = '\0';
	return netlink->carrier->change(netlink->carrier_arg, &moved, says, room);
}

/* What else the kernel takes away with such a change: IPv6 ends below its least MTU (RFC 8200, 5),
 * a new MAC forgets the neighbours, a move forgets all. */
static unsigned lost_by(const struct link *link, const struct link_change *change)
{
	enum { IPV6_MTU_MIN = 1280 };
	unsigned lost = 0;

	if (change->netns)
		return RESTORE_STATE | RESTORE_ADDR4 | RESTORE_ADDR6 | RESTORE_ROUTES |
		       RESTORE_NEIGHS;
	if (change->up < 0 && link->is_up)
		lost |= RESTORE_ADDR6 | RESTORE_ROUTES | RESTORE_NEIGHS;
	if (change->mtu && change->mtu < IPV6_MTU_MIN && link->mtu >= IPV6_MTU_MIN)
		lost |= RESTORE_ADDR6 | RESTORE_ROUTES | RESTORE_NEIGHS;
	if (change->mac)
		lost |= RESTORE_NEIGHS;
	return lost;
}

int link_set(struct netlink *netlink, const struct link *link, const struct link_change *change,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER], undo_buffer[NETLINK_BUFFER];
	struct ifinfomsg *info, *undo_info;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_NEWLINK, 0, sizeof(*info), (void **)&info);
	struct nlmsghdr *undo = netlink_request(
		undo_buffer, RTM_NEWLINK, 0, sizeof(*undo_info), (void **)&undo_info);
	char says[200];

	info->ifi_index = link->ifindex;
	if (change->up)
		up_put(info, change->up > 0);
	if (change->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, change->mtu);
	if (change->mac)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, change->mac);
	if (change->name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, change->name);
	if (change->master)
		mnl_attr_put_u32(
			nlh, IFLA_MASTER, change->master > 0 ? (uint32_t)change->master : 0);
	undo_put(undo, undo_info, link, change);
	unsigned lost = lost_by(link, change);
	int error = lost ? restore_link(netlink, link, lost) : 0;

	says[0] = '\0';
	if (!error)
		error = change_send(netlink, nlh, undo, change, says, sizeof(says));

	return error ? netlink_refuse(why, error, link->name, "be set", says) : 0;
}
