/* SPDX-License-Identifier: MIT */
/* Reads back what a link has, as the messages that would make it. */
#include "host/netlink/restore.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct notes {
	int ifindex;
	unsigned what;
	bool (*is_meant)(const struct nlmsghdr *nlh, const void *arg);
	const void *arg;
	struct nlmsghdr **messages; /* malloc'ed, in the order in which they are to be made again */
	unsigned count, start;
};

static int note_add(struct notes *notes, const struct nlmsghdr *nlh)
{
	struct nlmsghdr **more =
		realloc(notes->messages, (notes->count + 1) * sizeof(*notes->messages));

	if (!more)
		return MNL_CB_ERROR;
	notes->messages = more;
	more[notes->count] = malloc(nlh->nlmsg_len);
	if (!more[notes->count])
		return MNL_CB_ERROR;
	memcpy(more[notes->count], nlh, nlh->nlmsg_len);
	more[notes->count]->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
	notes->count++;
	return MNL_CB_OK;
}

static int addr_note(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct notes *notes = arg;
	unsigned kind = msg->ifa_family == AF_INET ? RESTORE_ADDR4 : RESTORE_ADDR6;

	if ((int)msg->ifa_index != notes->ifindex || !(notes->what & kind))
		return MNL_CB_OK;
	return note_add(notes, nlh);
}

static bool is_hop_of(const struct nlattr *multipath, int ifindex)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);

	while (left >= sizeof(*nh) && nh->rtnh_len >= sizeof(*nh) && nh->rtnh_len <= left) {
		size_t step = RTNH_ALIGN(nh->rtnh_len);

		if (nh->rtnh_ifindex == ifindex)
			return true;
		left = step < left ? left - step : 0;
		nh = (const struct rtnexthop *)((const char *)nh + step);
	}
	return false;
}

static bool route_is_by(const struct nlmsghdr *nlh, int ifindex)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF && (int)mnl_attr_get_u32(attr) == ifindex)
			return true;
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH && is_hop_of(attr, ifindex))
			return true;
	}
	return false;
}

static int route_note(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct notes *notes = arg;
	bool is_made = msg->rtm_protocol != RTPROT_KERNEL && msg->rtm_protocol != RTPROT_RA &&
		       !(msg->rtm_flags & RTM_F_CLONED);

	if ((msg->rtm_family != AF_INET && msg->rtm_family != AF_INET6) || !is_made)
		return MNL_CB_OK;
	if (notes->is_meant) {
		if (notes->count || !notes->is_meant(nlh, notes->arg))
			return MNL_CB_OK;
	} else if (!route_is_by(nlh, notes->ifindex)) {
		return MNL_CB_OK;
	}
	if (note_add(notes, nlh) < 0)
		return MNL_CB_ERROR;
	/* How the link is just now is refused as a property of the route. */
	struct rtmsg *kept = mnl_nlmsg_get_payload(notes->messages[notes->count - 1]);

	kept->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	return MNL_CB_OK;
}

static int neigh_note(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct notes *notes = arg;

	if (msg->ndm_ifindex != notes->ifindex || !(msg->ndm_state & NUD_PERMANENT) ||
		(msg->ndm_family != AF_INET && msg->ndm_family != AF_INET6))
		return MNL_CB_OK;
	return note_add(notes, nlh);
}

/* An interrupted dump starts again: what came before this dump stays. */
static void notes_restart(void *arg)
{
	struct notes *notes = arg;

	while (notes->count > notes->start)
		free(notes->messages[--notes->count]);
}

static int notes_dump(
	struct netlink *netlink, struct notes *notes, uint16_t type, size_t header, mnl_cb_t each)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	void *unspecified;
	struct nlmsghdr *nlh = netlink_request(buffer, type, 0, header, &unspecified);

	notes->start = notes->count;
	return netlink_dump(netlink, nlh, each, notes_restart, notes);
}

static int state_note(struct notes *notes, const struct link *link)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct ifinfomsg *info;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_NEWLINK, 0, sizeof(*info), (void **)&info);

	info->ifi_index = link->ifindex;
	info->ifi_change = IFF_UP;
	info->ifi_flags = link->is_up ? IFF_UP : 0;
	if (link->master)
		mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)link->master);
	if (note_add(notes, nlh) < 0)
		return -ENOMEM;
	notes->messages[notes->count - 1]->nlmsg_flags = NLM_F_REQUEST;
	return 0;
}

/* A gateway must be reachable when its route is made: routes of the link go first. */
static bool has_gateway(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg))
	{
		if (mnl_attr_get_type(attr) == RTA_GATEWAY ||
			mnl_attr_get_type(attr) == RTA_MULTIPATH)
			return true;
	}
	return false;
}

/* Undos run backwards: the last to be made is noted first. */
static int notes_send(struct netlink *netlink, const struct notes *notes)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	int error = 0;
	char says[8];

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = notes->count; !error && i-- > 0;) {
			/* The kernel acknowledges it and does nothing. */
			struct nlmsghdr *nothing = mnl_nlmsg_put_header(buffer);

			if (has_gateway(notes->messages[i]) != (pass == 0))
				continue;
			nothing->nlmsg_type = NLMSG_NOOP;
			nothing->nlmsg_flags = NLM_F_REQUEST;
			error = netlink_change(
				netlink, nothing, notes->messages[i], says, sizeof(says));
		}
	}
	return error;
}

static void notes_free(struct notes *notes)
{
	notes->start = 0;
	notes_restart(notes);
	free(notes->messages);
}

int restore_link(struct netlink *netlink, const struct link *link, unsigned what)
{
	struct notes notes = { .ifindex = link->ifindex, .what = what };
	int error = 0;

	if (!netlink->carrier)
		return 0;
	if (what & RESTORE_STATE)
		error = state_note(&notes, link);
	if (!error && what & (RESTORE_ADDR4 | RESTORE_ADDR6))
		error = notes_dump(
			netlink, &notes, RTM_GETADDR, sizeof(struct ifaddrmsg), addr_note);
	if (!error && what & RESTORE_ROUTES)
		error = notes_dump(netlink, &notes, RTM_GETROUTE, sizeof(struct rtmsg), route_note);
	if (!error && what & RESTORE_NEIGHS)
		error = notes_dump(netlink, &notes, RTM_GETNEIGH, sizeof(struct ndmsg), neigh_note);
	if (!error)
		error = notes_send(netlink, &notes);
	notes_free(&notes);
	return error;
}

int restore_route(struct netlink *netlink,
	bool (*is_meant)(const struct nlmsghdr *nlh, const void *arg), const void *arg)
{
	struct notes notes = { .is_meant = is_meant, .arg = arg };

	if (!netlink->carrier)
		return 0;
	int error = notes_dump(netlink, &notes, RTM_GETROUTE, sizeof(struct rtmsg), route_note);

	if (!error)
		error = notes_send(netlink, &notes);
	notes_free(&notes);
	return error;
}
