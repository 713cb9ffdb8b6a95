/* SPDX-License-Identifier: MIT */
/* Ports on a link by an AF_XDP socket in copy mode: frames are taken before the kernel's stack sees
 * them (networking/af_xdp.rst). */
#pragma once

#include "host/base/refusal.h"
#include "host/port/port.h"

/* A socket that is given the frames of the link's first queue from when it is bound on; the program
 * that does it stays on the link until this process ends. Needs CAP_NET_RAW, CAP_NET_ADMIN and
 * CAP_BPF, all outside any user namespace. The descriptor, or -errno with why; name is for that. */
int xdp_open(int ifindex, const char *name, struct refusal *why);

/* A closed port; NULL: no memory. free(3) it after close. Its packets' slots are the socket's
 * memory: they count as locked (RLIMIT_MEMLOCK). */
struct port *xdp_port_new(void);
