/* SPDX-License-Identifier: MIT */
/* Makes, enters and lists network namespaces. */
#include "host/netlink/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/netlink/link.h"

static const char *const dir = "/run/netns";

enum { PATH_ROOM = 96 };

static const char *path_of(const char *name, char *out)
{
	if (name[0])
		snprintf(out, PATH_ROOM, "%s/%s", dir, name);
	else
		snprintf(out, PATH_ROOM, "/proc/thread-self/ns/net");
	return out;
}

const char *netns_name_check(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= NETNS_NAME)
		return "a namespace name has 1 to 63 bytes";
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return "a namespace name has no '/' and is not . or ..";
	return NULL;
}

int netns_enter(const char *name, struct refusal *why)
{
	char path[PATH_ROOM];

	if (!name[0])
		return -1;
	int old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = open(path_of(name, path), O_RDONLY | O_CLOEXEC);

	if (old >= 0 && fd >= 0 && setns(fd, CLONE_NEWNET) == 0) {
		close(fd);
		return old;
	}
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (old >= 0)
		close(old);
	if (error == ENOENT)
		refuse(why, error, "netns %s: no such namespace (see them: ip netns)", name);
	else
		refuse(why, error, "netns %s: cannot enter it: %s", name, strerror(error));
	return -error - 1;
}

void netns_leave(int token)
{
	if (token < 0)
		return;
	setns(token, CLONE_NEWNET);
	close(token);
}

/* The names must be seen by others too, and survive an unmount elsewhere: as ip netns does it. */
static int dir_prepare(struct refusal *why)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		return refuse(why, errno, "netns: cannot make %s: %s", dir, strerror(errno));
	if (!mount("", dir, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	if (errno == EINVAL && !mount(dir, dir, "none", MS_BIND | MS_REC, NULL) &&
		!mount("", dir, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	return refuse(why, errno, "netns: cannot share %s: %s", dir, strerror(errno));
}

static void lo_up(void)
{
	struct netlink netlink;
	struct link lo;

	if (netlink_open(&netlink, NULL))
		return;
	if (!link_get(&netlink, "lo", 0, &lo, NULL))
		link_set(&netlink, &lo, &(struct link_change){ .up = 1 }, NULL);
	netlink_close(&netlink);
}

int netns_new(const char *name, ino_t *inode, struct refusal *why)
{
	int old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = -1;

	if (old >= 0 && !unshare(CLONE_NEWNET)) {
		fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		*inode = netns_inode("");
		lo_up();
		setns(old, CLONE_NEWNET);
	}
	int error = errno;

	if (old >= 0)
		close(old);
	if (fd >= 0)
		return fd;
	return refuse(why, error, "netns %s: cannot be made: %s%s", name, strerror(error),
		error == EPERM ? " (it needs CAP_SYS_ADMIN: run it as root, or with --sandbox)"
			       : "");
}

int netns_bind(const char *name, int fd, struct refusal *why)
{
	char path[PATH_ROOM], from[PATH_ROOM];
	int error = dir_prepare(why);

	if (error)
		return error;
	int file = open(path_of(name, path), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (file < 0 && errno == EEXIST)
		return refuse(why, EEXIST, "netns %s: exists already", name);
	if (file < 0)
		return refuse(why, errno, "netns %s: cannot be made: %s", name, strerror(errno));
	close(file);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (!mount(from, path, "none", MS_BIND, NULL))
		return 0;
	error = errno;
	unlink(path);
	return refuse(why, error, "netns %s: cannot be made: %s", name, strerror(error));
}

int netns_del(const char *name, struct refusal *why)
{
	char path[PATH_ROOM];

	path_of(name, path);
	umount2(path, MNT_DETACH);
	if (!unlink(path))
		return 0;
	if (errno == ENOENT)
		return refuse(
			why, ENOENT, "netns %s: no such namespace (see them: ip netns)", name);
	return refuse(why, errno, "netns %s: cannot be deleted: %s", name, strerror(errno));
}

ino_t netns_inode(const char *name)
{
	char path[PATH_ROOM];
	struct stat st;

	return stat(path_of(name, path), &st) ? 0 : st.st_ino;
}

void netns_list(void (*each)(void *arg, const char *name), void *arg)
{
	DIR *names = opendir(dir);

	for (const struct dirent *entry; names && (entry = readdir(names));) {
		if (!netns_name_check(entry->d_name))
			each(arg, entry->d_name);
	}
	if (names)
		closedir(names);
}
