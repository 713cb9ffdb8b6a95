/* SPDX-License-Identifier: MIT */
/* A network of our own: user, network and mount namespaces in which the caller is root. */
#pragma once

#include "host/base/refusal.h"

/* Before any thread. Afterwards: an empty network with lo up, ping for everybody in it, an empty
 * /run/netns of our own, and the host's network out of reach. 0 or -errno with why. */
int sandbox_enter(struct refusal *why);
