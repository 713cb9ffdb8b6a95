/* SPDX-License-Identifier: MIT */
/* Copies the headers before each piece of the payload and makes them fit it, as the sender would
 * have done. */
#include "host/packet/segment.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/wire.h"

enum {
	GSO_UDP_L4 = 5, /* VIRTIO_NET_HDR_GSO_UDP_L4, which Linux has since 6.2 */
	FIN = 0x01,
	PSH = 0x08,
	CWR = 0x80,
};

/* The transport that packets of that type have. */
static enum layer_id transport_of(uint8_t type)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return LAYER_tcp;
	case GSO_UDP_L4:
		return LAYER_udp;
	default:
		return LAYER_none;
	}
}

bool segments_start(struct segments *segments, const struct packet *p)
{
	const struct layer *network = packet_layer(p, LAYER_ip);

	if (!network)
		network = packet_layer(p, LAYER_ipv6);
	if (!network || !p->gso.size || !packet_is_sound(p) || p->traits & TRAIT_FRAGMENT)
		return false;
	const struct layer *transport = checksum_transport(p, network);

	if (!transport || transport->id != transport_of(p->gso.type))
		return false;
	uint32_t headers = transport->offset + transport->length;

	if (headers > p->datagram_end || p->datagram_end > packet_length(p))
		return false;
	*segments = (struct segments){ .p = p,
		.network = network,
		.transport = transport,
		.headers = headers,
		.size = p->gso.size,
		.at = headers };
	return true;
}

/* The header checksum follows, and stays as wrong as it was. */
static void ip_store(uint8_t *ip, size_t at, uint16_t value)
{
	uint16_t delta = checksum_delta(load_be16(ip + at), value);

	store_be16(ip + at, value);
	if (delta)
		store_be16(ip + IP_CHECKSUM, checksum_add(load_be16(ip + IP_CHECKSUM), delta));
}

static void network_fit(const struct segments *segments, struct packet *out)
{
	uint8_t *bytes = layer_bytes(out, segments->network);
	size_t len = packet_length(out) - segments->network->offset;

	if (segments->network->id == LAYER_ipv6) {
		store_be16(bytes + IPV6_PLEN, (uint16_t)(len - IPV6_HEADER));
		return;
	}
	ip_store(bytes, IP_LEN, (uint16_t)len);
	ip_store(bytes, IP_ID, (uint16_t)(load_be16(bytes + IP_ID) + segments->number));
}

/* RFC 9293 3.1: FIN and PSH tell of what stands at the end; RFC 3168 6.1.2: CWR is said once. */
static void transport_fit(const struct segments *segments, struct packet *out, bool is_last)
{
	uint8_t *bytes = layer_bytes(out, segments->transport);

	if (segments->transport->id == LAYER_udp) {
		store_be16(bytes + UDP_LENGTH,
			(uint16_t)(packet_length(out) - segments->transport->offset));
		return;
	}
	store_be32(bytes + TCP_SEQ, load_be32(bytes + TCP_SEQ) + segments->at - segments->headers);
	if (!is_last)
		bytes[TCP_FLAGS] &= (uint8_t) ~(FIN | PSH);
	if (segments->number)
		bytes[TCP_FLAGS] &= (uint8_t)~CWR;
}

static void checksum_fit(const struct segments *segments, struct packet *out)
{
	bool is_partial = out->csum.state == CSUM_PARTIAL;
	const uint8_t *field = checksum_field(out, segments->transport);

	out->csum.state = CSUM_NONE;
	if (!is_partial && (out->written & WRITTEN_CHECKSUM))
		return;
	/* RFC 768: a datagram without a checksum is cut into datagrams without. */
	if (!is_partial && segments->transport->id == LAYER_udp && !load_be16(field))
		return;
	checksum_transport_fill(out, segments->network, segments->transport);
}

bool segments_next(struct segments *segments, struct packet *out)
{
	const struct packet *p = segments->p;
	uint32_t left = p->datagram_end - segments->at;
	uint32_t len = left < segments->size ? left : segments->size;

	/* One that carries nothing is one segment all the same. */
	if (!left && segments->number)
		return false;
	assert(packet_tailroom(out) >= segments->headers + len);
	memcpy(packet_put(out, segments->headers), p->data, segments->headers);
	memcpy(packet_put(out, len), p->data + segments->at, len);
	packet_know(out, p);
	out->gso = (struct packet_gso){ 0 };
	out->malformed = MALFORMED_none; /* what it said of the payload is true of no piece */
	out->malformed_at = 0;
	packet_layers_keep(out, (unsigned)(segments->transport - p->layer + 1));
	out->datagram_end = segments->headers + len;
	network_fit(segments, out);
	transport_fit(segments, out, len == left);
	checksum_fit(segments, out);
	segments->at += len;
	segments->number++;
	return true;
}
