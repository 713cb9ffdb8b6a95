/* SPDX-License-Identifier: MIT */
/* Remembers links, addresses, routes and neighbours as the netlink messages that made them. */
#include "host/engine/record.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/changes.h"

enum { MESSAGE = 1024, DEFAULT_MTU = 1500, LO_MTU = 65536 };

/* One object: the RTM_NEW message that would list it. */
struct object {
	struct object *next;
	char netns[NETNS_NAME];
	_Alignas(struct nlmsghdr) char message[MESSAGE];
};

struct place {
	struct place *next;
	char name[NETNS_NAME];
};

struct record {
	struct object *objects; /* in the order of their making */
	struct place *places;
	struct changes changes;
	int last_ifindex;
};

static struct nlmsghdr *nlh_of(struct object *object)
{
	return (struct nlmsghdr *)object->message;
}

static struct object *object_add(struct record *record, const char *netns)
{
	struct object *object = calloc(1, sizeof(*object));
	struct object **last = &record->objects;

	if (!object)
		return NULL;
	snprintf(object->netns, sizeof(object->netns), "%s", netns);
	while (*last)
		last = &(*last)->next;
	*last = object;
	return object;
}

static void object_del(struct record *record, struct object *object)
{
	struct object **at = &record->objects;

	while (*at != object)
		at = &(*at)->next;
	*at = object->next;
	free(object);
}

static const struct nlattr *attr_find(const struct nlmsghdr *nlh, size_t header, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, header)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static bool same_attr(
	const struct nlmsghdr *a, const struct nlmsghdr *b, size_t header, uint16_t type)
{
	const struct nlattr *x = attr_find(a, header, type), *y = attr_find(b, header, type);

	if (!x || !y)
		return !x && !y;
	return x->nla_len == y->nla_len && !memcmp(mnl_attr_get_payload(x), mnl_attr_get_payload(y),
						   mnl_attr_get_payload_len(x));
}

static const struct ifinfomsg *info_of(struct object *object)
{
	return mnl_nlmsg_get_payload(nlh_of(object));
}

static struct object *link_by_index(struct record *record, const char *netns, int ifindex)
{
	for (struct object *o = record->objects; o; o = o->next) {
		if (nlh_of(o)->nlmsg_type == RTM_NEWLINK && !strcmp(o->netns, netns) &&
			info_of(o)->ifi_index == ifindex)
			return o;
	}
	return NULL;
}

static struct object *link_by_name(struct record *record, const char *netns, const char *name)
{
	for (struct object *o = record->objects; o; o = o->next) {
		if (nlh_of(o)->nlmsg_type != RTM_NEWLINK || strcmp(o->netns, netns))
			continue;
		const struct nlattr *attr =
			attr_find(nlh_of(o), sizeof(struct ifinfomsg), IFLA_IFNAME);

		if (attr && !strcmp(mnl_attr_get_str(attr), name))
			return o;
	}
	return NULL;
}

/* Replaces the attributes of `object` by those of `from` that it also has, and adds the rest. */
static void link_merge(struct object *object, const struct nlmsghdr *from)
{
	_Alignas(struct nlmsghdr) char old_bytes[MESSAGE];
	const struct nlmsghdr *old = (const struct nlmsghdr *)old_bytes;
	const size_t header = sizeof(struct ifinfomsg);
	struct nlmsghdr *nlh = nlh_of(object);
	const struct nlattr *attr;

	memcpy(old_bytes, object->message, sizeof(old_bytes));
	nlh->nlmsg_len = (uint32_t)(MNL_NLMSG_HDRLEN + MNL_ALIGN(header));
	mnl_attr_for_each(attr, old, header)
	{
		if (!attr_find(from, header, mnl_attr_get_type(attr)))
			mnl_attr_put(nlh, mnl_attr_get_type(attr), mnl_attr_get_payload_len(attr),
				mnl_attr_get_payload(attr));
	}
	mnl_attr_for_each(attr, from, header)
		mnl_attr_put(nlh, attr->nla_type & (uint16_t)~NLA_F_NET_BYTEORDER,
			mnl_attr_get_payload_len(attr), mnl_attr_get_payload(attr));
}

static int link_make(
	struct record *record, const char *netns, const char *name, const char *kind, int ifindex)
{
	struct object *object = object_add(record, netns);
	struct ifinfomsg *info;

	if (!object)
		return -ENOMEM;
	struct nlmsghdr *nlh =
		netlink_request(object->message, RTM_NEWLINK, 0, sizeof(*info), (void **)&info);
	uint8_t mac[6] = { 0x02, 0, 0, 0, (uint8_t)(ifindex >> 8), (uint8_t)ifindex };
	bool is_lo = !strcmp(name, "lo");

	record->last_ifindex = ifindex > record->last_ifindex ? ifindex : record->last_ifindex;
	info->ifi_index = ifindex;
	info->ifi_flags = is_lo ? IFF_UP | IFF_LOWER_UP : 0;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, is_lo ? LO_MTU : DEFAULT_MTU);
	if (strcmp(kind, "tun") && !is_lo)
		mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(mac), mac);
	if (kind[0]) {
		struct nlattr *nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);

		mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
		mnl_attr_nest_end(nlh, nest);
	}
	changes_add(&record->changes, netns, ifindex, false);
	return ifindex;
}

int record_link(struct record *record, const char *netns, const char *name, const char *kind)
{
	struct object *object = link_by_name(record, netns, name);

	if (object)
		return info_of(object)->ifi_index;
	return link_make(record, netns, name, kind, record->last_ifindex + 1);
}

/* The peer's name and index, from the message that makes a veth; "" if it is no veth. */
static void peer_read(const struct nlmsghdr *nlh, char *name, int *ifindex)
{
	const struct nlattr *info = attr_find(nlh, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	const struct nlattr *attr, *data = NULL, *peer = NULL;

	name[0] = '\0';
	if (!info)
		return;
	mnl_attr_for_each_nested(attr, info) data =
		mnl_attr_get_type(attr) == IFLA_INFO_DATA ? attr : data;
	if (!data)
		return;
	mnl_attr_for_each_nested(attr, data) peer =
		mnl_attr_get_type(attr) == VETH_INFO_PEER ? attr : peer;
	if (!peer || mnl_attr_get_payload_len(peer) < sizeof(struct ifinfomsg))
		return;
	const struct ifinfomsg *header = mnl_attr_get_payload(peer);

	*ifindex = header->ifi_index;
	mnl_attr_for_each_payload(
		(const void *)(header + 1), mnl_attr_get_payload_len(peer) - sizeof(*header))
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(name, IFNAMSIZ, "%s", mnl_attr_get_str(attr));
	}
}

static void peers_join(struct object *a, struct object *b)
{
	mnl_attr_put_u32(nlh_of(a), IFLA_LINK, (uint32_t)info_of(b)->ifi_index);
	mnl_attr_put_u32(nlh_of(b), IFLA_LINK, (uint32_t)info_of(a)->ifi_index);
}

static int link_new(struct record *record, const struct netlink_change *change)
{
	const struct nlmsghdr *nlh = change->request;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *name = attr_find(nlh, sizeof(*info), IFLA_IFNAME);
	char peer[IFNAMSIZ];
	int peer_index = 0;

	peer_read(nlh, peer, &peer_index);
	if (link_by_name(record, change->netns, mnl_attr_get_str(name)) ||
		(peer[0] && link_by_name(record, change->netns, peer)))
		return -EEXIST;
	if (link_make(record, change->netns, mnl_attr_get_str(name), "", info->ifi_index) < 0)
		return -ENOMEM;
	struct object *link = link_by_index(record, change->netns, info->ifi_index);

	link_merge(link, nlh);
	if (!peer[0])
		return 0;
	if (link_make(record, change->netns, peer, "veth", peer_index) < 0)
		return -ENOMEM;
	peers_join(link, link_by_index(record, change->netns, peer_index));
	return 0;
}

static int link_change(struct record *record, const struct netlink_change *change)
{
	struct ifinfomsg *asked = mnl_nlmsg_get_payload(change->request);
	struct object *link = link_by_index(record, change->netns, asked->ifi_index);

	if (!link)
		return -ENODEV;
	if (change->to_netns) {
		changes_add(&record->changes, link->netns, asked->ifi_index, true);
		snprintf(link->netns, sizeof(link->netns), "%s", change->to_netns);
	}
	changes_add(&record->changes, link->netns, asked->ifi_index, false);
	link_merge(link, change->request);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh_of(link));

	if (asked->ifi_change & IFF_UP)
		info->ifi_flags = asked->ifi_flags & IFF_UP ? IFF_UP | IFF_LOWER_UP : 0;
	return 0;
}

/* The link that an address, route or neighbour hangs on; 0: none. */
static int anchor_of(const struct nlmsghdr *nlh)
{
	const struct nlattr *oif;

	switch (nlh->nlmsg_type) {
	case RTM_NEWADDR:
		return (int)((const struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_index;
	case RTM_NEWNEIGH:
		return ((const struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_ifindex;
	case RTM_NEWROUTE:
		oif = attr_find(nlh, sizeof(struct rtmsg), RTA_OIF);
		return oif ? (int)mnl_attr_get_u32(oif) : 0;
	}
	return 0;
}

int record_link_del(struct record *record, const char *netns, int ifindex)
{
	struct object *link = link_by_index(record, netns, ifindex);

	if (!link)
		return -ENODEV;
	const struct nlattr *attr = attr_find(nlh_of(link), sizeof(struct ifinfomsg), IFLA_LINK);
	int peer = attr ? (int)mnl_attr_get_u32(attr) : 0;

	for (struct object *o = record->objects, *next; o; o = next) {
		next = o->next;
		if (!strcmp(o->netns, netns) && anchor_of(nlh_of(o)) == ifindex)
			object_del(record, o);
	}
	object_del(record, link);
	changes_add(&record->changes, netns, ifindex, true);
	/* The other end of a veth goes too, wherever it is. */
	for (struct object *o = record->objects; peer && o; o = o->next) {
		if (nlh_of(o)->nlmsg_type == RTM_NEWLINK && info_of(o)->ifi_index == peer &&
			attr_find(nlh_of(o), sizeof(struct ifinfomsg), IFLA_LINK)) {
			changes_add(&record->changes, o->netns, peer, true);
			object_del(record, o);
			break;
		}
	}
	return 0;
}

/* What tells objects of a kind apart. */
static bool is_same(const struct nlmsghdr *a, const struct nlmsghdr *b)
{
	switch (a->nlmsg_type) {
	case RTM_NEWADDR:
		return anchor_of(a) == anchor_of(b) &&
		       same_attr(a, b, sizeof(struct ifaddrmsg), IFA_LOCAL);
	case RTM_NEWNEIGH:
		return anchor_of(a) == anchor_of(b) &&
		       same_attr(a, b, sizeof(struct ndmsg), NDA_DST);
	}
	const struct rtmsg *x = mnl_nlmsg_get_payload(a), *y = mnl_nlmsg_get_payload(b);

	return x->rtm_family == y->rtm_family && x->rtm_dst_len == y->rtm_dst_len &&
	       x->rtm_table == y->rtm_table && same_attr(a, b, sizeof(*x), RTA_DST) &&
	       same_attr(a, b, sizeof(*x), RTA_PRIORITY);
}

/* An address, route or neighbour; type is that of its RTM_NEW message. */
static int entry_change(struct record *record, const struct netlink_change *change, uint16_t type)
{
	bool is_new = change->request->nlmsg_type == type;
	_Alignas(struct nlmsghdr) char bytes[MESSAGE];
	struct nlmsghdr *asked = (struct nlmsghdr *)bytes;
	struct object *found = record->objects;

	if (change->request->nlmsg_len > sizeof(bytes))
		return -E2BIG;
	memcpy(bytes, change->request, change->request->nlmsg_len);
	asked->nlmsg_type = type;
	while (found &&
		!(nlh_of(found)->nlmsg_type == type && !strcmp(found->netns, change->netns) &&
			is_same(nlh_of(found), asked)))
		found = found->next;
	if (found && is_new && (asked->nlmsg_flags & NLM_F_EXCL))
		return -EEXIST;
	if (!found && !is_new)
		return type == RTM_NEWADDR    ? -EADDRNOTAVAIL
		       : type == RTM_NEWROUTE ? -ESRCH
					      : -ENOENT;
	if (type == RTM_NEWADDR)
		changes_add(&record->changes, change->netns, anchor_of(asked), false);
	if (found)
		object_del(record, found);
	if (!is_new)
		return 0;
	if (anchor_of(asked) && !link_by_index(record, change->netns, anchor_of(asked)))
		return -ENODEV;
	struct object *object = object_add(record, change->netns);

	if (!object)
		return -ENOMEM;
	memcpy(object->message, bytes, asked->nlmsg_len);
	return 0;
}

int record_change(struct record *record, const struct netlink_change *change)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(change->request);

	switch (change->request->nlmsg_type) {
	case NLMSG_NOOP: /* carries an undo alone */
		return 0;
	case RTM_NEWLINK:
		if (change->request->nlmsg_flags & NLM_F_CREATE)
			return link_new(record, change);
		return link_change(record, change);
	case RTM_DELLINK:
		return record_link_del(record, change->netns, info->ifi_index);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return entry_change(record, change, RTM_NEWADDR);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return entry_change(record, change, RTM_NEWROUTE);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return entry_change(record, change, RTM_NEWNEIGH);
	}
	return -EOPNOTSUPP;
}

int record_dump(struct record *record, const char *netns, const struct nlmsghdr *request,
	mnl_cb_t each, void *arg)
{
	/* RTM_GETX = RTM_NEWX + 2, for every kind (rtnetlink.h). */
	uint16_t type = (uint16_t)(request->nlmsg_type - 2);

	for (struct object *o = record->objects; o; o = o->next) {
		if (nlh_of(o)->nlmsg_type == type && !strcmp(o->netns, netns) &&
			each(nlh_of(o), arg) < 0)
			return -ENOMEM;
	}
	return 0;
}

bool record_event_next(struct record *record, const char **netns, int *ifindex, bool *is_gone)
{
	return changes_next(&record->changes, netns, ifindex, is_gone);
}

struct record *record_new(void)
{
	struct record *record = calloc(1, sizeof(*record));

	if (record && record_link(record, "", "lo", "") < 0) {
		record_free(record);
		return NULL;
	}
	return record;
}

void record_free(struct record *record)
{
	changes_fini(&record->changes);
	while (record->objects)
		object_del(record, record->objects);
	for (struct place *p = record->places, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	free(record);
}

bool record_netns_has(const struct record *record, const char *name)
{
	const struct place *place = record->places;

	while (place && strcmp(place->name, name))
		place = place->next;
	return place || !name[0];
}

int record_netns_add(struct record *record, const char *name)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place || record_netns_has(record, name)) {
		free(place);
		return place ? -EEXIST : -ENOMEM;
	}
	snprintf(place->name, sizeof(place->name), "%s", name);
	place->next = record->places;
	record->places = place;
	return record_link(record, name, "lo", "") < 0 ? -ENOMEM : 0;
}

int record_netns_del(struct record *record, const char *name)
{
	struct place **at = &record->places;

	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	if (!*at)
		return -ENOENT;
	struct place *place = *at;

	*at = place->next;
	free(place);
	for (struct object *o = record->objects, *next; o; o = next) {
		next = o->next;
		if (strcmp(o->netns, name))
			continue;
		if (nlh_of(o)->nlmsg_type == RTM_NEWLINK)
			changes_add(&record->changes, name, info_of(o)->ifi_index, true);
		object_del(record, o);
	}
	return 0;
}
