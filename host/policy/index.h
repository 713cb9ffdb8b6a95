/* SPDX-License-Identifier: MIT */
/* Tells which of many rules that test the same field may hold for a packet, by one look. */
#pragma once

#include "host/policy/match.h"

struct rule;
struct index;

/* An index of the rules, or NULL where none pays (or no memory): then every rule is asked. */
struct index *index_new(struct rule *const *rules, unsigned count);
void index_free(struct index *index);

/* The first rule from `from` on that may hold: none before it does; is_sure says that it does hold.
 * The count of rules at the end. Stateless, so that it stays right whatever an action writes. */
unsigned index_next(const struct index *index, unsigned from, const struct packet *p,
	struct views *views, bool *is_sure);
