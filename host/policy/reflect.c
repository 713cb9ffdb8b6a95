/* SPDX-License-Identifier: MIT */
/* Answers a ping: says whether a packet asks for an address of ours, and turns it round. */
#include "host/policy/reflect.h"

#include <stdlib.h>
#include <string.h>

#include "host/packet/reply.h"
#include "host/packet/resolve.h"
#include "host/packet/scope.h"
#include "host/packet/wire.h"

static struct prefix *prefixes_copy(const struct prefix *from, unsigned count)
{
	struct prefix *copy = calloc(count ? count : 1, sizeof(*copy));

	if (copy && count)
		memcpy(copy, from, count * sizeof(*copy));
	return copy;
}

struct reflect *reflect_new(const struct prefix *net, unsigned net_count,
	const struct prefix *except, unsigned except_count)
{
	struct reflect *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct reflect){ .net_count = net_count,
		.except_count = except_count,
		.refs = 1,
		.ttl = 64,
		.echo = true,
		.arp = true,
		.nd = true };
	r->net = prefixes_copy(net, net_count);
	r->except = prefixes_copy(except, except_count);
	if (!r->net || !r->except) {
		reflect_release(r);
		return NULL;
	}
	return r;
}

struct reflect *reflect_hold(struct reflect *r)
{
	r->refs++;
	return r;
}

void reflect_release(struct reflect *r)
{
	if (--r->refs)
		return;
	free(r->net);
	free(r->except);
	free(r);
}

/* RFC 1122 3.2.1.3: in one of the prefixes, and neither its network nor its broadcast address. */
static bool is_host_of(
	const struct prefix *prefixes, unsigned count, uint8_t family, const uint8_t *addr)
{
	bool is_in = false;

	for (unsigned i = 0; i < count; i++) {
		if (!prefix_contains(&prefixes[i], family, addr))
			continue;
		if (prefix_is_network_or_broadcast(&prefixes[i], addr))
			return false;
		is_in = true;
	}
	return is_in;
}

static bool is_edge_of(const struct prefix *prefixes, unsigned count, const uint8_t *addr)
{
	for (unsigned i = 0; i < count; i++) {
		if (prefix_is_network_or_broadcast(&prefixes[i], addr))
			return true;
	}
	return false;
}

static bool is_held(const struct station *station, uint8_t family, const uint8_t *addr)
{
	for (unsigned i = 0; i < station->addr_count; i++) {
		const struct addr *held = &station->addrs[i].addr;

		if (held->family == family && !memcmp(held->bytes, addr, family_bytes(family)))
			return true;
	}
	return false;
}

/* Answering for an address that the kernel holds would disturb its duplicate-address detection. */
static bool is_ours(
	const struct reflect *r, const struct station *station, uint8_t family, const uint8_t *addr)
{
	const struct prefix *net = r->net_count ? r->net : station->addrs;
	unsigned count = r->net_count ? r->net_count : station->addr_count;

	if (family == FAMILY_4 ? !scope_is_unicast4(addr) : !scope_is_unicast6(addr))
		return false;
	if (!is_host_of(net, count, family, addr) || is_held(station, family, addr))
		return false;
	if (family == FAMILY_4 && is_edge_of(station->addrs, station->addr_count, addr))
		return false;
	for (unsigned i = 0; i < r->except_count; i++) {
		if (prefix_contains(&r->except[i], family, addr))
			return false;
	}
	return true;
}

/* Later fragments of ICMP are taken for parts of a request: they are counted, never answered. */
static bool is_request(const struct packet *p, enum layer_id id, uint8_t request)
{
	const struct layer *icmp = packet_layer(p, id);

	return icmp ? *layer_bytes(p, icmp) == request : (p->traits & TRAIT_LATER) != 0;
}

static enum verdict unanswered(struct packet *p, enum reply_check why)
{
	static const uint8_t wishes[] = {
		[REPLY_MALFORMED] = DROP_malformed,
		[REPLY_NO_ANSWER] = 0,
		[REPLY_FRAGMENT] = DROP_fragment,
		[REPLY_ROUTED] = DROP_source_route,
		[REPLY_BAD_SOURCE] = DROP_bad_source,
		[REPLY_GROUP] = DROP_bad_source,
		[REPLY_BAD_CHECKSUM] = DROP_bad_checksum,
		[REPLY_WRITTEN] = 0,
	};

	if (wishes[why])
		p->wish = wishes[why];
	return VERDICT_NONE;
}

/* The address that a packet asks for, and what kind of question it is. */
struct question {
	const uint8_t *target;
	uint8_t family;
	bool is_echo;
};

static bool echo_question(const struct packet *p, struct question *out)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *network = ip ? ip : packet_layer(p, LAYER_ipv6);

	if (!network || p->proto != (ip ? PROTO_ICMP : PROTO_ICMPV6))
		return false;
	if (ip ? !is_request(p, LAYER_icmp, ICMP_ECHO_REQUEST)
	       : !is_request(p, LAYER_icmpv6, ICMPV6_ECHO_REQUEST))
		return false;
	*out = (struct question){ layer_bytes(p, network) + (ip ? IP_DST : IPV6_DST),
		ip ? FAMILY_4 : FAMILY_6, true };
	return true;
}

/* The kernel's own probe for an address that it is about to hold is never ours to answer. */
static bool is_own_probe(const struct station *station, const struct packet *p)
{
	return resolve_is_dad(p) && !memcmp(p->data + MAC_BYTES, station->link_mac, MAC_BYTES);
}

static bool question_find(const struct reflect *r, const struct station *station,
	const struct packet *p, struct question *out)
{
	*out = (struct question){ .family = FAMILY_4 };
	if (packet_layer(p, LAYER_arp))
		return r->arp && resolve_is_arp_question(p, &out->target);
	out->family = FAMILY_6;
	if (r->nd && resolve_is_nd_question(p, &out->target))
		return !is_own_probe(station, p);
	return r->echo && echo_question(p, out);
}

/* Frames to our MAC; ARP also by broadcast, solicitations also by their multicast. */
static bool is_to_us(const struct packet *p, const uint8_t *mac, const struct question *question)
{
	const uint8_t *dst = p->data;

	return p->first != LAYER_eth || !memcmp(dst, mac, MAC_BYTES) ||
	       (!question->is_echo && (dst[0] & 1));
}

static bool has_edge_source(
	const struct reflect *r, const struct station *station, const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *asking = ip ? ip : packet_layer(p, LAYER_arp);

	if (!asking)
		return false;
	const uint8_t *src = layer_bytes(p, asking) + (ip ? IP_SRC : ARP_SRC_IP);

	return is_edge_of(station->addrs, station->addr_count, src) ||
	       is_edge_of(r->net, r->net_count, src);
}

enum verdict reflect_verdict(
	const struct reflect *r, const struct station *station, struct packet *p)
{
	static const uint8_t no_mac[MAC_BYTES];
	struct reply_self self = station->self;
	struct question question;

	if (!question_find(r, station, p, &question))
		return VERDICT_NONE;
	if (memcmp(r->mac, no_mac, MAC_BYTES))
		memcpy(self.mac, r->mac, MAC_BYTES);
	if (!is_to_us(p, self.mac, &question) ||
		!is_ours(r, station, question.family, question.target))
		return VERDICT_NONE;
	enum reply_check check = reply_check(p);

	/* RFC 1122 3.2.1.3: our subnet's broadcast address is no source either. */
	if (check == REPLY_MAY && has_edge_source(r, station, p))
		check = REPLY_BAD_SOURCE;
	if (check != REPLY_MAY)
		return unanswered(p, check);
	reply_turn(p, &self, r->ttl);
	return VERDICT_REPLY;
}
