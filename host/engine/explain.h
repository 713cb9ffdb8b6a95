/* SPDX-License-Identifier: MIT */
/* Each change as the line of ip(8) or sysctl(8) that does the same. */
#pragma once

#include "host/netlink/netlink.h"

/* netlink, of the same namespace, knows the links' names. */
void explain_change(
	struct netlink *netlink, const struct netlink_change *change, char *out, size_t room);
void explain_sysctl(const char *netns, const char *path, const char *value, char *out, size_t room);
