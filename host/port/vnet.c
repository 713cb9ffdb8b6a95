/* SPDX-License-Identifier: MIT */
/* Translates between a packet's metadata and the kernel's virtio header (host byte order). */
#include "host/port/vnet.h"

#include "host/packet/checksum.h"

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
		/* Of what a rule has shortened it may claim too much, which the kernel refuses. */
		hdr->hdr_len = p->gso.hdr_len < packet_length(p) ? p->gso.hdr_len
								 : (uint16_t)packet_length(p);
	}
}

static void header_put(struct packet *p, size_t bytes)
{
	struct virtio_net_hdr hdr;

	vnet_from_packet(p, &hdr);
	memset(p->data - bytes, 0, bytes);
	memcpy(p->data - bytes, &hdr, sizeof(hdr));
}

struct packet *vnet_ready(struct port *port, struct packet *p)
{
	if (!port_can_send(port, p))
		return NULL;
	if (!port->vnet_bytes) {
		if (p->csum.state == CSUM_PARTIAL)
			checksum_complete(p); /* nobody else will */
		return p;
	}
	/* Edits may have used the headroom up. */
	struct packet *roomy = packet_headroom(p) >= port->vnet_bytes
				       ? p
				       : packet_grow(p, PACKET_HEADROOM, packet_length(p));

	if (!roomy) {
		port_tx_drop(port, TX_DROP_no_packet);
		packet_free(p);
		return NULL;
	}
	header_put(roomy, port->vnet_bytes);
	return roomy;
}
