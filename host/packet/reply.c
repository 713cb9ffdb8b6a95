/* SPDX-License-Identifier: MIT */
/* Decides whether a packet may be answered, and makes it its own answer in place. */
#include "host/packet/reply.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/options.h"
#include "host/packet/resolve.h"
#include "host/packet/scope.h"
#include "host/packet/wire.h"

/* What differs between the families. */
struct shape {
	uint8_t src, dst, addr_bytes, ttl, fixed;
};

static const struct shape shape4 = { IP_SRC, IP_DST, 4, IP_TTL, IP_HEADER };
static const struct shape shape6 = { IPV6_SRC, IPV6_DST, 16, IPV6_HLIM, IPV6_HEADER };

static const struct layer *network_of(const struct packet *p, const struct shape **shape)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	*shape = ip ? &shape4 : &shape6;
	return ip ? ip : packet_layer(p, LAYER_ipv6);
}

static bool is_unicast(const struct shape *shape, const uint8_t *addr)
{
	return shape == &shape4 ? scope_is_unicast4(addr) : scope_is_unicast6(addr);
}

static bool is_question(const struct packet *p, const struct layer *transport)
{
	const uint8_t *bytes = layer_bytes(p, transport);

	switch (transport->id) {
	case LAYER_icmp:
		return bytes[0] == ICMP_ECHO_REQUEST;
	case LAYER_icmpv6:
		/* RFC 4443 4.1: identifier and sequence number are part of it. */
		return bytes[0] == ICMPV6_ECHO_REQUEST && transport->length == ICMP_HEADER;
	case LAYER_tcp:
		return !(bytes[TCP_FLAGS] & 4); /* RFC 9293 3.5.2: a reset is never answered */
	}
	return true;
}

static bool sums_are_right(
	const struct packet *p, const struct layer *network, const struct layer *transport)
{
	if (network->id == LAYER_ip && !checksum_ip_is_right(p, network))
		return false;
	if (!transport || p->csum.state != CSUM_NONE)
		return true;
	return checksum_transport_is_right(p, network, transport);
}

static bool is_for_group(const struct packet *p)
{
	const struct layer *eth = packet_layer(p, LAYER_eth);

	return eth && (*layer_bytes(p, eth) & 1);
}

/* IEEE 802.3 3.2.3: a group is no source; the answer would go to all of it. */
static bool is_from_group(const struct packet *p)
{
	const struct layer *eth = packet_layer(p, LAYER_eth);

	return eth && (layer_bytes(p, eth)[MAC_BYTES] & 1);
}

static bool is_solicitation(const struct packet *p)
{
	const struct layer *icmp = packet_layer(p, LAYER_icmpv6);

	return icmp && *layer_bytes(p, icmp) == ICMPV6_NS;
}

enum reply_check reply_check(const struct packet *p)
{
	const struct shape *shape;
	const struct layer *network = network_of(p, &shape);
	const uint8_t *target;

	if (p->written & (WRITTEN_ADDRESS | WRITTEN_PORT | WRITTEN_TURNED))
		return REPLY_WRITTEN;
	if (packet_layer(p, LAYER_arp))
		return resolve_is_arp_question(p, &target) ? REPLY_MAY : REPLY_NO_ANSWER;
	if (is_solicitation(p))
		return resolve_is_nd_question(p, &target) ? REPLY_MAY : REPLY_NO_ANSWER;
	if (!network || !packet_is_sound(p))
		return REPLY_MALFORMED;
	const uint8_t *ip = layer_bytes(p, network);
	const struct layer *transport = checksum_transport(p, network);

	if (p->traits & TRAIT_FRAGMENT)
		return REPLY_FRAGMENT;
	if (transport && !is_question(p, transport))
		return REPLY_NO_ANSWER;
	if (p->traits & (TRAIT_ROUTED | TRAIT_UNKNOWN_OPT))
		return REPLY_ROUTED;
	if (is_from_group(p) || !is_unicast(shape, ip + shape->src) ||
		!memcmp(ip + shape->src, ip + shape->dst, shape->addr_bytes))
		return REPLY_BAD_SOURCE;
	if (!is_unicast(shape, ip + shape->dst) || is_for_group(p))
		return REPLY_GROUP;
	return sums_are_right(p, network, transport) ? REPLY_MAY : REPLY_BAD_CHECKSUM;
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	uint8_t keep[16];

	memcpy(keep, a, len);
	memcpy(a, b, len);
	memcpy(b, keep, len);
}

/* What lay behind `extra` bytes of options now follows the fixed header. Not found by parsing anew:
 * a script may have written types and lengths in which parse finds nothing. */
static void layers_close_up(struct packet *p, const struct layer *network, size_t extra)
{
	size_t i = (size_t)(network - p->layer);

	p->layer[i].length -= (uint16_t)extra;
	while (++i < p->layer_count)
		p->layer[i].offset -= (uint32_t)extra;
	p->datagram_end -= (uint32_t)extra;
	p->traits &= (uint16_t) ~(TRAIT_OPTIONS | TRAIT_ATOMIC);
}

/* The headers up to the fixed network header move up to the transport: options and extension
 * headers are left behind, so a record route or a routing header is never sent on blindly. */
static void options_strip(struct packet *p, const struct layer *network, const struct shape *shape)
{
	size_t extra = network->length - shape->fixed;
	size_t front = network->offset + shape->fixed;

	memmove(p->data + extra, p->data, front);
	packet_pull(p, extra);
	if (p->csum.state == CSUM_PARTIAL)
		p->csum.start -= (uint16_t)extra;
	uint8_t *ip = p->data + network->offset;

	if (shape == &shape4) {
		ip[0] = 0x45;
		store_be16(ip + IP_LEN, (uint16_t)(load_be16(ip + IP_LEN) - extra));
	} else {
		ip[IPV6_NXT] = p->proto;
		store_be16(ip + IPV6_PLEN, (uint16_t)(load_be16(ip + IPV6_PLEN) - extra));
	}
	layers_close_up(p, network, extra);
	if (shape == &shape4)
		checksum_ip_fill(p, network);
}

/* RFC 1122 3.2.2.6: record route and timestamp go back, updated with the address that was pinged.
 */
static void options_update(
	const struct packet *p, const struct layer *ip, const struct reply_self *self)
{
	uint8_t *bytes = layer_bytes(p, ip);
	int64_t ms = (p->time.ns + self->epoch_ns) / NS_PER_MS;
	const int64_t ms_a_day = 86400000;

	options_answer(bytes + IP_HEADER, ip->length - IP_HEADER, bytes + IP_DST,
		(uint32_t)(ms % ms_a_day));
	checksum_ip_fill(p, ip);
}

/* The checksum changes by what the type changed by; adding to it verifies for every checksum. */
static void echo_turn(const struct packet *p, const struct layer *icmp, uint8_t type)
{
	uint8_t *bytes = layer_bytes(p, icmp);
	uint16_t before = (uint16_t)(bytes[0] << 8);
	uint16_t delta = checksum_delta(before, (uint16_t)(type << 8));

	bytes[0] = type;
	if (p->csum.state != CSUM_PARTIAL)
		store_be16(bytes + ICMP_CHECKSUM,
			checksum_add(load_be16(bytes + ICMP_CHECKSUM), delta));
}

static void transport_turn(const struct packet *p, const struct layer *transport)
{
	uint8_t *bytes = layer_bytes(p, transport);

	if (transport->id == LAYER_icmp)
		echo_turn(p, transport, ICMP_ECHO_REPLY);
	else if (transport->id == LAYER_icmpv6)
		echo_turn(p, transport, ICMPV6_ECHO_REPLY);
	else
		swap(bytes, bytes + 2, 2); /* the sum of both ports stays, a CRC does not */
	if (transport->id == LAYER_sctp)
		checksum_sctp_store(p, transport, 0);
}

static void ttl_set(uint8_t *ip, const struct shape *shape, uint8_t ttl)
{
	uint16_t before = load_be16(ip + IP_TTL);

	ip[shape->ttl] = ttl;
	if (shape == &shape4)
		store_be16(
			ip + IP_CHECKSUM, checksum_add(load_be16(ip + IP_CHECKSUM),
						  checksum_delta(before, load_be16(ip + IP_TTL))));
}

static void datagram_turn(struct packet *p, const struct reply_self *self, uint8_t ttl)
{
	const struct shape *shape;
	const struct layer *network = network_of(p, &shape);

	packet_trim(p, p->datagram_end);
	if (p->traits & TRAIT_RECORD) {
		options_update(p, network, self);
	} else if (network->length > shape->fixed) {
		options_strip(p, network, shape);
	}
	uint8_t *ip = layer_bytes(p, network);
	const struct layer *transport = checksum_transport(p, network);

	swap(ip + shape->src, ip + shape->dst, shape->addr_bytes);
	if (transport)
		transport_turn(p, transport);
	if (!(p->written & WRITTEN_TTL))
		ttl_set(ip, shape, ttl);
	if (p->first == LAYER_eth)
		swap(p->data, p->data + MAC_BYTES, MAC_BYTES);
}

void reply_turn(struct packet *p, const struct reply_self *self, uint8_t ttl)
{
	if (packet_layer(p, LAYER_arp))
		resolve_arp_turn(p, self->mac);
	else if (is_solicitation(p))
		resolve_nd_turn(p, self->mac);
	else
		datagram_turn(p, self, ttl);
}

const char *reply_check_text(enum reply_check check)
{
	static const char *const texts[] = {
		[REPLY_MAY] = "it may be answered",
		[REPLY_MALFORMED] = "it is malformed or of no known kind",
		[REPLY_NO_ANSWER] = "it is an answer or an error itself",
		[REPLY_FRAGMENT] = "it is a fragment",
		[REPLY_ROUTED] = "it came by a source route",
		[REPLY_BAD_SOURCE] = "its source may not be answered",
		[REPLY_GROUP] = "it was sent to a group",
		[REPLY_BAD_CHECKSUM] = "its checksum is wrong",
		[REPLY_WRITTEN] = "its addresses or ports were written by hand",
	};

	return texts[check];
}
