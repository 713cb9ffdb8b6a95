/* SPDX-License-Identifier: MIT */
/* Says a netlink message in the words of iproute2. */
#include "host/engine/explain.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host/base/prefix.h"
#include "host/base/text.h"
#include "host/netlink/link.h"
#include "host/netlink/route.h"

/* `word`, here and below: what the command line says before it. */
static void link_name_add(struct text *out, const char *word, struct netlink *netlink, int ifindex)
{
	struct link link;

	if (!link_get(netlink, NULL, ifindex, &link, NULL))
		text_add(out, "%s%s", word, link.name);
	else
		text_add(out, "%sif%d", word, ifindex);
}

static void addr_add_text(struct text *out, const char *word, const struct nlattr *attr)
{
	struct addr addr = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);
	char text[ADDR_TEXT];

	addr.family = len == 4 ? FAMILY_4 : FAMILY_6;
	memcpy(addr.bytes, mnl_attr_get_payload(attr), len <= 16 ? len : 16);
	text_add(out, "%s%s", word, addr_text(&addr, text));
}

static void mac_add_text(struct text *out, const char *word, const struct nlattr *attr)
{
	const uint8_t *mac = mnl_attr_get_payload(attr);

	text_add(out, "%s%02x:%02x:%02x:%02x:%02x:%02x", word, mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
}

static void peer_add(struct text *out, const struct nlattr *peer)
{
	const struct ifinfomsg *header = mnl_attr_get_payload(peer);
	const struct nlattr *attr;

	mnl_attr_for_each_payload(
		(const void *)(header + 1), mnl_attr_get_payload_len(peer) - sizeof(*header))
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			text_add(out, " peer name %s", mnl_attr_get_str(attr));
	}
}

static void data_add(struct text *out, const struct nlattr *data, const char *kind)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data)
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (!strcmp(kind, "vxlan") && type == IFLA_VXLAN_ID)
			text_add(out, " id %u", mnl_attr_get_u32(attr));
		if (!strcmp(kind, "vxlan") && type == IFLA_VXLAN_PORT)
			text_add(out, " dstport %u", __builtin_bswap16(mnl_attr_get_u16(attr)));
		if (!strcmp(kind, "veth") && type == VETH_INFO_PEER)
			peer_add(out, attr);
	}
}

static void info_add(struct text *out, const struct nlattr *info)
{
	const struct nlattr *attr, *data = NULL;
	char kind[LINK_NAME] = "";

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			snprintf(kind, sizeof(kind), "%.*s", (int)mnl_attr_get_payload_len(attr),
				(const char *)mnl_attr_get_payload(attr));
		if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	text_add(out, " type %s", kind);
	if (data)
		data_add(out, data, kind);
}

static void link_attr_add(
	struct text *out, struct netlink *netlink, const struct nlattr *attr, bool is_new)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		text_add(out, is_new ? " %s" : " name %s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		text_add(out, " mtu %u", mnl_attr_get_u32(attr));
		break;
	case IFLA_ADDRESS:
		mac_add_text(out, " address ", attr);
		break;
	case IFLA_LINK:
		link_name_add(out, " link ", netlink, (int)mnl_attr_get_u32(attr));
		break;
	case IFLA_MASTER:
		if (!mnl_attr_get_u32(attr)) {
			text_add(out, " nomaster");
			break;
		}
		link_name_add(out, " master ", netlink, (int)mnl_attr_get_u32(attr));
		break;
	case IFLA_LINKINFO:
		info_add(out, attr);
		break;
	}
}

static void link_explain(
	struct text *out, struct netlink *netlink, const struct netlink_change *change)
{
	const struct nlmsghdr *nlh = change->request;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	bool is_new = nlh->nlmsg_flags & NLM_F_CREATE;
	const struct nlattr *attr;

	if (is_new) {
		text_add(out, " link add");
	} else {
		link_name_add(out, nlh->nlmsg_type == RTM_DELLINK ? " link del " : " link set ",
			netlink, info->ifi_index);
	}
	if (info->ifi_change & IFF_UP)
		text_add(out, info->ifi_flags & IFF_UP ? " up" : " down");
	mnl_attr_for_each(attr, nlh, sizeof(*info)) link_attr_add(out, netlink, attr, is_new);
	if (change->to_netns)
		text_add(out, " netns %s", change->to_netns[0] ? change->to_netns : "1");
}

static void addr_explain(struct text *out, struct netlink *netlink, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	text_add(out, nlh->nlmsg_type == RTM_NEWADDR ? " addr add " : " addr del ");
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			addr_add_text(out, "", attr);
	}
	text_add(out, "/%u", msg->ifa_prefixlen);
	link_name_add(out, " dev ", netlink, (int)msg->ifa_index);
	if ((msg->ifa_flags & IFA_F_NODAD) && nlh->nlmsg_type == RTM_NEWADDR)
		text_add(out, " nodad");
}

static void hops_explain(struct text *out, struct netlink *netlink, const struct nlattr *multipath)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(multipath);
	int left = mnl_attr_get_payload_len(multipath);

	for (; RTNH_OK(nh, left); left -= nh->rtnh_len, nh = RTNH_NEXT(nh)) {
		const struct nlattr *attr;

		text_add(out, " nexthop");
		mnl_attr_for_each_payload(
			(const void *)((const char *)nh + sizeof(*nh)), nh->rtnh_len - sizeof(*nh))
		{
			if (mnl_attr_get_type(attr) != RTA_GATEWAY)
				continue;
			addr_add_text(out, " via ", attr);
		}
		if (nh->rtnh_ifindex) {
			link_name_add(out, " dev ", netlink, nh->rtnh_ifindex);
		}
		text_add(out, " weight %u", nh->rtnh_hops + 1u);
	}
}

static void route_attr_add(struct text *out, struct netlink *netlink, const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_GATEWAY:
		addr_add_text(out, " via ", attr);
		break;
	case RTA_OIF:
		link_name_add(out, " dev ", netlink, (int)mnl_attr_get_u32(attr));
		break;
	case RTA_PREFSRC:
		addr_add_text(out, " src ", attr);
		break;
	case RTA_PRIORITY:
		text_add(out, " metric %u", mnl_attr_get_u32(attr));
		break;
	case RTA_TABLE:
		text_add(out, " table %u", mnl_attr_get_u32(attr));
		break;
	case RTA_MULTIPATH:
		hops_explain(out, netlink, attr);
		break;
	}
}

static void route_explain(struct text *out, struct netlink *netlink, const struct nlmsghdr *nlh)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *dst = NULL;
	char word[ROUTE_WORD];

	text_add(out, nlh->nlmsg_type == RTM_NEWROUTE ? " route add " : " route del ");
	if (msg->rtm_type != RTN_UNICAST)
		text_add(out, "%s ", route_kind_text(msg->rtm_type, word));
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) dst =
		mnl_attr_get_type(attr) == RTA_DST ? attr : dst;
	if (dst) {
		addr_add_text(out, "", dst);
		text_add(out, "/%u", msg->rtm_dst_len);
	} else {
		text_add(out, "default");
	}
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) route_attr_add(out, netlink, attr);
	if (msg->rtm_table != RT_TABLE_MAIN && msg->rtm_table != RT_TABLE_UNSPEC)
		text_add(out, " table %s", route_table_text(msg->rtm_table, word));
}

static void neigh_explain(struct text *out, struct netlink *netlink, const struct nlmsghdr *nlh)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	text_add(out, nlh->nlmsg_type == RTM_NEWNEIGH ? " neigh replace " : " neigh del ");
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == NDA_DST)
			addr_add_text(out, "", attr);
		if (mnl_attr_get_type(attr) == NDA_LLADDR) {
			mac_add_text(out, " lladdr ", attr);
		}
	}
	link_name_add(out, " dev ", netlink, msg->ndm_ifindex);
}

void explain_change(
	struct netlink *netlink, const struct netlink_change *change, char *out, size_t room)
{
	struct text text;

	text_init(&text, out, room);
	text_add(&text, "ip");
	if (change->netns[0])
		text_add(&text, " -n %s", change->netns);
	switch (change->request->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_explain(&text, netlink, change);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		addr_explain(&text, netlink, change->request);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		route_explain(&text, netlink, change->request);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neigh_explain(&text, netlink, change->request);
		break;
	}
}

void explain_sysctl(const char *netns, const char *path, const char *value, char *out, size_t room)
{
	struct text text;

	text_init(&text, out, room);
	if (netns[0])
		text_add(&text, "ip netns exec %s ", netns);
	/* With dots, as people write it, unless a device's name has one. */
	text_add(&text, "sysctl -w ");
	for (const char *c = path; *c; c++)
		text_add(&text, "%c", *c == '/' && !strchr(path, '.') ? '.' : *c);
	text_add(&text, strpbrk(value, " \t") ? "=\"%s\"" : "=%s", value);
}
