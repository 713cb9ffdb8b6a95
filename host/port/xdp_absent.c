/* SPDX-License-Identifier: MIT */
/* Says that this moontap was built without AF_XDP. */
#include <errno.h>

#include "host/port/xdp.h"

int xdp_open(int ifindex, const char *name, struct refusal *why)
{
	(void)ifindex;
	return refuse(why, EOPNOTSUPP, "%s: no AF_XDP: moontap was built without libbpf", name);
}

struct port *xdp_port_new(void)
{
	return NULL;
}
