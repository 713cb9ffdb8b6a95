/* SPDX-License-Identifier: MIT */
/* Knows the numbers by which one header of a packet announces the next. */
#include "host/packet/stack.h"

#include "host/packet/wire.h"

enum {
	ETH_TYPE_TRIAL = 0x88b5, /* IEEE 802: local experimental, for what has no number */
	PROTO_TRIAL = 253,	 /* RFC 3692 2.1 */
};

uint16_t stack_ether_type(enum layer_id child)
{
	return child == LAYER_none ? ETH_TYPE_TRIAL : layer_kinds[child].ether_type;
}

uint8_t stack_ip_proto(enum layer_id child)
{
	return child == LAYER_none ? PROTO_TRIAL : layer_kinds[child].ip_proto;
}

bool stack_may_follow(enum layer_id parent, enum layer_id child)
{
	if (child == LAYER_none)
		return parent != LAYER_none;
	return layer_kinds[child].parents >> parent & 1;
}
