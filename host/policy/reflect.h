/* SPDX-License-Identifier: MIT */
/* The fast path that answers echo requests, ARP and ND for addresses that nobody else holds. */
#pragma once

#include "host/packet/packet.h"
#include "host/policy/station.h"
#include "host/policy/verdict.h"

struct reflect {
	struct prefix *net; /* answered for; none: the prefixes of the station's addresses */
	unsigned net_count;
	struct prefix *except;
	unsigned except_count;
	unsigned refs;
	uint8_t ttl;
	uint8_t mac[6]; /* ours on L2 ports; all 0: the station's */
	bool echo, arp, nd;
};

/* Answers for `net` but not for `except`; both are copied. NULL: no memory. */
struct reflect *reflect_new(const struct prefix *net, unsigned net_count,
	const struct prefix *except, unsigned except_count);
struct reflect *reflect_hold(struct reflect *r);
void reflect_release(struct reflect *r);

/* Turns an echo request to one of r's addresses into its reply, in place (RFC 792, 1122 3.2.2.6,
 * 4443 4.2); on L2 ports also ARP requests and neighbour solicitations (RFC 826, 4861).
 * VERDICT_REPLY if p was rewritten; VERDICT_NONE if it is not ours, and p's bytes are untouched:
 * p->wish then says why a request of ours is not answered. */
enum verdict reflect_verdict(
	const struct reflect *r, const struct station *station, struct packet *p);
