/* SPDX-License-Identifier: MIT */
/* What a dump finds: records of one kind, in an array that grows. */
#pragma once

#include <libmnl/libmnl.h>

#include "host/netlink/netlink.h"

struct found {
	size_t size;	 /* bytes of a record */
	uint32_t wanted; /* by which the reader of messages chooses (a link, a table); 0: all */
	void *records;	 /* NULL: none */
	unsigned count;
};

/* For the reader, which returns what this does: appends a copy of the record. MNL_CB_OK, or
 * MNL_CB_ERROR without memory. */
int found_add(struct found *found, const void *record);

/* Has each message of the dump read, with `found` as the reader's argument. 0: the caller frees the
 * records; or -errno: there are none. */
int found_dump(
	struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t read, struct found *found);
