/* SPDX-License-Identifier: MIT */
/* Learns, between bursts, that a link was given or lost an address. */
#include "host/engine/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/worker.h"
#include "host/netlink/addr.h"

int follow_ask(struct lane *lane, struct refusal *why)
{
	struct station *station = &lane->station;
	struct prefix *addrs = NULL;
	unsigned count = 0;
	struct netlink netlink;
	struct link link;
	int error = netlink_open(&netlink, why);

	if (error)
		return error;
	error = link_get(&netlink, NULL, lane->port->ifindex, &link, why);
	if (!error)
		error = addr_list(&netlink, link.ifindex, &addrs, &count);
	netlink_close(&netlink);
	if (error)
		return refuse(why, -error, "%s: cannot list its addresses: %s", lane->port->name,
			strerror(-error));
	free(station->addrs);
	station->addrs = addrs;
	station->addr_count = count;
	memcpy(station->link_mac, link.mac, sizeof(station->link_mac));
	lane->port->mtu = link.mtu;
	return 0;
}

static void changed(struct worker *worker, int ifindex)
{
	for (struct lane *lane = worker->dp.lanes; lane; lane = lane->sibling) {
		bool is_meant = !ifindex || lane->port->ifindex == ifindex;

		/* A link that is gone is its port's to notice. */
		if (lane->is_open && lane->port->ifindex && is_meant)
			follow_ask(lane, NULL);
	}
}

static void events_ready(struct watch *watch, uint32_t events)
{
	struct follow *follow = (struct follow *)watch;
	int ifindex;

	(void)events;
	while (events_next(&follow->events, &ifindex))
		changed(follow->worker, ifindex);
}

int follow_open(struct follow *follow, struct worker *worker, struct refusal *why)
{
	if (follow->worker)
		return 0;
	int error = events_open(&follow->events, why);

	if (error)
		return error;
	follow->watch.fd = events_fd(&follow->events);
	follow->watch.ready = events_ready;
	error = loop_add(&worker->loop, &follow->watch, EPOLLIN);
	if (error) {
		events_close(&follow->events);
		return refuse(why, -error, "netlink: cannot follow changes: %s", strerror(-error));
	}
	follow->worker = worker;
	return 0;
}

void follow_close(struct follow *follow)
{
	if (follow->worker)
		events_close(&follow->events);
	follow->worker = NULL;
}
