/* SPDX-License-Identifier: MIT */
/* The counters of a worker's ports as people read them. */
#pragma once

#include "host/base/text.h"
#include "host/engine/lane.h"

/* A block of lines for each lane: rx, decisions (which add up to rx), drop reasons, rules, tx. */
void stats_print(struct text *out, const struct lane *lanes);
