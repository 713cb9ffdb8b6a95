/* SPDX-License-Identifier: MIT */
/* Which header of a packet may stand on which, and the number that says so. */
#pragma once

#include "host/packet/packet.h"

/* May `child` follow `parent`? parent LAYER_none: may it be the first? child LAYER_none: a payload.
 */
bool stack_may_follow(enum layer_id parent, enum layer_id child);

/* IANA ieee-802-numbers and protocol-numbers; 0: there is none. Of a payload that of experiments.
 */
uint16_t stack_ether_type(enum layer_id child);
uint8_t stack_ip_proto(enum layer_id child);
