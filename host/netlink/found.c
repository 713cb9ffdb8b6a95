/* SPDX-License-Identifier: MIT */
/* Keeps what a dump finds. */
#include "host/netlink/found.h"

#include <stdlib.h>
#include <string.h>

int found_add(struct found *found, const void *record)
{
	char *more = realloc(found->records, (found->count + 1) * found->size);

	if (!more)
		return MNL_CB_ERROR;
	found->records = more;
	memcpy(more + found->count++ * found->size, record, found->size);
	return MNL_CB_OK;
}

static void found_restart(void *arg)
{
	((struct found *)arg)->count = 0;
}

int found_dump(
	struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t read, struct found *found)
{
	int error = netlink_dump(netlink, request, read, found_restart, found);

	if (error) {
		free(found->records);
		found->records = NULL;
		found->count = 0;
	}
	return error;
}
