/* SPDX-License-Identifier: MIT */
/* Keeps what happened to each packet until somebody reads it. */
#include "host/engine/seen.h"

#include <stdlib.h>

void seen_add(struct seen_list *list, const struct seen *seen)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct seen *all = realloc(list->all, room * sizeof(*all));

		if (!all) {
			list->is_short = true;
			if (seen->packet)
				packet_free(seen->packet);
			return;
		}
		list->all = all;
		list->room = room;
	}
	list->all[list->count++] = *seen;
}

void seen_forget(struct seen_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->all[i].packet)
			packet_free(list->all[i].packet);
	}
	list->count = 0;
}

void seen_fini(struct seen_list *list)
{
	seen_forget(list);
	free(list->all);
	*list = (struct seen_list){ 0 };
}

const char *seen_verdict(const struct seen *seen)
{
	return seen->verdict == VERDICT_NONE ? "send" : verdict_name(seen->verdict);
}
