/* SPDX-License-Identifier: MIT */
/* The kernel's settings under /proc/sys, of the namespace that the thread is in. */
#pragma once

#include <stddef.h>

#include "host/base/refusal.h"

enum { SYSCTL_NAME = 128, SYSCTL_VALUE = 256 };

/* "net.ipv4.ip_forward" or "net/ipv4/ip_forward" (a device name with dots needs the slashes) as a
 * path below /proc/sys into `out` of SYSCTL_NAME bytes. 0 or -EINVAL with why. */
int sysctl_path(const char *name, char *out, struct refusal *why);

/* The value, without its newline, into `out` of SYSCTL_VALUE bytes. path as sysctl_path gave it. */
int sysctl_get(const char *path, char *out, struct refusal *why);
int sysctl_set(const char *path, const char *value, struct refusal *why);
