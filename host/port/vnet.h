/* SPDX-License-Identifier: MIT */
/* The header that tells of partial checksums and large segments (virtio 1.2 5.1.6). */
#pragma once

#include <linux/virtio_net.h>
#include <string.h>

#include "host/port/port.h"

/* What the header says becomes the packet's csum and gso. A header that points outside the packet
 * counts for nothing. */
void vnet_to_packet(struct packet *p, const struct virtio_net_hdr *hdr);

/* The same of a header of so many bytes, at least those that are known, which lies before p's. */
static inline void vnet_take(struct packet *p, size_t bytes)
{
	struct virtio_net_hdr hdr;

	memcpy(&hdr, p->data - bytes, sizeof(hdr));
	vnet_to_packet(p, &hdr);
}

/* And back. */
void vnet_from_packet(const struct packet *p, struct virtio_net_hdr *hdr);

/* What sends packets to a device does first: p fits the port, and the port's header, if it has one,
 * lies before its bytes, in the headroom; else its checksum is complete. What p is then; NULL: it
 * is counted as dropped, and freed. */
struct packet *vnet_ready(struct port *port, struct packet *p);
