/* SPDX-License-Identifier: MIT */
/* Learns, between bursts, that a link was given or lost an address, or is gone. */
#include "host/engine/follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/worker.h"
#include "host/netlink/addr.h"

static int station_fill(struct lane *lane, const struct addr_entry *entries, unsigned count)
{
	struct prefix *addrs = calloc(count + 1, sizeof(*addrs));

	if (!addrs)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		addrs[i] = entries[i].addr;
	free(lane->station.addrs);
	lane->station.addrs = addrs;
	lane->station.addr_count = count;
	return 0;
}

int follow_ask(struct lane *lane, struct refusal *why)
{
	struct netlink *netlink = world_netlink(lane->worker->world, lane->netns, why);
	struct addr_entry *entries = NULL;
	unsigned count = 0;
	struct link link;

	if (!netlink)
		return -ENONET;
	int error = link_get(netlink, NULL, lane->port->ifindex, &link, why);

	if (error)
		return error;
	error = addr_list(netlink, link.ifindex, &entries, &count);
	if (!error)
		error = station_fill(lane, entries, count);
	free(entries);
	if (error)
		return refuse(why, -error, "%s: cannot list its addresses: %s", lane->port->name,
			strerror(-error));
	memcpy(lane->station.link_mac, link.mac, sizeof(link.mac));
	lane->port->mtu = link.mtu;
	return 0;
}

void follow_losses(struct lane *lane)
{
	struct port *port = lane->port;
	struct netlink *netlink = world_netlink(lane->worker->world, lane->netns, NULL);
	struct link link;

	/* The count is the link's, not a queue's: worker 1 has it. */
	if ((strcmp(port->kind, "tun") && strcmp(port->kind, "tap")) || lane->origin || !netlink ||
		link_get(netlink, NULL, port->ifindex, &link, NULL))
		return;
	if (link.tx_dropped > lane->link_dropped)
		counter_add(&port->counters.rx_dropped, link.tx_dropped - lane->link_dropped);
	lane->link_dropped = link.tx_dropped;
}

static void changed(struct worker *worker, const char *netns, int ifindex, bool is_gone)
{
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		bool is_meant = lane->is_open && lane->port->ifindex &&
				!strcmp(lane->netns, netns) &&
				(!ifindex || lane->port->ifindex == ifindex);

		/* Where events were lost, its going may have been among them. */
		if (is_meant && (is_gone || follow_ask(lane, NULL) == -ENODEV))
			worker_lane_gone(worker, lane);
	}
	if (worker->dp.ops->event)
		worker->dp.ops->event(worker->dp.script, netns, ifindex, is_gone);
}

void follow_recorded(struct worker *worker)
{
	const char *netns;
	int ifindex;
	bool is_gone;

	while (world_event_next(worker->world, &netns, &ifindex, &is_gone))
		changed(worker, netns, ifindex, is_gone);
}

static void events_ready(struct watch *watch, uint32_t events)
{
	struct follow *follow = (struct follow *)watch;
	bool is_gone;
	int ifindex;

	(void)events;
	while (events_next(&follow->events, &ifindex, &is_gone))
		changed(follow->worker, follow->netns, ifindex, is_gone);
}

static int events_in(struct worker *worker, struct follow *follow, struct refusal *why)
{
	if (!follow->netns[0])
		return events_open(&follow->events, why);
	int fd = world_open(worker->world, follow->netns, REQUEST_OPEN_EVENTS, "", 0, why);

	return fd < 0 ? fd : events_from_fd(&follow->events, fd, why);
}

int follow_open(struct worker *worker, const char *netns, struct refusal *why)
{
	if (world_is_recorded(worker->world))
		return 0;
	for (struct follow *at = worker->follows; at; at = at->next) {
		if (!strcmp(at->netns, netns))
			return 0;
	}
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return refuse(why, ENOMEM, "netlink: out of memory");
	snprintf(follow->netns, sizeof(follow->netns), "%s", netns);
	int error = events_in(worker, follow, why);

	if (error)
		goto fail;
	follow->worker = worker;
	follow->watch.fd = events_fd(&follow->events);
	follow->watch.ready = events_ready;
	error = loop_add(&worker->loop, &follow->watch, EPOLLIN);
	if (error) {
		refuse(why, -error, "netlink: cannot follow changes: %s", strerror(-error));
		events_close(&follow->events);
		goto fail;
	}
	follow->next = worker->follows;
	worker->follows = follow;
	return 0;

fail:
	free(follow);
	return error;
}

void follow_close(struct worker *worker)
{
	while (worker->follows) {
		struct follow *follow = worker->follows;

		worker->follows = follow->next;
		loop_remove(&worker->loop, &follow->watch);
		events_close(&follow->events);
		free(follow);
	}
}
