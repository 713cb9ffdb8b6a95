/* SPDX-License-Identifier: MIT */
/* The header that tells of partial checksums and large segments (virtio 1.2 5.1.6). */
#pragma once

#include <linux/virtio_net.h>

#include "host/packet/packet.h"

/* What the header says becomes the packet's csum and gso. A header that points outside the packet
 * counts for nothing. */
void vnet_to_packet(struct packet *p, const struct virtio_net_hdr *hdr);

/* And back. */
void vnet_from_packet(const struct packet *p, struct virtio_net_hdr *hdr);
