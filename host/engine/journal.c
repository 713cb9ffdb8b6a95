/* SPDX-License-Identifier: MIT */
/* Remembers how to put the network back as it was, and does it. */
#include "host/engine/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/netlink/link.h"
#include "host/netlink/netns.h"
#include "host/netlink/offload.h"

enum { BOOT_ID = 40, PATH_ROOM = 256 };

/* The head of a file: a journal of another boot or namespace is none of ours. */
struct head {
	char magic[8];
	char boot_id[BOOT_ID];
	unsigned long inode;
};

struct journal {
	struct head head;
	struct undo *undos;
	unsigned count, room;
	int fd; /* -1: in memory only */
	char path[PATH_ROOM];
};

static void head_fill(struct head *head)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(head, 0, sizeof(*head));
	memcpy(head->magic, "moontap1", 8);
	if (fd >= 0) {
		if (read(fd, head->boot_id, BOOT_ID - 1) < 0)
			head->boot_id[0] = '\0';
		close(fd);
	}
	head->inode = netns_inode("");
}

const char *journal_dir(void)
{
	static char dir[PATH_ROOM];
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		snprintf(dir, sizeof(dir), "/run/moontap");
	else if (runtime && *runtime)
		snprintf(dir, sizeof(dir), "%s/moontap", runtime);
	else
		return NULL;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return NULL;
	return dir;
}

/* The lock says that the keeper lives: it goes with the process. */
static int file_open(struct journal *journal, const char *dir, struct refusal *why)
{
	/* A pid is of its pid namespace only: the network's is part of the name, and a file that
	 * is locked is not emptied. */
	snprintf(journal->path, sizeof(journal->path), "%s/journal.%lu.%d", dir,
		journal->head.inode, (int)getpid());
	int fd = open(journal->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || ftruncate(fd, 0) ||
		write(fd, &journal->head, sizeof(journal->head)) != sizeof(journal->head)) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return refuse(
			why, error, "journal: cannot write %s: %s", journal->path, strerror(error));
	}
	journal->fd = fd;
	return 0;
}

int journal_open(struct journal **out, const char *dir, struct refusal *why)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return refuse(why, ENOMEM, "journal: out of memory");
	journal->fd = -1;
	head_fill(&journal->head);
	int error = dir ? file_open(journal, dir, why) : 0;

	if (error) {
		free(journal);
		return error;
	}
	*out = journal;
	return 0;
}

static int memory_add(struct journal *journal, const struct undo *undo)
{
	if (journal->count == journal->room) {
		unsigned room = journal->room ? 2 * journal->room : 16;
		struct undo *undos = realloc(journal->undos, room * sizeof(*undos));

		if (!undos)
			return -ENOMEM;
		journal->undos = undos;
		journal->room = room;
	}
	journal->undos[journal->count++] = *undo;
	return 0;
}

int journal_add(struct journal *journal, const struct undo *undo)
{
	struct undo copy = *undo;

	if (copy.kind != UNDO_NETNS)
		copy.inode = netns_inode(copy.netns);
	if (journal->fd >= 0 && write(journal->fd, &copy, sizeof(copy)) != sizeof(copy))
		return -EIO;
	return memory_add(journal, &copy);
}

void journal_forget(struct journal *journal)
{
	journal->count--;
	if (journal->fd >= 0 &&
		ftruncate(journal->fd,
			(off_t)(sizeof(struct head) + journal->count * sizeof(struct undo))))
		return; /* the undo of what was not done finds nothing to undo */
}

unsigned journal_mark(const struct journal *journal)
{
	return journal->count;
}

/* Indices are given out again: is the link that is to be deleted the one that was made? A new name
 * that was ours has been taken back by now. */
static bool is_still_ours(struct netlink *netlink, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct link link;

	if (nlh->nlmsg_type != RTM_DELLINK)
		return true;
	if (link_get(netlink, NULL, info->ifi_index, &link, NULL))
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(*info))
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
			strcmp(mnl_attr_get_str(attr), link.name))
			return false;
	}
	return true;
}

static void netlink_undo(const struct undo *undo)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
	struct netlink netlink;
	char says[8];
	int target = -1;

	memcpy(buffer, undo->payload, undo->len);
	if (undo->is_move) {
		char path[96];

		snprintf(path, sizeof(path),
			undo->to_netns[0] ? "/run/netns/%s" : "/proc/self/ns/net", undo->to_netns);
		target = open(path, O_RDONLY | O_CLOEXEC);
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)target);
	}
	int token = netns_enter(undo->netns, NULL);

	if (token >= -1 && !netlink_open(&netlink, NULL)) {
		if (is_still_ours(&netlink, nlh))
			netlink_talk(&netlink, nlh, says, sizeof(says)); /* gone: no error */
		netlink_close(&netlink);
	}
	netns_leave(token);
	if (target >= 0)
		close(target);
}

static void sysctl_undo(const struct undo *undo)
{
	int token = netns_enter(undo->netns, NULL);

	if (token >= -1)
		sysctl_set(undo->payload, undo->payload + strlen(undo->payload) + 1, NULL);
	netns_leave(token);
}

static void offload_undo(const struct undo *undo)
{
	struct offload_link link;
	int token = netns_enter(undo->netns, NULL);

	memcpy(&link, undo->payload, sizeof(link));
	if (token >= -1)
		offload_set(&link, true);
	netns_leave(token);
}

static void undo_one(const struct undo *undo)
{
	if (netns_inode(undo->netns) != undo->inode)
		return; /* gone, or another one */
	if (undo->kind == UNDO_NETNS)
		netns_del(undo->netns, NULL);
	else if (undo->kind == UNDO_NETLINK)
		netlink_undo(undo);
	else if (undo->kind == UNDO_OFFLOAD)
		offload_undo(undo);
	else
		sysctl_undo(undo);
}

void journal_undo(struct journal *journal, unsigned mark)
{
	while (journal->count > mark) {
		undo_one(&journal->undos[journal->count - 1]);
		journal_forget(journal);
	}
}

void journal_close(struct journal *journal)
{
	journal_undo(journal, 0);
	if (journal->fd >= 0) {
		unlink(journal->path);
		close(journal->fd);
	}
	free(journal->undos);
	free(journal);
}

/* A dead keeper's journal, read back; false: it lives, or is none of ours. */
static bool journal_recover(struct journal *journal, const char *path)
{
	struct head head;
	struct undo undo;

	*journal = (struct journal){ .fd = open(path, O_RDWR | O_CLOEXEC) };
	snprintf(journal->path, sizeof(journal->path), "%s", path);
	head_fill(&journal->head);
	if (journal->fd < 0)
		return false;
	if (flock(journal->fd, LOCK_EX | LOCK_NB) ||
		read(journal->fd, &head, sizeof(head)) != sizeof(head) ||
		memcmp(head.magic, journal->head.magic, sizeof(head.magic)) ||
		head.inode != journal->head.inode) {
		close(journal->fd);
		return false;
	}
	/* After a reboot nothing is left of what it describes. */
	if (strcmp(head.boot_id, journal->head.boot_id))
		return true;
	while (read(journal->fd, &undo, sizeof(undo)) == sizeof(undo)) {
		if (undo.len <= sizeof(undo.payload) && memory_add(journal, &undo))
			break;
	}
	return true;
}

unsigned journal_clean(const char *dir)
{
	DIR *files = opendir(dir);
	unsigned cleaned = 0;

	for (const struct dirent *entry; files && (entry = readdir(files));) {
		char path[PATH_ROOM];
		struct journal journal;

		if (strncmp(entry->d_name, "journal.", 8))
			continue;
		snprintf(path, sizeof(path), "%s/%.60s", dir, entry->d_name);
		if (!journal_recover(&journal, path))
			continue;
		journal_undo(&journal, 0);
		unlink(path);
		close(journal.fd);
		free(journal.undos);
		cleaned++;
	}
	if (files)
		closedir(files);
	return cleaned;
}
