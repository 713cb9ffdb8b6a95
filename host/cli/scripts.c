/* SPDX-License-Identifier: MIT */
/* Finds the script that shall see the packets. */
#include "host/cli/scripts.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/nearest.h"

static char dir_found[PATH_MAX];

const char *scripts_dir(void)
{
	char exe[PATH_MAX], path[PATH_MAX + 32];

	if (dir_found[0])
		return dir_found;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n < 0)
		return "";
	exe[n] = '\0';
	char *slash = strrchr(exe, '/');

	*slash = '\0';
	snprintf(path, sizeof(path), "%s/../share/moontap/scripts", exe);
	if (!realpath(path, dir_found))
		dir_found[0] = '\0';
	return dir_found;
}

/* Remembers the names once: the nearest one must outlive this call. */
static const char *nearest_script(const char *script)
{
	static char names[64][64];
	const char *words[65] = { NULL };
	DIR *dir = opendir(scripts_dir());
	unsigned count = 0;

	for (const struct dirent *entry; dir && count < 64 && (entry = readdir(dir));) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || len >= sizeof(names[0]) || strcmp(entry->d_name + len - 4, ".lua"))
			continue;
		memcpy(names[count], entry->d_name, len - 4);
		names[count][len - 4] = '\0';
		words[count] = names[count];
		count++;
	}
	if (dir)
		closedir(dir);
	return nearest(script, words);
}

bool scripts_find(const char *script, char *out, size_t room, const char **nearest_out)
{
	if (!strcmp(script, "-") || !access(script, F_OK)) {
		snprintf(out, room, "%s", script);
		return true;
	}
	if (!strchr(script, '/')) {
		snprintf(out, room, "%s/%s.lua", scripts_dir(), script);
		if (!access(out, F_OK))
			return true;
	}
	if (nearest_out)
		*nearest_out = nearest_script(script);
	return false;
}
