/* SPDX-License-Identifier: MIT */
/* Brings a device up so that packets come, and leaves nothing behind where it cannot. */
#include "host/engine/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/engine/host.h"
#include "host/netlink/addr.h"
#include "host/netlink/route.h"
#include "host/port/memory.h"
#include "host/port/pair.h"
#include "host/port/socket.h"
#include "host/port/tun.h"
#include "host/port/xdp.h"

enum { TUN_MTU_MAX = 65535, TAP_MTU_MAX = 65521 };

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

static bool is_link_ours(const struct worker *worker, const char *netns, int ifindex)
{
	for (const struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		if (lane->is_open && lane->port->ifindex == ifindex && !strcmp(lane->netns, netns))
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
	if (!found || is_link_ours(worker, netlink->netns, ifindex))
		return 0;
	if (link_get(netlink, NULL, ifindex, &link, NULL))
		snprintf(link.name, sizeof(link.name), "link %d", ifindex);
	if (!strcmp(link.name, wish->name)) /* a persistent device, addressed already */
		return 0;
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

/* A persistent device may have all that is wished for already. */
static int unless_there(const struct device_wish *wish, int error)
{
	return wish->is_adopted && error == -EEXIST ? 0 : error;
}

static int routes_add(struct netlink *netlink, const struct device_wish *wish,
	const struct link *link, struct refusal *why)
{
	int error = 0;

	for (unsigned i = 0; !error && i < wish->route_count; i++) {
		struct route route = { .dst = wish->routes[i],
			.hops = { { .ifindex = link->ifindex } },
			.hop_count = 1,
			.scope = -1 };

		error = unless_there(wish, route_add(netlink, &route, why));
	}
	return error;
}

/* Everything that netlink does to the new link. */
static int link_prepare(struct netlink *netlink, const struct device_wish *wish, struct link *link,
	struct refusal *why)
{
	struct link_change first = { .mtu = wish->mtu, .mac = wish->mac };
	int error = link_get(netlink, wish->name, 0, link, why);

	if (!error && (wish->mtu || wish->mac))
		error = link_set(netlink, link, &first, why);
	for (unsigned i = 0; !error && i < wish->addr_count; i++)
		error = unless_there(
			wish, addr_add(netlink, link, &wish->addrs[i], wish->with_dad, why));
	if (!error && wish->is_up)
		error = link_set(netlink, link, &(struct link_change){ .up = 1 }, why);
	if (!error)
		error = routes_add(netlink, wish, link, why);
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

/* Takes fd over, also where it fails. */
static int lane_open(struct worker *worker, struct port *port, const char *name, const char *netns,
	int fd, struct lane **out, struct refusal *why)
{
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->pool = worker->pool;
	port->uring = worker->uring;
	if (!port->io_wanted.count)
		port->io_wanted = worker->host->io;
	struct lane *lane = lane_new(port);

	if (!lane) {
		free(port);
		return refuse(why, ENOMEM, "%s: out of memory", name);
	}
	snprintf(lane->netns, sizeof(lane->netns), "%s", netns);
	int error = port->ops->open_queue(port, fd);

	if (!error) {
		error = worker_lane_add(worker, lane);
		if (!error) {
			*out = lane;
			return 0;
		}
		port->ops->close(port);
	} else if (fd >= 0) {
		close(fd);
	}
	lane_free(lane);
	return refuse(why, -error, "%s: cannot open the port: %s", name, strerror(-error));
}

/* A port on a link: opened, and from then on what the kernel says of the link is followed. */
static int link_lane_open(struct worker *worker, struct port *port, const struct link *link,
	const char *netns, int fd, struct lane **out, struct refusal *why)
{
	int error = follow_open(worker, netns, why);

	if (error) {
		free(port);
		if (fd >= 0)
			close(fd);
		return error;
	}
	port->ifindex = link->ifindex;
	port->mtu = link->mtu;
	error = lane_open(worker, port, link->name, netns, fd, out, why);
	if (error)
		return error;
	(*out)->link_dropped = link->tx_dropped;
	error = follow_ask(*out, why);
	if (error)
		worker_lane_close(worker, *out);
	return error;
}

static int device_persist(int fd, const struct device_wish *wish, struct refusal *why)
{
	int error = wish->is_persistent ? tun_device_persist(fd, wish->owner, wish->group) : 0;

	return error ? refuse(why, -error, "%s: cannot be made persistent: %s", wish->name,
			       strerror(-error))
		     : 0;
}

static void device_tell(struct world *world, const struct device_wish *wish)
{
	char line[160];

	snprintf(line, sizeof(line), "ip%s%s tuntap add dev %s mode %s",
		wish->netns[0] ? " -n " : "", wish->netns, wish->name,
		wish->first == LAYER_eth ? "tap" : "tun");
	world_tell(world, line);
}

/* What did not come to be leaves nothing; what was there before stays, as it was. */
static int device_back_out(
	struct worker *worker, const struct device_wish *wish, int fd, int mark, int error)
{
	if (wish->is_adopted)
		world_undo(worker->world, mark);
	else if (wish->is_persistent)
		tun_device_forget(fd);
	close(fd); /* the device goes with its descriptor */
	return error;
}

static int device_open(struct worker *worker, struct netlink *netlink,
	const struct device_wish *wish, struct link *link, struct refusal *why)
{
	enum request_open kind = wish->first == LAYER_eth ? REQUEST_OPEN_TAP : REQUEST_OPEN_TUN;
	int mark = world_mark(worker->world);
	int flags = (worker->host->worker_count > 1 ? TUN_QUEUES : 0) |
		    (wish->has_offload ? TUN_OFFLOAD : 0);
	int fd = world_open_queue(
		worker->world, wish->netns, kind, wish->name, flags, SOCKET_ALONE, why);

	if (fd < 0)
		return fd;
	device_tell(worker->world, wish);
	int error = device_persist(fd, wish, why);

	if (!error) {
		world_keep(worker->world, wish->is_persistent);
		error = link_prepare(netlink, wish, link, why);
		world_keep(worker->world, false);
	}
	return error ? device_back_out(worker, wish, fd, mark, error) : fd;
}

/* In a recorded network a device is a record and a port in memory; mac is our side's. */
static int recorded_open(struct worker *worker, const char *kind, enum layer_id first,
	const char *netns, const struct link *link, const uint8_t *mac, struct lane **out,
	struct refusal *why)
{
	struct port *port = memory_port_new(kind, first);

	if (!port)
		return refuse(why, ENOMEM, "%s: out of memory", link->name);
	if (mac)
		memcpy(port->mac, mac, sizeof(port->mac));
	else
		mac_make(port->mac, link->name);
	return link_lane_open(worker, port, link, netns, -1, out, why);
}

static int recorded_device(struct worker *worker, struct netlink *netlink,
	const struct device_wish *wish, struct lane **out, struct refusal *why)
{
	struct link link;
	const char *kind = wish->first == LAYER_eth ? "tap" : "tun";
	int error = world_link(worker->world, wish->netns, wish->name, kind, why);

	if (error)
		return error;
	device_tell(worker->world, wish);
	error = link_prepare(netlink, wish, &link, why);
	if (!error)
		error = recorded_open(
			worker, kind, wish->first, wish->netns, &link, wish->port_mac, out, why);
	if (!error)
		(*out)->has_device = !wish->is_persistent;
	return error;
}

int setup_device(
	struct worker *worker, struct device_wish *wish, struct lane **out, struct refusal *why)
{
	struct netlink *netlink = world_netlink(worker->world, wish->netns, why);
	struct link link;

	if (!netlink)
		return -why->code;
	wish->is_adopted = !link_get(netlink, wish->name, 0, &link, NULL);
	if (wish->is_adopted && is_link_ours(worker, wish->netns, link.ifindex))
		return refuse(why, EBUSY, "%s: the name is in use by this script", wish->name);
	int error = prefixes_are_free(worker, netlink, wish, why);

	if (error)
		return error;
	if (world_is_recorded(worker->world))
		return recorded_device(worker, netlink, wish, out, why);
	int fd = device_open(worker, netlink, wish, &link, why);

	if (fd < 0)
		return fd;
	struct port *port = tun_port_new(wish->first);

	if (!port) {
		close(fd);
		return refuse(why, ENOMEM, "%s: out of memory", wish->name);
	}
	port->io_wanted = wish->io;
	mac_make(port->mac, wish->name);
	if (wish->port_mac)
		memcpy(port->mac, wish->port_mac, sizeof(port->mac));
	return link_lane_open(worker, port, &link, wish->netns, fd, out, why);
}

/* Opens what `first`, a lane of worker 1, has: one more queue of a device, or socket of a group. */
static int queue_open(
	struct worker *worker, const struct lane *first, bool is_socket, struct refusal *why)
{
	const struct port *port = first->port;
	int group = SOCKET_ALONE, flags = TUN_QUEUES | (port->vnet_bytes ? TUN_OFFLOAD : 0);
	enum request_open kind = port->first == LAYER_eth ? REQUEST_OPEN_TAP : REQUEST_OPEN_TUN;

	if (!is_socket)
		return world_open_queue(
			worker->world, first->netns, kind, port->name, flags, group, why);
	group = socket_group(port->ops->poll_fd(port));
	if (group < 0)
		return refuse(why, -group, "%s: worker 1 has closed it", port->name);
	return world_open_queue(worker->world, first->netns, REQUEST_OPEN_PACKET, port->name,
		port->ifindex, group, why);
}

int setup_queue(struct worker *worker, struct lane *first, struct lane **out, struct refusal *why)
{
	const struct port *of = first->port;
	bool is_socket = strcmp(of->kind, "tun") && strcmp(of->kind, "tap");
	/* Its MTU follow_ask finds: worker 1 may be writing it. */
	struct link link = { .ifindex = of->ifindex };
	int fd = queue_open(worker, first, is_socket, why);

	if (fd < 0)
		return fd;
	struct port *port = is_socket ? socket_port_new() : tun_port_new(of->first);

	if (!port) {
		close(fd);
		return refuse(why, ENOMEM, "%s: out of memory", of->name);
	}
	port->io_wanted = of->io_wanted;
	snprintf(link.name, sizeof(link.name), "%.15s", of->name);
	memcpy(port->mac, of->mac, sizeof(port->mac));
	int error = link_lane_open(worker, port, &link, first->netns, fd, out, why);

	if (!error)
		(*out)->origin = first;
	return error;
}

/* An AF_XDP socket, where one is wanted first; NULL: not, and a packet socket will do. */
static struct port *xdp_try(
	struct worker *worker, const struct attach_wish *wish, const struct link *link, int *fd)
{
	const struct io_list *wanted = wish->io.count ? &wish->io : &worker->host->io;
	struct port *port = NULL;
	struct refusal why = { .text = "several workers share the link" };

	if (io_order(wanted, IO_SOCKET).io[0] != IO_xdp)
		return NULL;
	*fd = worker->host->worker_count > 1
		      ? -EOPNOTSUPP
		      : world_open(worker->world, wish->netns, REQUEST_OPEN_XDP, wish->name,
				link->ifindex, &why);
	if (*fd >= 0)
		port = xdp_port_new();
	if (port)
		memcpy(port->mac, link->mac, sizeof(port->mac));
	else
		log_line(LOG_LEVEL_DEBUG, "%s: xdp: %s; it goes without", wish->name, why.text);
	return port;
}

int setup_attach(struct worker *worker, const struct attach_wish *wish, struct lane **out,
	struct refusal *why)
{
	const char *name = wish->name, *netns = wish->netns;
	struct netlink *netlink = world_netlink(worker->world, netns, why);
	struct link link;

	if (!netlink)
		return -why->code;
	bool is_recorded = world_is_recorded(worker->world);
	int error = is_recorded ? world_link(worker->world, netns, name, "", why) : 0;

	if (!error)
		error = link_get(netlink, name, 0, &link, why);
	if (error)
		return error;
	if (is_recorded)
		return recorded_open(worker, "socket", LAYER_eth, netns, &link, link.mac, out, why);
	int fd, group = worker->host->worker_count > 1 ? SOCKET_NEW_GROUP : SOCKET_ALONE;
	struct port *port = xdp_try(worker, wish, &link, &fd);

	if (port && !link_lane_open(worker, port, &link, netns, fd, out, why)) {
		world_checksums(worker->world, netns, &link);
		return 0;
	}
	if (port)
		log_line(LOG_LEVEL_DEBUG, "%s; it goes without", why->text);
	fd = world_open_queue(
		worker->world, netns, REQUEST_OPEN_PACKET, name, link.ifindex, group, why);
	if (fd < 0)
		return fd;
	port = socket_port_new();
	if (!port || (wish->is_promiscuous && socket_promisc(fd, link.ifindex))) {
		free(port);
		close(fd);
		return refuse(why, ENOMEM, "%s: cannot open the port", name);
	}
	port->io_wanted = wish->io;
	memcpy(port->mac, link.mac, sizeof(port->mac));
	return link_lane_open(worker, port, &link, netns, fd, out, why);
}

/* Both ends are made in one place: of the same name they can be called only apart. */
static const char *name_before_move(const struct device_wish ends[2], char out[LINK_NAME])
{
	if (strcmp(ends[0].name, ends[1].name))
		return ends[1].name;
	snprintf(out, LINK_NAME, "%.11s-far", ends[1].name);
	return out;
}

static int veth_make(struct worker *worker, const struct device_wish ends[2], struct link out[2],
	struct refusal *why)
{
	char far[LINK_NAME];
	struct link_new spec = {
		.name = ends[0].name, .kind = "veth", .peer = name_before_move(ends, far), .vni = -1
	};
	struct link_change move = { .netns = ends[1].netns,
		.name = spec.peer == far ? ends[1].name : NULL };
	struct netlink *netlink[2] = { world_netlink(worker->world, ends[0].netns, why),
		world_netlink(worker->world, ends[1].netns, why) };

	if (!netlink[0] || !netlink[1])
		return -why->code;
	int error = prefixes_are_free(worker, netlink[0], &ends[0], why);

	if (!error)
		error = prefixes_are_free(worker, netlink[1], &ends[1], why);
	if (!error)
		error = link_add(netlink[0], &spec, why);
	if (!error && strcmp(ends[0].netns, ends[1].netns)) {
		error = link_get(netlink[0], spec.peer, 0, &out[1], why);
		if (!error)
			error = link_set(netlink[0], &out[1], &move, why);
	}
	for (unsigned i = 0; !error && i < 2; i++)
		error = link_prepare(netlink[i], &ends[i], &out[i], why);
	return error;
}

int setup_veth(struct worker *worker, const struct device_wish ends[2], struct link out[2],
	struct refusal *why)
{
	int mark = world_mark(worker->world);
	int error = veth_make(worker, ends, out, why);

	if (error)
		world_undo(worker->world, mark);
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
	int error = lane_open(worker, ends[0], names[0], "", -1, &left, why);

	if (error) {
		free(ends[1]);
		return error;
	}
	error = lane_open(worker, ends[1], names[1], "", -1, &out[1], why);
	if (error)
		worker_lane_close(worker, left);
	else
		out[0] = left;
	return error;
}
