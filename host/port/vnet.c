/* SPDX-License-Identifier: MIT */
/* Translates between a packet's metadata and the kernel's virtio header (host byte order). */
#include "host/port/vnet.h"

void vnet_to_packet(struct packet *p, const struct virtio_net_hdr *hdr)
{
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (packet_at(p, (size_t)hdr->csum_start + hdr->csum_offset, 2))
			p->csum = (struct packet_csum){ CSUM_PARTIAL, hdr->csum_start,
				hdr->csum_offset };
	} else if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->csum.state = CSUM_VALID;
	}
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		p->gso = (struct packet_gso){ hdr->gso_type, hdr->gso_size, hdr->hdr_len };
}

void vnet_from_packet(const struct packet *p, struct virtio_net_hdr *hdr)
{
	*hdr = (struct virtio_net_hdr){ 0 };
	if (p->csum.state == CSUM_PARTIAL) {
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = p->csum.start;
		hdr->csum_offset = p->csum.offset;
	}
	if (p->gso.type) {
		hdr->gso_type = p->gso.type;
		hdr->gso_size = p->gso.size;
		hdr->hdr_len = p->gso.hdr_len;
	}
}
