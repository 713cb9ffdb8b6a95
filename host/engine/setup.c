/* SPDX-License-Identifier: MIT */
/* Brings a device up so that packets come, and leaves nothing behind where it cannot. */
#include "host/engine/setup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/engine/worker.h"
#include "host/netlink/addr.h"
#include "host/netlink/route.h"
#include "host/port/pair.h"
#include "host/port/tun.h"

enum { TUN_MTU_MAX = 65535, TAP_MTU_MAX = 65521 };

const char *name_check(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > 15)
		return "a device name has 1 to 15 bytes";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "a device cannot be called . or ..";
	for (; *name; name++) {
		if (*name == '/' || *name == ':' || *name == '%' || isspace((unsigned char)*name))
			return "a device name has no '/', ':', '%' or space";
	}
	return NULL;
}

uint32_t device_mtu_max(enum layer_id first)
{
	return first == LAYER_eth ? TAP_MTU_MAX : TUN_MTU_MAX;
}

/* fe80::/10 is on every link. */
static bool is_link_local(const struct prefix *prefix)
{
	const uint8_t *bytes = prefix->addr.bytes;

	return prefix->addr.family == FAMILY_6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

static bool is_link_ours(const struct worker *worker, int ifindex)
{
	for (const struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (lane->is_open && lane->port->ifindex == ifindex)
			return true;
	}
	return false;
}

/* The default script must not take over somebody's home network. */
static int prefix_is_free(const struct worker *worker, struct netlink *netlink,
	const struct device_wish *wish, const struct prefix *prefix, struct refusal *why)
{
	char text[PREFIX_TEXT], taken_text[PREFIX_TEXT];
	struct prefix taken;
	struct link link;
	int ifindex;

	if (wish->is_forced || is_link_local(prefix))
		return 0;
	int found = route_overlap(netlink, prefix, &taken, &ifindex);

	if (found < 0)
		return refuse(why, -found, "%s: cannot list the routes: %s", wish->name,
			strerror(-found));
	if (!found || is_link_ours(worker, ifindex))
		return 0;
	if (link_get(netlink, NULL, ifindex, &link, NULL))
		snprintf(link.name, sizeof(link.name), "link %d", ifindex);
	return refuse(why, EADDRINUSE,
		"%s: %s is routed by %s already, as %s (choose another prefix, or --sandbox, or "
		"force = true)",
		wish->name, prefix_text(prefix, text), link.name, prefix_text(&taken, taken_text));
}

static int prefixes_are_free(const struct worker *worker, struct netlink *netlink,
	const struct device_wish *wish, struct refusal *why)
{
	int error = 0;

	for (unsigned i = 0; !error && i < wish->addr_count; i++)
		error = prefix_is_free(worker, netlink, wish, &wish->addrs[i], why);
	for (unsigned i = 0; !error && i < wish->route_count; i++)
		error = prefix_is_free(worker, netlink, wish, &wish->routes[i], why);
	return error;
}

/* Everything that netlink does to the new link. */
static int link_prepare(struct netlink *netlink, const struct device_wish *wish, struct link *link,
	struct refusal *why)
{
	struct link_change first = { .up = -1, .mtu = wish->mtu, .mac = wish->mac };
	int error = link_get(netlink, wish->name, 0, link, why);

	if (!error && (wish->mtu || wish->mac))
		error = link_set(netlink, link, &first, why);
	for (unsigned i = 0; !error && i < wish->addr_count; i++)
		error = addr_add(netlink, link, &wish->addrs[i], wish->with_dad, why);
	if (!error && wish->is_up)
		error = link_set(netlink, link, &(struct link_change){ .up = 1 }, why);
	for (unsigned i = 0; !error && i < wish->route_count; i++)
		error = route_add(netlink, link, &wish->routes[i], why);
	if (!error)
		error = link_get(netlink, NULL, link->ifindex, link, why);
	return error;
}

/* A locally administered MAC that is the same for the same name each time (FNV-1a of it). */
static void mac_make(uint8_t *mac, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	mac[0] = 0x02;
	for (unsigned i = 1; i < 6; i++)
		mac[i] = (uint8_t)(hash >> (8 * i));
}

static int lane_open(struct worker *worker, struct port *port, const char *name, int fd,
	struct lane **out, struct refusal *why)
{
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->pool = worker->pool;
	struct lane *lane = lane_new(port);

	if (!lane) {
		free(port);
		return refuse(why, ENOMEM, "%s: out of memory", name);
	}
	int error = port->ops->open_queue(port, fd);

	if (!error) {
		error = worker_lane_add(worker, lane);
		if (!error) {
			*out = lane;
			return 0;
		}
		port->ops->close(port);
	}
	lane_free(lane);
	return refuse(why, -error, "%s: cannot open the port: %s", name, strerror(-error));
}

int setup_device(struct worker *worker, const struct device_wish *wish, struct lane **out,
	struct refusal *why)
{
	struct netlink netlink;
	struct link link;
	int error = netlink_open(&netlink, why);

	if (error)
		return error;
	error = prefixes_are_free(worker, &netlink, wish, why);
	if (error)
		goto fail_netlink;
	int fd = tun_device_open(wish->name, wish->first, why);

	if (fd < 0) {
		error = fd;
		goto fail_netlink;
	}
	error = link_prepare(&netlink, wish, &link, why);
	if (!error)
		error = follow_open(&worker->follow, worker, why);
	if (error)
		goto fail_device;
	struct port *port = tun_port_new(wish->first);

	if (!port) {
		error = refuse(why, ENOMEM, "%s: out of memory", wish->name);
		goto fail_device;
	}
	port->ifindex = link.ifindex;
	port->mtu = link.mtu;
	mac_make(port->mac, wish->name);
	if (wish->port_mac)
		memcpy(port->mac, wish->port_mac, sizeof(port->mac));
	error = lane_open(worker, port, wish->name, fd, out, why);
	if (error)
		goto fail_device;
	netlink_close(&netlink);
	error = follow_ask(*out, why);
	if (error)
		worker_lane_close(worker, *out);
	return error;

fail_device:
	close(fd); /* the device goes with its descriptor */
fail_netlink:
	netlink_close(&netlink);
	return error;
}

int setup_pair(struct worker *worker, enum layer_id first, const char *names[2],
	struct lane *out[2], struct refusal *why)
{
	struct port *ends[2];
	struct lane *left;

	if (!pair_new(first, &ends[0], &ends[1]))
		return refuse(why, ENOMEM, "pair: out of memory");
	mac_make(ends[0]->mac, names[0]);
	mac_make(ends[1]->mac, names[1]);
	int error = lane_open(worker, ends[0], names[0], -1, &left, why);

	if (error) {
		free(ends[1]);
		return error;
	}
	error = lane_open(worker, ends[1], names[1], -1, &out[1], why);
	if (error)
		worker_lane_close(worker, left);
	else
		out[0] = left;
	return error;
}
