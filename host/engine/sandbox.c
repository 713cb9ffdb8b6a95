/* SPDX-License-Identifier: MIT */
/* Leaves the machine's network, so that no packet of ours can reach it. */
#include "host/engine/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/netlink/link.h"

static int file_write(const char *path, const char *text, struct refusal *why)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return refuse(why, error, "sandbox: cannot write %s: %s", path, strerror(error));
	}
	close(fd);
	return 0;
}

static int ids_map(unsigned uid, unsigned gid, struct refusal *why)
{
	char map[32];
	int error = file_write("/proc/self/setgroups", "deny", why);

	if (error)
		return error;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	error = file_write("/proc/self/uid_map", map, why);
	if (error)
		return error;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return file_write("/proc/self/gid_map", map, why);
}

/* One entry of the old /run, bound or, if it is a symbolic link, made again. */
static void entry_bind(int old, const struct dirent *entry)
{
	char from[64 + sizeof(entry->d_name)], to[16 + sizeof(entry->d_name)];
	struct stat st;

	snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", old, entry->d_name);
	snprintf(to, sizeof(to), "/run/%s", entry->d_name);
	if (fstatat(old, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (S_ISLNK(st.st_mode)) {
		char target[1024];
		ssize_t n = readlinkat(old, entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			return;
		target[n] = '\0';
		if (symlink(target, to))
			return;
	} else if (S_ISDIR(st.st_mode)) {
		if (!mkdir(to, 0755))
			mount(from, to, NULL, MS_BIND | MS_REC, NULL);
	} else {
		int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0)
			return;
		close(fd);
		mount(from, to, NULL, MS_BIND, NULL);
	}
}

/* `ip netns add` keeps its names in /run/netns: ours are not the machine's. An entry that cannot
 * be bound back is left out: nothing here needs it. */
static int run_replace(struct refusal *why)
{
	int old = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (old < 0)
		return 0; /* no /run, nothing to hide */
	if (mount("moontap", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")) {
		int error = errno;

		close(old);
		return refuse(
			why, error, "sandbox: cannot mount a private /run: %s", strerror(error));
	}
	DIR *dir = fdopendir(old);

	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			strcmp(entry->d_name, "netns"))
			entry_bind(old, entry);
	}
	mkdir("/run/netns", 0755);
	if (dir)
		closedir(dir);
	return 0;
}

static int lo_up(struct refusal *why)
{
	struct netlink netlink;
	struct link lo;
	int error = netlink_open(&netlink, why);

	if (error)
		return error;
	error = link_get(&netlink, "lo", 0, &lo, why);
	if (!error)
		error = link_set(&netlink, &lo, &(struct link_change){ .up = 1 }, why);
	netlink_close(&netlink);
	return error;
}

int sandbox_enter(struct refusal *why)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS)) {
		int error = errno;

		return refuse(why, error,
			"sandbox: this system allows no user namespaces: %s (as root: sysctl "
			"kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000 or "
			"kernel.apparmor_restrict_unprivileged_userns=0; in a container, allow "
			"unshare)",
			strerror(error));
	}
	int error = ids_map(uid, gid, why);

	if (error)
		return error;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return refuse(
			why, errno, "sandbox: cannot make mounts private: %s", strerror(errno));
	error = run_replace(why);
	if (!error)
		error = lo_up(why);
	if (error)
		return error;
	/* ping then uses a datagram socket, where the kernel verifies checksums; in a user
	 * namespace with one id only "0 0" is accepted. */
	return file_write("/proc/sys/net/ipv4/ping_group_range", "0 0", why);
}
