/* SPDX-License-Identifier: MIT */
/* Makes other packets of one, for tests: legal ones, and ones that lie. The same seed makes the
 * same. */
#pragma once

#include "host/base/rng.h"
#include "host/packet/packet.h"

enum { MUTATE_PAYLOAD = 256 }; /* bytes of the longest payload that is made up */

/* Gives p's fields, those of the packets in it, and a payload that nothing known reads, random
 * values of which no receiver would complain; layers, lengths that fit and what ties one layer to
 * the next stay. All checksums become right. For a packet that is not malformed; with room for
 * MUTATE_PAYLOAD more bytes. */
void mutate_fields(struct packet *p, struct rng *rng);

/* Makes p malformed, or a checksum of it wrong: cuts it, or lets one header lie. Parsed anew.
 * false: it is empty. */
bool mutate_corrupt(struct packet *p, struct rng *rng);
