/* SPDX-License-Identifier: MIT */
/* Ports on any link by a packet socket (packet(7)): frames as they lie on the link. */
#pragma once

#include "host/base/refusal.h"
#include "host/port/port.h"

/* Who shares the frames of a link: nobody, a new group of sockets, or the group of that number (its
 * members are given the flows by hash: PACKET_FANOUT). */
enum { SOCKET_ALONE = -2, SOCKET_NEW_GROUP = -1 };

/* A packet socket bound to the link, non-blocking, with virtio headers and auxiliary data, blind to
 * what we send ourselves. Needs CAP_NET_RAW. The descriptor, or -errno with why; name is for that.
 */
int socket_open(int ifindex, const char *name, int group, struct refusal *why);

/* The number of its group, or -errno. */
int socket_group(int fd);

/* Shows all frames on the link, not only ours, as long as the socket lives. 0 or -errno. */
int socket_promisc(int fd, int ifindex);

/* A closed port; NULL: no memory. free(3) it after close. */
struct port *socket_port_new(void);
