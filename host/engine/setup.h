/* SPDX-License-Identifier: MIT */
/* Makes the devices that scripts ask for: all of it, or nothing. */
#pragma once

#include "host/base/prefix.h"
#include "host/engine/lane.h"
#include "host/netlink/link.h"
#include "host/port/io.h"

/* What a script wants of a tun or tap device. */
struct device_wish {
	char name[16];	     /* checked by link_name_check */
	enum layer_id first; /* LAYER_ip: tun, LAYER_eth: tap */
	const struct prefix *addrs;
	unsigned addr_count;
	const struct prefix *routes;
	unsigned route_count;
	uint32_t mtu;		 /* bytes; 0: the kernel's default */
	const uint8_t *mac;	 /* of the kernel's end of a tap; NULL: the kernel chooses */
	const uint8_t *port_mac; /* of ours; NULL: one made of the name, the same each time */
	const char *netns;	 /* where; "": our own */
	bool is_up;
	bool with_dad;	    /* IPv6 addresses go through duplicate-address detection */
	bool is_forced;	    /* also where another link has a route to the same prefix */
	bool is_persistent; /* the device stays when the port is closed */
	bool is_adopted;    /* set by setup_device: it was there before */
	bool has_offload;   /* large segments and partial checksums cross it as they are */
	struct io_list io;  /* ways to move packets; empty: the host's */
	int owner, group;   /* who may open it then; -1: only with CAP_NET_ADMIN */
};

/* What a script wants of a link that is there. */
struct attach_wish {
	char name[16]; /* checked by link_name_check */
	const char *netns;
	bool is_promiscuous;
	struct io_list io; /* as above */
};

/* The largest MTU of such a device, bytes. */
uint32_t device_mtu_max(enum layer_id first);

/* Makes the device, addresses it, routes to it, sets it up, opens a port on it and adds the lane
 * to the worker. On failure nothing is left. 0 or -errno with why. */
int setup_device(
	struct worker *worker, struct device_wish *wish, struct lane **out, struct refusal *why);

/* A queue of our own of the port of `first`, worker 1's lane. 0 or -errno with why. */
int setup_queue(struct worker *worker, struct lane *first, struct lane **out, struct refusal *why);

/* Two ports in memory. 0 or -errno with why. */
int setup_pair(struct worker *worker, enum layer_id first, const char *names[2],
	struct lane *out[2], struct refusal *why);

/* A packet socket on a link. 0 or -errno with why. */
int setup_attach(struct worker *worker, const struct attach_wish *wish, struct lane **out,
	struct refusal *why);

/* A veth pair, each end as its wish says (name, netns, addrs, routes, mtu, mac, is_up, with_dad).
 */
int setup_veth(struct worker *worker, const struct device_wish ends[2], struct link out[2],
	struct refusal *why);
