/* SPDX-License-Identifier: MIT */
/* Reads and writes kernel settings. */
#include "host/netlink/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sysctl_path(const char *name, char *out, struct refusal *why)
{
	size_t len = strlen(name);

	if (!len || len >= SYSCTL_NAME || name[0] == '/' || strstr(name, ".."))
		return refuse(why, EINVAL,
			"sysctl %s: no such form (write net.ipv4.ip_forward or "
			"net/ipv4/ip_forward)",
			name);
	strcpy(out, name);
	if (!strchr(name, '/')) {
		for (char *dot = out; (dot = strchr(dot, '.'));)
			*dot = '/';
	}
	return 0;
}

static int value_open(const char *path, int flags, struct refusal *why)
{
	char file[SYSCTL_NAME + 16];

	snprintf(file, sizeof(file), "/proc/sys/%s", path);
	int fd = open(file, flags | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return refuse(why, ENOENT,
			"sysctl %s: there is none of that name (see them: sysctl -a)", path);
	return refuse(why, errno, "sysctl %s: %s%s", path, strerror(errno),
		errno == EACCES || errno == EPERM ? " (as root, or with --sandbox)" : "");
}

int sysctl_get(const char *path, char *out, struct refusal *why)
{
	int fd = value_open(path, O_RDONLY, why);

	if (fd < 0)
		return fd;
	ssize_t n = read(fd, out, SYSCTL_VALUE - 1);
	int error = errno;

	close(fd);
	if (n < 0)
		return refuse(why, error, "sysctl %s: cannot be read: %s", path, strerror(error));
	out[n] = '\0';
	if (n && out[n - 1] == '\n')
		out[n - 1] = '\0';
	return 0;
}

int sysctl_set(const char *path, const char *value, struct refusal *why)
{
	int fd = value_open(path, O_WRONLY, why);

	if (fd < 0)
		return fd;
	ssize_t n = write(fd, value, strlen(value));
	int error = errno;

	close(fd);
	if (n < 0)
		return refuse(why, error, "sysctl %s: does not take \"%s\": %s", path, value,
			strerror(error));
	return 0;
}
