/* SPDX-License-Identifier: MIT */
/* Remembers the sysctls that a script set in a recorded network. */
#include "host/engine/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
	struct setting *next;
	char netns[NETNS_NAME], path[SYSCTL_NAME], value[SYSCTL_VALUE];
};

void settings_fini(struct settings *settings)
{
	while (settings->first) {
		struct setting *setting = settings->first;

		settings->first = setting->next;
		free(setting);
	}
}

static struct setting *setting_find(
	const struct settings *settings, const char *netns, const char *path)
{
	struct setting *setting = settings->first;

	while (setting && (strcmp(setting->netns, netns) || strcmp(setting->path, path)))
		setting = setting->next;
	return setting;
}

void settings_get(const struct settings *settings, const char *netns, const char *path, char *out)
{
	const struct setting *setting = setting_find(settings, netns, path);

	if (setting)
		strcpy(out, setting->value);
	else if (sysctl_get(path, out, NULL))
		strcpy(out, "0");
}

int settings_set(struct settings *settings, const char *netns, const char *path, const char *value)
{
	struct setting *setting = setting_find(settings, netns, path);

	if (!setting) {
		setting = calloc(1, sizeof(*setting));
		if (!setting)
			return -ENOMEM;
		snprintf(setting->netns, sizeof(setting->netns), "%s", netns);
		snprintf(setting->path, sizeof(setting->path), "%s", path);
		setting->next = settings->first;
		settings->first = setting;
	}
	snprintf(setting->value, sizeof(setting->value), "%s", value);
	return 0;
}
