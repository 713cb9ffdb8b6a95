/* SPDX-License-Identifier: MIT */
/* Adds, deletes and lists the kernel's neighbours. */
#include "host/netlink/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/netlink/found.h"

static struct nlmsghdr *message(void *buffer, uint16_t type, int ifindex, const struct neigh *neigh)
{
	uint16_t flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct ndmsg *msg;
	struct nlmsghdr *nlh = netlink_request(buffer, type, flags, sizeof(*msg), (void **)&msg);

	msg->ndm_family = neigh->dst.family == FAMILY_4 ? AF_INET : AF_INET6;
	msg->ndm_ifindex = ifindex;
	msg->ndm_state = neigh->state;
	mnl_attr_put(nlh, NDA_DST, family_bytes(neigh->dst.family), neigh->dst.bytes);
	if (neigh->has_lladdr)
		mnl_attr_put(nlh, NDA_LLADDR, sizeof(neigh->lladdr), neigh->lladdr);
	return nlh;
}

/* The entry that is there now. */
static bool neigh_find(
	struct netlink *netlink, int ifindex, const struct addr *dst, struct neigh *out)
{
	struct neigh *entries;
	unsigned count;
	bool is_found = false;

	if (neigh_list(netlink, ifindex, &entries, &count))
		return false;
	for (unsigned i = 0; i < count && !is_found; i++) {
		is_found = addr_equal(&entries[i].dst, dst) && entries[i].has_lladdr;
		if (is_found)
			*out = entries[i];
	}
	free(entries);
	return is_found;
}

int neigh_add(struct netlink *netlink, const struct link *link, const struct neigh *neigh,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER], undo_buffer[NETLINK_BUFFER];
	struct neigh old, now = *neigh;
	bool was =
		neigh_find(netlink, link->ifindex, &neigh->dst, &old) && old.state == NUD_PERMANENT;
	char says[200], text[ADDR_TEXT];

	now.state = NUD_PERMANENT;
	int error = netlink_change(netlink, message(buffer, RTM_NEWNEIGH, link->ifindex, &now),
		was ? message(undo_buffer, RTM_NEWNEIGH, link->ifindex, &old)
		    : message(undo_buffer, RTM_DELNEIGH, link->ifindex, &now),
		says, sizeof(says));

	return error ? netlink_refuse(why, error, addr_text(&neigh->dst, text), "be added", says)
		     : 0;
}

int neigh_del(struct netlink *netlink, const struct link *link, const struct addr *dst,
	struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER], undo_buffer[NETLINK_BUFFER];
	struct neigh old, gone = { .dst = *dst };
	bool was = neigh_find(netlink, link->ifindex, dst, &old) && old.state == NUD_PERMANENT;
	char says[200], text[ADDR_TEXT];
	int error = netlink_change(netlink, message(buffer, RTM_DELNEIGH, link->ifindex, &gone),
		was ? message(undo_buffer, RTM_NEWNEIGH, link->ifindex, &old) : NULL, says,
		sizeof(says));

	addr_text(dst, text);
	if (error == -ENOENT)
		return refuse(why, ENOENT, "%s: %s knows no such neighbour (see them: ip neigh)",
			text, link->name);
	return error ? netlink_refuse(why, error, text, "be deleted", says) : 0;
}

static int neigh_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct found *found = arg;
	struct neigh entry = { .ifindex = msg->ndm_ifindex, .state = msg->ndm_state };
	size_t len = msg->ndm_family == AF_INET ? 4 : 16;
	const struct nlattr *attr;

	if (msg->ndm_family != AF_INET && msg->ndm_family != AF_INET6)
		return MNL_CB_OK;
	if (found->wanted && entry.ifindex != (int)found->wanted)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		size_t size = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NDA_DST && size == len) {
			entry.dst.family = len == 4 ? FAMILY_4 : FAMILY_6;
			memcpy(entry.dst.bytes, mnl_attr_get_payload(attr), len);
		}
		if (mnl_attr_get_type(attr) == NDA_LLADDR && size == sizeof(entry.lladdr)) {
			entry.has_lladdr = true;
			memcpy(entry.lladdr, mnl_attr_get_payload(attr), size);
		}
	}
	return found_add(found, &entry);
}

int neigh_list(struct netlink *netlink, int ifindex, struct neigh **out, unsigned *count)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ndmsg *msg;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_GETNEIGH, 0, sizeof(*msg), (void **)&msg);
	struct found found = { .size = sizeof(**out), .wanted = (uint32_t)ifindex };
	int error = found_dump(netlink, nlh, neigh_read, &found);

	if (error)
		return error;
	*out = found.records;
	*count = found.count;
	return 0;
}

const char *neigh_state_text(uint16_t state)
{
	switch (state) {
	case NUD_INCOMPLETE:
		return "incomplete";
	case NUD_REACHABLE:
		return "reachable";
	case NUD_STALE:
		return "stale";
	case NUD_DELAY:
		return "delay";
	case NUD_PROBE:
		return "probe";
	case NUD_FAILED:
		return "failed";
	case NUD_NOARP:
		return "noarp";
	case NUD_PERMANENT:
		return "permanent";
	}
	return "none";
}
