/* SPDX-License-Identifier: MIT */
/* Receives and sends several frames of a packet socket with one system call (recvmmsg(2)). */
#pragma once

#include "host/port/port.h"

struct mmsg;

/* NULL: no memory. */
struct mmsg *mmsg_new(void);
void mmsg_free(struct mmsg *mmsg);

/* Up to `max` frames of the socket; sets has_more. What finds no slot is counted as rx_dropped. */
unsigned mmsg_recv(
	struct mmsg *mmsg, struct port *port, int fd, struct packet **burst, unsigned max);

/* Sends what is in the port's tx, and counts it. */
void mmsg_flush(struct mmsg *mmsg, struct port *port, int fd);

/* The VLAN tag that the kernel took off goes back in: fields are read where they lie. status:
 * TP_STATUS_VLAN_VALID and its kind. */
void mmsg_tag_restore(struct packet *p, uint32_t status, uint16_t tpid, uint16_t tci);
