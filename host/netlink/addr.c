/* SPDX-License-Identifier: MIT */
/* Adds, deletes and lists the addresses that the kernel holds on a link. */
#include "host/netlink/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/netlink/found.h"
#include "host/netlink/restore.h"

static void broadcast_put(struct nlmsghdr *nlh, const struct prefix *prefix)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = prefix->len > 8 * i ? prefix->len - 8 * i : 0;

		bytes[i] = prefix->addr.bytes[i] | (uint8_t)(bits >= 8 ? 0 : 0xff >> bits);
	}
	mnl_attr_put(nlh, IFA_BROADCAST, sizeof(bytes), bytes);
}

static struct nlmsghdr *message(void *buffer, uint16_t type, const struct link *link,
	const struct prefix *prefix, bool with_dad)
{
	uint16_t flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct ifaddrmsg *msg;
	struct nlmsghdr *nlh = netlink_request(buffer, type, flags, sizeof(*msg), (void **)&msg);
	bool is_4 = prefix->addr.family == FAMILY_4;
	size_t len = family_bytes(prefix->addr.family);

	msg->ifa_family = is_4 ? AF_INET : AF_INET6;
	msg->ifa_prefixlen = prefix->len;
	msg->ifa_index = (unsigned)link->ifindex;
	if (!is_4 && !with_dad)
		msg->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(nlh, IFA_LOCAL, len, prefix->addr.bytes);
	mnl_attr_put(nlh, IFA_ADDRESS, len, prefix->addr.bytes);
	if (is_4 && prefix->len < 31)
		broadcast_put(nlh, prefix);
	return nlh;
}

int addr_add(struct netlink *netlink, const struct link *link, const struct prefix *prefix,
	bool with_dad, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER], undo_buffer[NETLINK_BUFFER];
	struct nlmsghdr *nlh = message(buffer, RTM_NEWADDR, link, prefix, with_dad);
	struct nlmsghdr *undo = message(undo_buffer, RTM_DELADDR, link, prefix, with_dad);
	char says[200], text[PREFIX_TEXT], doing[PREFIX_TEXT + 8] = "add ";
	int error = netlink_change(netlink, nlh, undo, says, sizeof(says));

	prefix_text(prefix, text);
	if (error == -EACCES || (error == -EOPNOTSUPP && prefix->addr.family == FAMILY_6))
		return refuse(why, -error,
			"%s: cannot add %s: IPv6 is switched off there (sysctl "
			"net.ipv6.conf.all.disable_ipv6=0)",
			link->name, text);
	if (error == -EEXIST)
		return refuse(why, EEXIST,
			"%s: has the address %s already (see it: ip addr show %s)", link->name,
			text, link->name);
	return error ? netlink_refuse(why, error, link->name, strcat(doing, text), says) : 0;
}

int addr_del(struct netlink *netlink, const struct link *link, const struct prefix *prefix,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct nlmsghdr *nlh = message(buffer, RTM_DELADDR, link, prefix, false);
	char says[200] = "", text[PREFIX_TEXT], doing[PREFIX_TEXT + 8] = "delete ";
	unsigned lost = prefix->addr.family == FAMILY_4 ? RESTORE_ADDR4 : RESTORE_ADDR6;
	/* With a last address its routes go too. */
	int error = restore_link(netlink, link, lost | RESTORE_ROUTES);

	if (!error)
		error = netlink_change(netlink, nlh, NULL, says, sizeof(says));

	prefix_text(prefix, text);
	if (error == -EADDRNOTAVAIL)
		return refuse(why, EADDRNOTAVAIL,
			"%s: has no address %s (see its own: ip addr show %s)", link->name, text,
			link->name);
	return error ? netlink_refuse(why, error, link->name, strcat(doing, text), says) : 0;
}

/* IFA_LOCAL is ours where IFA_ADDRESS is the other end of a point-to-point link. */
static const struct nlattr *local_find(
	const struct nlmsghdr *nlh, const struct ifaddrmsg *msg, struct addr_entry *entry)
{
	const struct nlattr *attr, *best = NULL;

	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !best))
			best = attr;
		if (type == IFA_FLAGS)
			entry->flags = mnl_attr_get_u32(attr);
	}
	return best;
}

static int addr_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct found *found = arg;
	struct addr_entry entry = {
		.ifindex = (int)msg->ifa_index, .scope = msg->ifa_scope, .flags = msg->ifa_flags
	};
	size_t len = msg->ifa_family == AF_INET ? 4 : 16;

	if (found->wanted && entry.ifindex != (int)found->wanted)
		return MNL_CB_OK;
	const struct nlattr *local = local_find(nlh, msg, &entry);

	if (!local || mnl_attr_get_payload_len(local) != len)
		return MNL_CB_OK;
	entry.addr.addr.family = len == 4 ? FAMILY_4 : FAMILY_6;
	entry.addr.len = msg->ifa_prefixlen;
	memcpy(entry.addr.addr.bytes, mnl_attr_get_payload(local), len);
	return found_add(found, &entry);
}

int addr_list(struct netlink *netlink, int ifindex, struct addr_entry **out, unsigned *count)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifaddrmsg *msg;
	struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETADDR, 0, sizeof(*msg), (void **)&msg);
	struct found found = { .size = sizeof(**out), .wanted = (uint32_t)ifindex };
	int error = found_dump(netlink, nlh, addr_read, &found);

	if (error)
		return error;
	*out = found.records;
	*count = found.count;
	return 0;
}
