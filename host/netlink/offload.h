/* SPDX-License-Identifier: MIT */
/* What a sender leaves to its device: the checksums of what it sends (ethtool(8), tx). A device
 * that is a cable between two namespaces passes such frames on undone. */
#pragma once

#include <stdbool.h>

#include "host/netlink/link.h"

/* A link by name and index: of another one of the name nothing is changed. */
struct offload_link {
	int ifindex;
	char name[LINK_NAME];
};

/* The other end of the link `ifindex` of the namespace `netns`, and where it is, by the name that
 * the namespace has here (of NETNS_NAME bytes; "": our own). 0, -ENODEV: the link has none,
 * -ENOENT: its namespace has no name here; or -errno. */
int offload_peer(const char *netns, int ifindex, struct offload_link *out, char *peer_netns);

/* Does it leave checksums to its device? In the namespace that the thread is in: 1, 0 or -errno. */
int offload_get(const struct offload_link *link);

/* 0 or -errno, -ENODEV also where it is another link. Needs CAP_NET_ADMIN. */
int offload_set(const struct offload_link *link, bool is_on);
