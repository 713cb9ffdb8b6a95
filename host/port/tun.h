/* SPDX-License-Identifier: MIT */
/* Ports on tun and tap devices: read(2) and write(2) of whole packets (tuntap.txt). */
#pragma once

#include "host/base/refusal.h"
#include "host/port/port.h"

/* Opens /dev/net/tun and makes the device `name` of the kind that `first` says (LAYER_ip: tun,
 * LAYER_eth: tap). Needs CAP_NET_ADMIN. The device lives as long as the descriptor. Returns the
 * descriptor, non-blocking, or -errno with why filled. name is at most 15 bytes, checked before.
 * has_queues: a device of several queues, one more of which each further call opens. */
int tun_device_open(const char *name, enum layer_id first, bool has_queues, struct refusal *why);

/* Lets the device stay when its descriptors are closed, for this owner and group (-1: none). */
int tun_device_persist(int fd, int owner, int group);

/* It goes with its last descriptor after all. */
void tun_device_forget(int fd);

/* A closed port for such a device; NULL: no memory. free(3) it after close. */
struct port *tun_port_new(enum layer_id first);
