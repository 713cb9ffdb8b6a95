/* SPDX-License-Identifier: MIT */
/* Adds and lists the addresses that the kernel holds on a link. */
#include "host/netlink/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void broadcast_put(struct nlmsghdr *nlh, const struct prefix *prefix)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = prefix->len > 8 * i ? prefix->len - 8 * i : 0;

		bytes[i] = prefix->addr.bytes[i] | (uint8_t)(bits >= 8 ? 0 : 0xff >> bits);
	}
	mnl_attr_put(nlh, IFA_BROADCAST, sizeof(bytes), bytes);
}

int addr_add(struct netlink *netlink, const struct link *link, const struct prefix *prefix,
	bool with_dad, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifaddrmsg *msg;
	struct nlmsghdr *nlh = netlink_request(
		buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*msg), (void **)&msg);
	bool is_4 = prefix->addr.family == FAMILY_4;
	size_t len = family_bytes(prefix->addr.family);
	char says[200], text[PREFIX_TEXT];

	msg->ifa_family = is_4 ? AF_INET : AF_INET6;
	msg->ifa_prefixlen = prefix->len;
	msg->ifa_index = (unsigned)link->ifindex;
	if (!is_4 && !with_dad)
		msg->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(nlh, IFA_LOCAL, len, prefix->addr.bytes);
	mnl_attr_put(nlh, IFA_ADDRESS, len, prefix->addr.bytes);
	if (is_4 && prefix->len < 31)
		broadcast_put(nlh, prefix);
	int error = netlink_talk(netlink, nlh, says, sizeof(says));

	if (error == -EACCES || (error == -EOPNOTSUPP && !is_4))
		return refuse(why, -error,
			"%s: cannot add %s: IPv6 is switched off there (sysctl "
			"net.ipv6.conf.all.disable_ipv6=0)",
			link->name, prefix_text(prefix, text));
	if (error)
		return refuse(why, -error, "%s: cannot add %s: %s%s%s", link->name,
			prefix_text(prefix, text), strerror(-error), says[0] ? ": " : "", says);
	return 0;
}

struct found {
	int ifindex;
	struct prefix *addrs;
	unsigned count;
};

static int addr_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct found *found = arg;
	const struct nlattr *attr, *best = NULL;

	if ((int)msg->ifa_index != found->ifindex)
		return MNL_CB_OK;
	/* IFA_LOCAL is ours where IFA_ADDRESS is the other end of a point-to-point link. */
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
			(mnl_attr_get_type(attr) == IFA_ADDRESS && !best))
			best = attr;
	}
	size_t len = msg->ifa_family == AF_INET ? 4 : 16;

	if (!best || mnl_attr_get_payload_len(best) != len)
		return MNL_CB_OK;
	struct prefix *more = realloc(found->addrs, (found->count + 1) * sizeof(*more));

	if (!more)
		return MNL_CB_ERROR;
	found->addrs = more;
	struct prefix *prefix = &more[found->count++];

	*prefix = (struct prefix){ .addr.family = len == 4 ? FAMILY_4 : FAMILY_6,
		.len = msg->ifa_prefixlen };
	memcpy(prefix->addr.bytes, mnl_attr_get_payload(best), len);
	return MNL_CB_OK;
}

static void found_restart(void *arg)
{
	((struct found *)arg)->count = 0;
}

int addr_list(struct netlink *netlink, int ifindex, struct prefix **out, unsigned *count)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifaddrmsg *msg;
	struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETADDR, 0, sizeof(*msg), (void **)&msg);
	struct found found = { .ifindex = ifindex };
	int error = netlink_dump(netlink, nlh, addr_read, found_restart, &found);

	if (error) {
		free(found.addrs);
		return error;
	}
	*out = found.addrs;
	*count = found.count;
	return 0;
}
