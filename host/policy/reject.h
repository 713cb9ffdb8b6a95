/* SPDX-License-Identifier: MIT */
/* mt.reject: answers a packet with an ICMP error or a TCP reset, not too often. */
#pragma once

#include "host/base/prefix.h"
#include "host/packet/packet.h"
#include "host/policy/station.h"
#include "host/policy/verdict.h"

enum { REJECT_DEFAULT = -1 }; /* a reset for TCP, port-unreachable for the rest */

struct reject {
	unsigned refs;
	int kind;	     /* index of reject_words, or REJECT_DEFAULT */
	uint32_t mtu;	     /* bytes; for too-big */
	struct addr from[2]; /* source of errors, v4 and v6; family 0: the packet's destination */
	int64_t tokens_ns;   /* the bucket: time that has been saved up */
	struct mono filled_at;
};

/* The words of `with`, in rejects.def's order, then "tcp-reset"; NULL at the end. */
extern const char *const reject_words[];

struct reject *reject_new(int kind);
struct reject *reject_hold(struct reject *r);
void reject_release(struct reject *r);

/* Makes p the error about itself: VERDICT_REPLY. VERDICT_DROP, with *reason, where none may be sent
 * (RFC 1122 3.2.2, 4443 2.4) or too many were: 100 a second, 50 at once (RFC 4443 2.4 (f)).
 * station: whose subnets' broadcast addresses are known. */
enum verdict reject_verdict(struct reject *r, const struct station *station, struct packet *p,
	enum drop_reason *reason);
