/* SPDX-License-Identifier: MIT */
/* Keeps what a kernel would tell of its links for whoever follows a recorded network. */
#include "host/engine/changes.h"

#include <stdio.h>
#include <stdlib.h>

struct changed_link {
	struct changed_link *next;
	char netns[NETNS_NAME];
	int ifindex;
	bool is_gone;
};

void changes_add(struct changes *changes, const char *netns, int ifindex, bool is_gone)
{
	struct changed_link *changed = calloc(1, sizeof(*changed));
	struct changed_link **last = &changes->first;

	if (!changed)
		return;
	snprintf(changed->netns, sizeof(changed->netns), "%s", netns);
	changed->ifindex = ifindex;
	changed->is_gone = is_gone;
	while (*last)
		last = &(*last)->next;
	*last = changed;
}

bool changes_next(struct changes *changes, const char **netns, int *ifindex, bool *is_gone)
{
	free(changes->taken);
	changes->taken = changes->first;
	if (!changes->taken)
		return false;
	changes->first = changes->taken->next;
	*netns = changes->taken->netns;
	*ifindex = changes->taken->ifindex;
	*is_gone = changes->taken->is_gone;
	return true;
}

void changes_fini(struct changes *changes)
{
	const char *netns;
	int ifindex;
	bool is_gone;

	while (changes_next(changes, &netns, &ifindex, &is_gone))
		continue;
}
