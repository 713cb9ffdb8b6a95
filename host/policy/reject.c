/* SPDX-License-Identifier: MIT */
/* Says no to a packet, politely and within bounds. */
#include "host/policy/reject.h"

#include <stdlib.h>

#include "host/packet/error.h"
#include "host/packet/wire.h"

enum {
	COST_NS = NS_PER_S / 100, /* of one error */
	BURST = 50,
};

struct kind {
	uint8_t type4, code4, type6, code6;
};

static const struct kind kinds[] = {
#define REJECT(word, type4, code4, type6, code6) { type4, code4, type6, code6 },
#include "host/policy/rejects.def"
#undef REJECT
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), KIND_RESET = KINDS, KIND_PORT = 2, KIND_BIG = 4 };

const char *const reject_words[] = {
#define REJECT(word, type4, code4, type6, code6) word,
#include "host/policy/rejects.def"
#undef REJECT
	"tcp-reset", NULL
};

struct reject *reject_new(int kind)
{
	struct reject *r = calloc(1, sizeof(*r));

	if (r)
		*r = (struct reject){
			.refs = 1, .kind = kind, .mtu = 1280, .tokens_ns = (int64_t)COST_NS * BURST
		};
	return r;
}

struct reject *reject_hold(struct reject *r)
{
	r->refs++;
	return r;
}

void reject_release(struct reject *r)
{
	if (!--r->refs)
		free(r);
}

static bool token_take(struct reject *r, struct mono now)
{
	int64_t most = (int64_t)COST_NS * BURST;

	r->tokens_ns += now.ns - r->filled_at.ns;
	r->filled_at = now;
	if (r->tokens_ns > most)
		r->tokens_ns = most;
	if (r->tokens_ns < COST_NS)
		return false;
	r->tokens_ns -= COST_NS;
	return true;
}

static bool error_send(const struct reject *r, struct packet *p)
{
	bool is_4 = packet_layer(p, LAYER_ip) != NULL;
	int index = r->kind == REJECT_DEFAULT ? KIND_PORT : r->kind;
	const struct kind *kind = &kinds[index];
	const struct addr *from = &r->from[is_4 ? 0 : 1];
	struct icmp_error error = {
		.type = is_4 ? kind->type4 : kind->type6,
		.code = is_4 ? kind->code4 : kind->code6,
		.rest = index == KIND_BIG ? r->mtu : 0,
	};

	return error_make(p, &error, from->family ? from->bytes : NULL);
}

static bool is_edge(const struct station *station, const uint8_t *addr)
{
	for (unsigned i = 0; i < station->addr_count; i++) {
		if (prefix_is_network_or_broadcast(&station->addrs[i], addr))
			return true;
	}
	return false;
}

/* RFC 1122 3.2.2: nothing about a datagram from or to a broadcast address. Those of our subnets
 * only the station knows. */
static bool is_broadcast(const struct station *station, const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	return ip && (is_edge(station, layer_bytes(p, ip) + IP_SRC) ||
			     is_edge(station, layer_bytes(p, ip) + IP_DST));
}

enum verdict reject_verdict(
	struct reject *r, const struct station *station, struct packet *p, enum drop_reason *reason)
{
	bool is_reset =
		r->kind == KIND_RESET || (r->kind == REJECT_DEFAULT && packet_layer(p, LAYER_tcp));

	*reason = DROP_no_reply;
	if ((is_reset ? !error_may_reset(p) : !error_may(p)) || is_broadcast(station, p))
		return VERDICT_DROP;
	if (!token_take(r, p->time)) {
		*reason = DROP_rate_limit;
		return VERDICT_DROP;
	}
	if (is_reset) {
		error_reset(p);
		return VERDICT_REPLY;
	}
	return error_send(r, p) ? VERDICT_REPLY : VERDICT_DROP;
}
