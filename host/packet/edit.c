/* SPDX-License-Identifier: MIT */
/* Moves a packet's bytes and makes lengths and checksums follow. */
#include "host/packet/edit.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/inner.h"
#include "host/packet/parse.h"
#include "host/packet/wire.h"

enum { LENGTH_MAX = 65535 };

static const struct layer *network_of(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	return ip ? ip : packet_layer(p, LAYER_ipv6);
}

/* The transport's checksum before an edit: what it sums to, it shall sum to after it. */
struct cover {
	const struct layer *network, *transport; /* NULL: no checksum covers the payload */
	uint16_t sum;
	uint32_t crc_error;
};

static uint16_t cover_sum(const struct packet *p, const struct cover *cover)
{
	size_t len = p->datagram_end - cover->transport->offset;

	if (p->csum.state != CSUM_PARTIAL)
		return checksum_transport_sum(p, cover->network, cover->transport);
	/* The field holds the pseudo-header's sum, of which the length alone may change. */
	return (uint16_t)~checksum_fold((uint32_t)(len >> 16) + (len & 0xffff));
}

static struct cover cover_take(const struct packet *p)
{
	struct cover cover = { .network = network_of(p) };

	if (cover.network)
		cover.transport = checksum_transport(p, cover.network);
	/* RFC 2784 2.4: GRE's own, if it has one. */
	if (!cover.transport && packet_layer(p, LAYER_gre))
		cover.transport = packet_layer(p, LAYER_gre);
	if (cover.transport && cover.transport->id == LAYER_sctp)
		cover.crc_error = checksum_sctp_error(p, cover.transport);
	else if (cover.transport)
		cover.sum = cover_sum(p, &cover);
	return cover;
}

static void cover_keep(const struct packet *p, const struct cover *cover)
{
	if (!cover->transport)
		return;
	if (cover->transport->id == LAYER_sctp) {
		checksum_sctp_store(p, cover->transport, cover->crc_error);
		return;
	}
	uint16_t sum = cover_sum(p, cover);

	if (sum != cover->sum)
		checksum_transport_add(p, cover->transport, checksum_delta(cover->sum, sum));
}

size_t edit_payload_at(const struct packet *p)
{
	const struct layer *last;

	if (!p->layer_count)
		return 0;
	last = &p->layer[p->layer_count - 1];
	while (last > p->layer && last->id > LAYER_gre)
		last--;
	return (size_t)last->offset + last->length;
}

/* The most bytes that p can have: those its length fields can say. */
static size_t length_most(const struct packet *p)
{
	const struct layer *network = network_of(p);

	if (!network)
		return PACKET_BYTES_MAX;
	return network->offset + LENGTH_MAX + (network->id == LAYER_ipv6 ? IPV6_HEADER : 0);
}

size_t edit_payload_most(const struct packet *p, size_t most)
{
	size_t at = edit_payload_at(p), room = SIZE_MAX;

	for (; p; p = p->outer) {
		size_t longest = length_most(p);

		if (!p->outer && most < longest)
			longest = most;
		longest = longest > at ? longest - at : 0;
		room = longest < room ? longest : room;
		if (p->outer)
			at += (size_t)(p->data - p->outer->data);
	}
	return room;
}

/* Makes the packet `end` bytes long, the first `keep` of them as they were. */
static bool resize(struct packet *p, size_t keep, size_t end)
{
	size_t have = packet_length(p), more = end > have ? end - have : 0;

	if (more > packet_tailroom(p) + packet_headroom(p))
		return false;
	if (more > packet_tailroom(p)) {
		size_t back = more - packet_tailroom(p);

		memmove(p->data - back, p->data, keep);
		p->data -= back;
	}
	p->tail = p->data + end;
	return true;
}

static void lengths_set(struct packet *p)
{
	const struct layer *network = network_of(p), *udp = packet_layer(p, LAYER_udp);
	size_t end = packet_length(p);

	p->datagram_end = (uint32_t)end;
	if (network && network->id == LAYER_ip) {
		uint8_t *bytes = layer_bytes(p, network);
		uint16_t before = load_be16(bytes + IP_LEN);
		uint16_t after = (uint16_t)(end - network->offset);

		store_be16(bytes + IP_LEN, after);
		if (after != before)
			store_be16(bytes + IP_CHECKSUM, checksum_add(load_be16(bytes + IP_CHECKSUM),
								checksum_delta(before, after)));
	} else if (network) {
		store_be16(layer_bytes(p, network) + IPV6_PLEN,
			(uint16_t)(end - network->offset - IPV6_HEADER));
	}
	if (udp && !(p->traits & TRAIT_FRAGMENT))
		store_be16(layer_bytes(p, udp) + UDP_LENGTH, (uint16_t)(end - udp->offset));
}

/* A packet inside others, from the outermost on, and what its checksum sums to. */
struct level {
	struct packet *p;
	size_t offset; /* bytes from the outermost one's data */
	struct cover cover;
};

/* Those of p, outermost first; how many. A checksum that is still to be completed is, if views of
 * its bytes are about to move. */
static unsigned levels_take(struct packet *p, struct level *levels)
{
	unsigned count = 1, i = 1;
	struct packet *outermost = p;

	for (; outermost->outer; outermost = outermost->outer)
		count++;
	/* One inside a packet that is replaced, or whose views move. */
	if (outermost->csum.state == CSUM_PARTIAL &&
		(count > 1 || outermost->csum.start >= edit_payload_at(outermost)))
		checksum_complete(outermost);
	for (; p; p = p->outer, i++) {
		if (p->outer)
			p->csum.state = CSUM_NONE;
		levels[count - i] =
			(struct level){ p, (size_t)(p->data - outermost->data), cover_take(p) };
	}
	return count;
}

enum edit_status edit_payload(struct packet *p, const uint8_t *bytes, size_t len)
{
	struct level levels[INNER_DEPTH + 1];
	unsigned count = levels_take(p, levels);
	struct packet *outermost = levels[0].p;
	size_t at = levels[count - 1].offset + edit_payload_at(p);

	if (!resize(outermost, at, at + len))
		return EDIT_ROOM;
	if (len)
		memcpy(outermost->data + at, bytes, len);
	/* From the inside out: what a packet carries is in its sum. */
	for (unsigned i = count; i-- > 0;) {
		p = levels[i].p;
		p->data = outermost->data + levels[i].offset;
		p->tail = outermost->tail;
		lengths_set(p);
		cover_keep(p, &levels[i].cover);
	}
	if (len <= outermost->gso.size)
		outermost->gso.type = 0;
	parse(outermost);
	for (unsigned i = 1; i < count; i++)
		inner_view(levels[i].p, levels[i - 1].p);
	return EDIT_OK;
}

/* Bytes were put in (or taken out, less than 0) before all that these offsets point at. */
static void offsets_move(struct packet *p, int by)
{
	if (p->csum.state == CSUM_PARTIAL)
		p->csum.start = (uint16_t)(p->csum.start + by);
	if (p->gso.type && p->gso.hdr_len)
		p->gso.hdr_len = (uint16_t)(p->gso.hdr_len + by);
}

/* Does a second tag follow the first? Also one that is cut off: behind a third nobody would see
 * that it is. */
static bool is_tagged_twice(const struct packet *p)
{
	const struct layer *vlan = packet_layer(p, LAYER_vlan);
	uint16_t type = vlan ? load_be16(layer_bytes(p, vlan) + 2) : 0;

	return type == ETH_TYPE_8021Q || type == ETH_TYPE_8021AD;
}

enum edit_status edit_push_vlan(struct packet *p)
{
	bool is_tagged = packet_layer(p, LAYER_vlan);

	if (!packet_layer(p, LAYER_eth))
		return EDIT_ABSENT;
	if (is_tagged_twice(p))
		return EDIT_FULL;
	if (!packet_push(p, VLAN_HEADER))
		return EDIT_ROOM;
	const size_t macs = 2 * (size_t)MAC_BYTES;
	uint8_t *tag = p->data + macs;

	memmove(p->data, p->data + VLAN_HEADER, macs);
	store_be16(tag, is_tagged ? ETH_TYPE_8021AD : ETH_TYPE_8021Q);
	store_be16(tag + 2, 1);
	offsets_move(p, VLAN_HEADER);
	parse(p);
	return EDIT_OK;
}

enum edit_status edit_pop_vlan(struct packet *p, enum layer_id id)
{
	const struct layer *tag = packet_layer(p, id);

	if (!tag)
		return EDIT_ABSENT;
	/* With the type before it that announced it; the type in it stays. */
	memmove(p->data + VLAN_HEADER, p->data, tag->offset - 2);
	packet_pull(p, VLAN_HEADER);
	offsets_move(p, -VLAN_HEADER);
	parse(p);
	return EDIT_OK;
}

enum edit_status edit_pop_tunnel(struct packet *p, enum layer_id id, bool may_change_first)
{
	struct packet view;

	if (!inner_view(&view, p) || p->layer[p->layer_count - 1].id != id)
		return EDIT_ABSENT;
	bool has_link = p->first == LAYER_eth && view.first == LAYER_ip;
	size_t link = has_link ? network_of(p)->offset : 0;
	size_t inside = (size_t)(view.data - p->data), gone = inside - link;

	if (!has_link && view.first != p->first && !may_change_first)
		return EDIT_FIRST;
	packet_trim(p, inside + packet_length(&view));
	memmove(p->data + gone, p->data, link);
	packet_pull(p, gone);
	if (has_link)
		store_be16(
			p->data + link - 2, p->data[link] >> 4 == 4 ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	else
		p->first = view.first;
	/* A checksum still to be completed is the inner packet's, or gone. */
	p->csum = view.csum;
	offsets_move(p, (int)link);
	parse(p);
	return EDIT_OK;
}
