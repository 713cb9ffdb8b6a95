/* SPDX-License-Identifier: MIT */
/* Looks for lies where parse does not go: in options and DNS records. */
#pragma once

#include "host/packet/packet.h"

/* Why p is malformed and where (bytes from data): as parse found, else the first option of TCP,
 * neighbour discovery or DHCP, or record of DNS, that does not fit. What it finds hinders no rule
 * and no answer. MALFORMED_none: nothing, *at is untouched. Not on the data path. */
enum malformed_reason inspect(const struct packet *p, size_t *at);
