/* SPDX-License-Identifier: MIT */
/* The links of a recorded network that have changed, in order, until somebody asks. */
#pragma once

#include <stdbool.h>

#include "host/netlink/netlink.h"

struct changed_link;

struct changes {
	struct changed_link *first; /* NULL: none */
	struct changed_link *taken; /* the one that was given out last */
};

void changes_fini(struct changes *changes);

/* One that cannot be remembered, for want of memory, is forgotten. */
void changes_add(struct changes *changes, const char *netns, int ifindex, bool is_gone);

/* The oldest one, which is then forgotten; netns is valid until the next call. false: none. */
bool changes_next(struct changes *changes, const char **netns, int *ifindex, bool *is_gone);
