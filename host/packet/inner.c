/* SPDX-License-Identifier: MIT */
/* Finds the packet inside a tunnel's packet. */
#include "host/packet/inner.h"

#include "host/packet/parse.h"
#include "host/packet/wire.h"

/* What a tunnel carries. */
struct load {
	size_t offset, end; /* bytes from the outer packet's data */
	enum layer_id first;
};

static bool gre_load(const struct packet *p, const struct layer *gre, struct load *out)
{
	uint16_t proto = load_be16(layer_bytes(p, gre) + GRE_PROTO);

	if (proto != ETH_TYPE_IP4 && proto != ETH_TYPE_IP6 && proto != ETH_TYPE_TEB)
		return false;
	*out = (struct load){ (size_t)gre->offset + gre->length, p->datagram_end,
		proto == ETH_TYPE_TEB ? LAYER_eth : LAYER_ip };
	return true;
}

/* RFC 768: the UDP length ends what it carries. */
static bool vxlan_load(const struct packet *p, const struct layer *vxlan, struct load *out)
{
	const struct layer *udp = vxlan - 1;
	size_t end = udp->offset + (size_t)load_be16(layer_bytes(p, udp) + UDP_LENGTH);

	*out = (struct load){ vxlan->offset + VXLAN_HEADER, p->datagram_end, LAYER_eth };
	/* A script may have written another length since parse saw one that fits. */
	if (end >= out->offset && end < out->end)
		out->end = end;
	return true;
}

static bool load_find(const struct packet *p, struct load *out)
{
	if (!p->layer_count || (p->traits & TRAIT_FRAGMENT))
		return false;
	const struct layer *last = &p->layer[p->layer_count - 1];

	switch (last->id) {
	case LAYER_vxlan:
		return vxlan_load(p, last, out);
	case LAYER_gre:
		return gre_load(p, last, out);
	case LAYER_ip:
	case LAYER_ipv6:
		/* RFC 2003, RFC 2473, RFC 4213. A chain of extension headers that lies ends
		 * nowhere. */
		if (p->malformed || (p->proto != PROTO_IP4 && p->proto != PROTO_IP6))
			return false;
		*out = (struct load){ (size_t)last->offset + last->length, p->datagram_end,
			LAYER_ip };
		return true;
	}
	return false;
}

/* The checksum that is still to be completed, if it is one of the view's. */
static struct packet_csum csum_inside(const struct packet *outer, const struct load *load)
{
	struct packet_csum csum = outer->csum;

	if (csum.state != CSUM_PARTIAL || csum.start < load->offset)
		return (struct packet_csum){ 0 };
	csum.start = (uint16_t)(csum.start - load->offset);
	return csum;
}

bool inner_view(struct packet *view, struct packet *outer)
{
	unsigned depth = 0;
	struct load load;

	for (const struct packet *p = outer; p; p = p->outer)
		depth++;
	if (depth > INNER_DEPTH || !load_find(outer, &load))
		return false;
	uint8_t *data = outer->data + load.offset, *tail = outer->data + load.end;

	*view = (struct packet){
		.head = data,
		.data = data,
		.tail = tail,
		.end = tail,
		.port = outer->port,
		.outer = outer,
		.time = outer->time,
		.csum = csum_inside(outer, &load),
		.first = (uint8_t)load.first,
	};
	parse(view);
	return true;
}

struct packet *inner_at(struct packet *p, struct packet *views, unsigned depth)
{
	for (; depth && p; depth--, views++)
		p = inner_view(views, p) ? views : NULL;
	return p;
}
