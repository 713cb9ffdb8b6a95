/* SPDX-License-Identifier: MIT */
/* Adds, deletes, lists and asks for routes. */
#include "host/netlink/route.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/netlink/addr.h"
#include "host/netlink/found.h"
#include "host/netlink/restore.h"

static void addr_put(struct nlmsghdr *nlh, uint16_t type, const struct addr *addr)
{
	if (addr->family)
		mnl_attr_put(nlh, type, family_bytes(addr->family), addr->bytes);
}

/* RFC-less but iproute2's way: a route without gateway is of the link, a local one of the host. */
static uint8_t scope_of(const struct route *route)
{
	if (route->scope >= 0)
		return (uint8_t)route->scope;
	if (route->dst.addr.family == FAMILY_6)
		return RT_SCOPE_UNIVERSE;
	if (route->kind == RTN_LOCAL)
		return RT_SCOPE_HOST;
	if (route->hop_count && route->hops[0].via.family)
		return RT_SCOPE_UNIVERSE;
	return route->hop_count ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static void hops_put(struct nlmsghdr *nlh, const struct route *route)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, RTA_MULTIPATH);

	for (unsigned i = 0; i < route->hop_count; i++) {
		const struct route_hop *hop = &route->hops[i];
		struct rtnexthop *nh = (struct rtnexthop *)mnl_nlmsg_get_payload_tail(nlh);

		mnl_nlmsg_put_extra_header(nlh, sizeof(*nh));
		nh->rtnh_ifindex = hop->ifindex;
		nh->rtnh_hops = (uint8_t)(hop->weight ? hop->weight - 1 : 0);
		addr_put(nlh, RTA_GATEWAY, &hop->via);
		nh->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(nlh) - (char *)nh);
	}
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *message(void *buffer, uint16_t type, const struct route *route)
{
	uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct rtmsg *msg;
	struct nlmsghdr *nlh = netlink_request(buffer, type, flags, sizeof(*msg), (void **)&msg);
	uint32_t table = route->table ? route->table : RT_TABLE_MAIN;

	msg->rtm_family = route->dst.addr.family == FAMILY_4 ? AF_INET : AF_INET6;
	msg->rtm_dst_len = route->dst.len;
	msg->rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC;
	msg->rtm_protocol = type == RTM_NEWROUTE ? RTPROT_BOOT : RTPROT_UNSPEC;
	msg->rtm_scope = type == RTM_NEWROUTE ? scope_of(route) : RT_SCOPE_NOWHERE;
	msg->rtm_type = route->kind ? route->kind : RTN_UNICAST;
	if (route->dst.len)
		addr_put(nlh, RTA_DST, &route->dst.addr);
	addr_put(nlh, RTA_PREFSRC, &route->src);
	if (table >= 256)
		mnl_attr_put_u32(nlh, RTA_TABLE, table);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->hop_count > 1) {
		hops_put(nlh, route);
	} else if (route->hop_count) {
		addr_put(nlh, RTA_GATEWAY, &route->hops[0].via);
		if (route->hops[0].ifindex)
			mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)route->hops[0].ifindex);
	}
	return nlh;
}

static int route_refuse(struct refusal *why, int error, const struct route *route,
	const char *doing, const char *says)
{
	char what[PREFIX_TEXT + 8] = "route ", text[PREFIX_TEXT];

	strcat(what, route->dst.len ? prefix_text(&route->dst, text) : "default");
	if (error == -EEXIST)
		return refuse(
			why, EEXIST, "%s: there is one already (see it: ip route show)", what);
	if (error == -ESRCH)
		return refuse(
			why, ESRCH, "%s: there is no such route (see them: ip route show)", what);
	if (error == -ENETUNREACH)
		return refuse(why, ENETUNREACH,
			"%s: its gateway is not reachable by a link that is up%s%s", what,
			says[0] ? ": " : "", says);
	if (error == -ENETDOWN)
		return refuse(why, ENETDOWN, "%s: the link is down (set it up first)", what);
	if (error == -EINVAL && !says[0])
		says = "are bits set beyond the prefix length?";
	return netlink_refuse(why, error, what, doing, says);
}

int route_add(struct netlink *netlink, const struct route *route, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER], undo_buffer[NETLINK_BUFFER];
	char says[200];
	int error = netlink_change(netlink, message(buffer, RTM_NEWROUTE, route),
		message(undo_buffer, RTM_DELROUTE, route), says, sizeof(says));

	return error ? route_refuse(why, error, route, "be added", says) : 0;
}

static void addr_take(struct addr *out, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len != 4 && len != 16)
		return;
	out->family = len == 4 ? FAMILY_4 : FAMILY_6;
	memcpy(out->bytes, mnl_attr_get_payload(attr), len);
}

/* RTA_MULTIPATH holds rtnexthop structures, each followed by its attributes. */
static void hops_take(struct route *route, const struct nlattr *multipath)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);

	while (left >= sizeof(*nh) && nh->rtnh_len >= sizeof(*nh) && nh->rtnh_len <= left &&
		route->hop_count < ROUTE_HOPS) {
		struct route_hop *hop = &route->hops[route->hop_count++];
		const struct nlattr *attr;

		*hop = (struct route_hop){ .ifindex = nh->rtnh_ifindex,
			.weight = (uint16_t)(nh->rtnh_hops + 1) };
		mnl_attr_for_each_payload(
			(const void *)((const char *)nh + sizeof(*nh)), nh->rtnh_len - sizeof(*nh))
		{
			if (mnl_attr_get_type(attr) == RTA_GATEWAY)
				addr_take(&hop->via, attr);
		}
		size_t step = (nh->rtnh_len + 3u) & ~3u;

		left = step < left ? left - step : 0;
		nh = (const struct rtnexthop *)((const char *)nh + step);
	}
}

static void attr_take(struct route *route, struct route_hop *hop, const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		addr_take(&route->dst.addr, attr);
		break;
	case RTA_PREFSRC:
		addr_take(&route->src, attr);
		break;
	case RTA_GATEWAY:
		addr_take(&hop->via, attr);
		break;
	case RTA_OIF:
		hop->ifindex = (int)mnl_attr_get_u32(attr);
		break;
	case RTA_TABLE:
		route->table = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		route->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_MULTIPATH:
		hops_take(route, attr);
		break;
	}
}

static void route_take(struct route *route, const struct nlmsghdr *nlh)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct route_hop hop = { 0 };
	const struct nlattr *attr;

	*route = (struct route){ .table = msg->rtm_table,
		.scope = msg->rtm_scope,
		.kind = msg->rtm_type,
		.protocol = msg->rtm_protocol };
	route->dst.addr.family = msg->rtm_family == AF_INET ? FAMILY_4 : FAMILY_6;
	route->dst.len = msg->rtm_dst_len;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) attr_take(route, &hop, attr);
	if (!route->hop_count && (hop.ifindex || hop.via.family)) {
		route->hops[0] = hop;
		route->hop_count = 1;
	}
}

/* Is it the route that the kernel deletes when told so much of it? */
static bool is_meant(const struct nlmsghdr *nlh, const void *arg)
{
	const struct route *meant = arg;
	const struct route_hop *hop = &meant->hops[0];
	struct route route;

	route_take(&route, nlh);
	if (route.dst.addr.family != meant->dst.addr.family || route.dst.len != meant->dst.len ||
		(route.dst.len && !addr_equal(&route.dst.addr, &meant->dst.addr)) ||
		route.table != (meant->table ? meant->table : RT_TABLE_MAIN) ||
		route.kind != (meant->kind ? meant->kind : RTN_UNICAST) ||
		(meant->metric && route.metric != meant->metric))
		return false;
	return meant->hop_count != 1 ||
	       ((!hop->ifindex || hop->ifindex == route.hops[0].ifindex) &&
		       (!hop->via.family || addr_equal(&hop->via, &route.hops[0].via)));
}

int route_del(struct netlink *netlink, const struct route *route, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	char says[200] = "";
	int error = restore_route(netlink, is_meant, route);

	if (!error)
		error = netlink_change(
			netlink, message(buffer, RTM_DELROUTE, route), NULL, says, sizeof(says));
	return error ? route_refuse(why, error, route, "be deleted", says) : 0;
}

static int route_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct found *found = arg;
	struct route route;

	if ((msg->rtm_family != AF_INET && msg->rtm_family != AF_INET6) ||
		(msg->rtm_flags & RTM_F_CLONED))
		return MNL_CB_OK;
	route_take(&route, nlh);
	if (found->wanted && route.table != found->wanted)
		return MNL_CB_OK;
	return found_add(found, &route);
}

int route_list(struct netlink *netlink, uint32_t table, struct route **out, unsigned *count)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct rtmsg *msg;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_GETROUTE, 0, sizeof(*msg), (void **)&msg);
	struct found found = { .size = sizeof(**out), .wanted = table };
	int error = found_dump(netlink, nlh, route_read, &found);

	if (error)
		return error;
	*out = found.records;
	*count = found.count;
	return 0;
}

static int route_got(const struct nlmsghdr *nlh, void *arg)
{
	route_take(arg, nlh);
	return MNL_CB_OK;
}

/* What an address on a link routes by itself: it to the host, its prefix to the link. */
static void address_routes(
	struct netlink *netlink, const struct addr *dst, struct route *best, int *best_len)
{
	struct addr_entry *entries;
	unsigned count;

	if (addr_list(netlink, 0, &entries, &count))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct prefix *held = &entries[i].addr;
		bool is_local = addr_equal(&held->addr, dst);

		if (!prefix_contains(held, dst->family, dst->bytes) || held->len <= *best_len)
			continue;
		*best = (struct route){ .dst = *held,
			.src = held->addr,
			.hop_count = 1,
			.hops = { { .ifindex = entries[i].ifindex } },
			.kind = is_local ? RTN_LOCAL : RTN_UNICAST,
			.table = is_local ? RT_TABLE_LOCAL : RT_TABLE_MAIN };
		*best_len = is_local ? 129 : held->len;
	}
	free(entries);
}

/* Where no kernel answers: the longest prefix of what was recorded. */
static bool route_find(struct netlink *netlink, const struct addr *dst, struct route *out)
{
	struct route *routes;
	unsigned count;
	int best_len = -1;

	if (route_list(netlink, 0, &routes, &count))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!prefix_contains(&routes[i].dst, dst->family, dst->bytes) ||
			routes[i].dst.len <= best_len)
			continue;
		*out = routes[i];
		best_len = routes[i].dst.len;
	}
	free(routes);
	address_routes(netlink, dst, out, &best_len);
	return best_len >= 0;
}

int route_get(struct netlink *netlink, const struct addr *dst, const struct addr *src,
	struct route *out, struct refusal *why)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct rtmsg *msg;
	struct nlmsghdr *nlh =
		netlink_request(buffer, RTM_GETROUTE, 0, sizeof(*msg), (void **)&msg);
	char text[ADDR_TEXT];

	msg->rtm_family = dst->family == FAMILY_4 ? AF_INET : AF_INET6;
	msg->rtm_dst_len = (uint8_t)(8 * family_bytes(dst->family));
	addr_put(nlh, RTA_DST, dst);
	if (src->family) {
		msg->rtm_src_len = msg->rtm_dst_len;
		addr_put(nlh, RTA_SRC, src);
	}
	msg->rtm_flags = RTM_F_LOOKUP_TABLE; /* else every answer says that it is of main */
	nlh->nlmsg_seq = ++netlink->seq;
	addr_text(dst, text);
	if (!netlink->socket)
		return route_find(netlink, dst, out)
			       ? 0
			       : refuse(why, ENETUNREACH, "route to %s: there is none", text);
	if (mnl_socket_sendto(netlink->socket, nlh, nlh->nlmsg_len) < 0)
		return refuse(why, EIO, "route to %s: cannot ask the kernel", text);
	ssize_t n = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));

	if (n < 0 || mnl_cb_run(buffer, (size_t)n, netlink->seq,
			     mnl_socket_get_portid(netlink->socket), route_got, out) < 0) {
		int error = errno;

		return refuse(why, error, "route to %s: %s (add one: mt.route.add or ip route add)",
			text, error == ENETUNREACH ? "there is none" : strerror(error));
	}
	return 0;
}

const char *route_action_text(uint8_t action)
{
	static const char *const words[] = { [FR_ACT_TO_TBL] = "lookup",
		[FR_ACT_GOTO] = "goto",
		[FR_ACT_NOP] = "nop",
		[FR_ACT_BLACKHOLE] = "blackhole",
		[FR_ACT_UNREACHABLE] = "unreachable",
		[FR_ACT_PROHIBIT] = "prohibit" };

	return action < sizeof(words) / sizeof(words[0]) && words[action] ? words[action] : "?";
}

static int rule_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct fib_rule_hdr *hdr = mnl_nlmsg_get_payload(nlh);
	struct found *found = arg;
	struct route_rule rule = { .table = hdr->table,
		.action = hdr->action,
		.family = hdr->family == AF_INET ? FAMILY_4 : FAMILY_6 };
	const struct nlattr *attr;

	if (hdr->family != AF_INET && hdr->family != AF_INET6)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*hdr))
	{
		switch (mnl_attr_get_type(attr)) {
		case FRA_PRIORITY:
			rule.priority = mnl_attr_get_u32(attr);
			break;
		case FRA_TABLE:
			rule.table = mnl_attr_get_u32(attr);
			break;
		case FRA_SRC:
			addr_take(&rule.src.addr, attr);
			rule.src.len = hdr->src_len;
			break;
		case FRA_DST:
			addr_take(&rule.dst.addr, attr);
			rule.dst.len = hdr->dst_len;
			break;
		}
	}
	return found_add(found, &rule);
}

int route_rules(struct netlink *netlink, struct route_rule **out, unsigned *count)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct fib_rule_hdr *hdr;
	struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETRULE, 0, sizeof(*hdr), (void **)&hdr);
	struct found found = { .size = sizeof(**out) };
	int error = found_dump(netlink, nlh, rule_read, &found);

	if (error)
		return error;
	*out = found.records;
	*count = found.count;
	return 0;
}

int route_overlap(
	struct netlink *netlink, const struct prefix *prefix, struct prefix *taken, int *ifindex)
{
	struct route *routes;
	unsigned count;
	int error = route_list(netlink, RT_TABLE_MAIN, &routes, &count);
	int found = 0;

	if (error)
		return error;
	for (unsigned i = 0; i < count && !found; i++) {
		if (!routes[i].dst.len || !routes[i].hop_count ||
			!prefix_overlap(&routes[i].dst, prefix))
			continue;
		*taken = routes[i].dst;
		*ifindex = routes[i].hops[0].ifindex;
		found = 1;
	}
	free(routes);
	return found;
}
