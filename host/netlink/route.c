/* SPDX-License-Identifier: MIT */
/* Adds routes, and finds those that a new prefix would take over. */
#include "host/netlink/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

int route_add(struct netlink *netlink, const struct link *link, const struct prefix *dst,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct rtmsg *msg;
	struct nlmsghdr *nlh = netlink_request(
		buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*msg), (void **)&msg);
	bool is_4 = dst->addr.family == FAMILY_4;
	char says[200], text[PREFIX_TEXT];

	msg->rtm_family = is_4 ? AF_INET : AF_INET6;
	msg->rtm_dst_len = dst->len;
	msg->rtm_table = RT_TABLE_MAIN;
	msg->rtm_protocol = RTPROT_BOOT;
	msg->rtm_scope = is_4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	msg->rtm_type = RTN_UNICAST;
	mnl_attr_put(nlh, RTA_DST, family_bytes(dst->addr.family), dst->addr.bytes);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)link->ifindex);
	int error = netlink_talk(netlink, nlh, says, sizeof(says));

	if (error == -EINVAL)
		return refuse(why, EINVAL,
			"%s: cannot route %s: %s (are bits set beyond the prefix length?)",
			link->name, prefix_text(dst, text), says[0] ? says : strerror(EINVAL));
	if (error)
		return refuse(why, -error, "%s: cannot route %s: %s%s%s", link->name,
			prefix_text(dst, text), strerror(-error), says[0] ? ": " : "", says);
	return 0;
}

struct search {
	const struct prefix *prefix;
	struct prefix found;
	int ifindex; /* 0: nothing found */
};

static int route_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct search *search = arg;
	struct prefix dst = { .addr.family = msg->rtm_family == AF_INET ? FAMILY_4 : FAMILY_6,
		.len = msg->rtm_dst_len };
	const struct nlattr *attr;
	int ifindex = 0;

	if (msg->rtm_table != RT_TABLE_MAIN || msg->rtm_dst_len == 0 || search->ifindex)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == RTA_DST && len <= sizeof(dst.addr.bytes))
			memcpy(dst.addr.bytes, mnl_attr_get_payload(attr), len);
		if (mnl_attr_get_type(attr) == RTA_OIF)
			ifindex = (int)mnl_attr_get_u32(attr);
	}
	if (ifindex && prefix_overlap(&dst, search->prefix)) {
		search->ifindex = ifindex;
		search->found = dst;
	}
	return MNL_CB_OK;
}

int route_overlap(
	struct netlink *netlink, const struct prefix *prefix, struct prefix *taken, int *ifindex)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct rtmsg *msg;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_GETROUTE, 0, sizeof(*msg), (void **)&msg);
	struct search search = { .prefix = prefix };

	msg->rtm_family = prefix->addr.family == FAMILY_4 ? AF_INET : AF_INET6;
	int error = netlink_dump(netlink, nlh, route_read, NULL, &search);

	if (error)
		return error;
	if (!search.ifindex)
		return 0;
	*taken = search.found;
	*ifindex = search.ifindex;
	return 1;
}
