/* SPDX-License-Identifier: MIT */
/* The sysctls of a recorded network. */
#pragma once

#include "host/netlink/netlink.h"
#include "host/netlink/sysctl.h"

struct setting;

struct settings {
	struct setting *first; /* NULL: none was set */
};

void settings_fini(struct settings *settings);

/* What was set, or else what is set on this machine, or "0"; SYSCTL_VALUE bytes. */
void settings_get(const struct settings *settings, const char *netns, const char *path, char *out);

/* 0 or -ENOMEM. */
int settings_set(struct settings *settings, const char *netns, const char *path, const char *value);
