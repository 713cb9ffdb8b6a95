/* SPDX-License-Identifier: MIT */
/* The counters of a host's ports as people read them. */
#pragma once

#include "host/base/text.h"

struct host;

/* A block of lines for each port, all its queues together: rx, decisions (which add up to rx), drop
 * reasons, rules, tx; with several workers, what each had. When no worker runs. */
void stats_print(struct text *out, struct host *host);
