/* SPDX-License-Identifier: MIT */
/* Lets scripts make legal and malformed packets of one, each seed another. */
#include "bindings/mutate.h"

#include "bindings/packet.h"
#include "host/packet/mutate.h"

/* A copy of the packet at 1, pushed, and the generator that the seed at 2 starts. */
static struct packet *check_copy(lua_State *L, const char *what, struct rng *rng)
{
	const struct packet *p = check_packet(L, 1);

	*rng = (struct rng){ (uint64_t)luaL_checkinteger(L, 2) };
	struct packet *copy = packet_copy(p);
	struct packet *grown =
		copy ? packet_grow(copy, PACKET_HEADROOM, packet_length(copy) + MUTATE_PAYLOAD)
		     : NULL;

	if (!grown && copy)
		packet_free(copy);
	if (!grown)
		luaL_error(L, "%s: out of memory", what);
	packet_push_own(L, grown);
	return grown;
}

/* mt.fuzz(pkt, seed): a packet of the same layers with other legal values. */
int lmutate_fuzz(lua_State *L)
{
	const struct packet *p = check_packet(L, 1);
	struct rng rng;

	if (p->malformed)
		return luaL_error(
			L, "mt.fuzz: this packet is malformed (%s)", malformed_text(p->malformed));
	mutate_fields(check_copy(L, "mt.fuzz", &rng), &rng);
	return 1;
}

/* mt.corrupt(pkt, seed): one that is malformed, or whose checksums are wrong. */
int lmutate_corrupt(lua_State *L)
{
	struct rng rng;

	if (!mutate_corrupt(check_copy(L, "mt.corrupt", &rng), &rng))
		return luaL_error(L, "mt.corrupt: this packet is empty");
	return 1;
}
