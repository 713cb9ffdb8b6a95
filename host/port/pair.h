/* SPDX-License-Identifier: MIT */
/* Two ports in memory, each the other's far end: for tests, benches and replay. */
#pragma once

#include "host/port/port.h"

/* Two closed ports of the same worker; what one sends the other receives. false: no memory.
 * free(3) each after close; what was sent to a closed end is dropped as gone. */
bool pair_new(enum layer_id first, struct port **left, struct port **right);
