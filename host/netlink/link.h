/* SPDX-License-Identifier: MIT */
/* Links: the kernel's interface objects (rtnetlink(7), RTM_NEWLINK). */
#pragma once

#include <stdbool.h>

#include "host/netlink/netlink.h"

enum { LINK_NAME = 16 };

struct link {
	int ifindex;
	uint32_t mtu; /* bytes */
	bool is_up;
	bool has_carrier;
	bool has_mac;
	uint8_t mac[6];
	uint64_t tx_dropped; /* packets, since it was made */
	int master;	     /* ifindex; 0: none */
	int peer;	     /* ifindex of the other end, perhaps in another namespace; 0: none */
	int peer_netns;	     /* the kernel's id of that namespace; -1: this one */
	char name[LINK_NAME];
	char kind[LINK_NAME]; /* "veth", "tun", "bridge", ...; "" for a physical one */
};

/* Is it a name that the kernel takes (dev_valid_name: 1 to 15 bytes, no '/', ':', space, not "."
 * or "..")? NULL if it is, else why not. */
const char *link_name_check(const char *name);

/* By name, or by ifindex where name is NULL. 0 or -ENODEV, ... with why, and the near name. */
int link_get(struct netlink *netlink, const char *name, int ifindex, struct link *out,
	struct refusal *why);

/* All links, malloc'ed. 0 or -errno; *out and *count are untouched on failure. */
int link_list(struct netlink *netlink, struct link **out, unsigned *count, struct refusal *why);

/* What link_add makes. */
struct link_new {
	const char *name, *kind;
	const char *peer;   /* veth: the other end's name */
	uint32_t mtu;	    /* bytes; 0: the kernel's default */
	const uint8_t *mac; /* 6 bytes; NULL: the kernel chooses */
	int parent;	    /* macvlan, vxlan: ifindex of the link below; 0: none */
	int32_t vni;	    /* vxlan; -1: none */
	uint16_t port;	    /* vxlan: UDP port; 0: 4789 */
};

/* Makes a link, down; undone by deleting exactly it. 0 or -errno with why. */
int link_add(struct netlink *netlink, const struct link_new *spec, struct refusal *why);

int link_del(struct netlink *netlink, const struct link *link, struct refusal *why);

/* What link_set changes. */
struct link_change {
	int up;		    /* 1 up, -1 down, 0 as it is */
	uint32_t mtu;	    /* bytes; 0: as it is */
	const uint8_t *mac; /* 6 bytes; NULL: as it is */
	const char *name;   /* NULL: as it is */
	int master;	    /* ifindex; -1: none; 0: as it is */
	const char *netns;  /* moves there ("": ours); NULL: stays */
};

/* Undone by setting back what the link had. 0 or -errno with why. */
int link_set(struct netlink *netlink, const struct link *link, const struct link_change *change,
	struct refusal *why);
