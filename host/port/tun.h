/* SPDX-License-Identifier: MIT */
/* Ports on tun and tap devices: read(2) and write(2) of whole packets (tuntap.txt). */
#pragma once

#include "host/base/refusal.h"
#include "host/port/port.h"

enum tun_flag {
	TUN_QUEUES = 1 << 0,  /* it has several, one more of which each further call opens */
	TUN_OFFLOAD = 1 << 1, /* segments cross it uncut and checksums partial, by virtio headers */
};

/* Opens /dev/net/tun and makes the device `name` of the kind that `first` says (LAYER_ip: tun,
 * LAYER_eth: tap). Needs CAP_NET_ADMIN. The device lives as long as the descriptor. Returns the
 * descriptor, non-blocking, or -errno with why filled. name is at most 15 bytes, checked before.
 * flags: enum tun_flag. */
int tun_device_open(const char *name, enum layer_id first, int flags, struct refusal *why);

/* Lets the device stay when its descriptors are closed, for this owner and group (-1: none). */
int tun_device_persist(int fd, int owner, int group);

/* It goes with its last descriptor after all. */
void tun_device_forget(int fd);

/* Closes the port's descriptor; nothing of how it used the device stays. */
void tun_port_close(struct port *port, int fd);

/* Writes the packet of an open port to its device, the header before it included: a count of bytes,
 * or -errno. The C library's call is a point of cancellation: between threads it costs 50 ns more
 * than this one, which is none. */
int tun_device_write(int fd, const struct port *port, const struct packet *p);

/* A closed port for such a device; NULL: no memory. free(3) it after close. */
struct port *tun_port_new(enum layer_id first);
