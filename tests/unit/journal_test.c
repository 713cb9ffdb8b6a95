/* SPDX-License-Identifier: MIT */
/* The journal knows each undo before the change is made, and undoes what it made, nothing else. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/engine/request.h"
#include "host/netlink/link.h"
#include "host/netlink/netns.h"

static char dir[64], path[128];

/* A network and a mount namespace of the tests' own. */
static void namespaces_make(void)
{
	int flags = CLONE_NEWNET | CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0);

	ck_assert_int_eq(unshare(flags), 0);
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir("/run/netns", 0755);
	ck_assert_int_eq(mount("none", "/run/netns", "tmpfs", 0, NULL), 0);
}

static void path_of(int pid)
{
	snprintf(path, sizeof(path), "%s/journal.%lu.%d", dir, netns_inode(""), pid);
}

static void setup(void)
{
	strcpy(dir, "/tmp/journal_test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	path_of((int)getpid());
}

static void teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct journal *journal_new(void)
{
	struct journal *journal;

	ck_assert_int_eq(journal_open(&journal, dir, NULL), 0);
	return journal;
}

static long file_size(void)
{
	struct stat st;

	return stat(path, &st) ? -1 : (long)st.st_size;
}

static bool link_is(const char *name)
{
	struct netlink netlink;
	struct link link;

	ck_assert_int_eq(netlink_open(&netlink, NULL), 0);
	bool is = !link_get(&netlink, name, 0, &link, NULL);

	netlink_close(&netlink);
	return is;
}

static int carry(void *arg, const struct netlink_change *change, char *says, size_t room)
{
	struct request request = { .verb = REQUEST_CHANGE, .len = change->request->nlmsg_len };
	struct reply reply;

	memcpy(request.payload, change->request, request.len);
	if (change->undo) {
		request.undo_at = request.len;
		memcpy(request.payload + request.len, change->undo, change->undo->nlmsg_len);
		request.len += change->undo->nlmsg_len;
	}
	request_run(arg, &request, &reply);
	snprintf(says, room, "%s", reply.text);
	return reply.error;
}

static const struct netlink_carrier carrier = { .change = carry };

static int bridge_make(struct journal *journal, const char *name)
{
	struct link_new spec = { .name = name, .kind = "bridge", .vni = -1 };
	struct netlink netlink;

	ck_assert_int_eq(netlink_open(&netlink, NULL), 0);
	netlink.carrier = journal ? &carrier : NULL;
	netlink.carrier_arg = journal;
	int error = link_add(&netlink, &spec, NULL);

	netlink_close(&netlink);
	return error;
}

static void bridge_delete(const char *name)
{
	struct netlink netlink;
	struct link link;

	ck_assert_int_eq(netlink_open(&netlink, NULL), 0);
	ck_assert_int_eq(link_get(&netlink, name, 0, &link, NULL), 0);
	ck_assert_int_eq(link_del(&netlink, &link, NULL), 0);
	netlink_close(&netlink);
}

static int netns_request(struct journal *journal, const char *name, bool is_add)
{
	struct request request = { .verb = REQUEST_NETNS, .number = is_add };
	struct reply reply;

	strcpy(request.netns, name);
	request_run(journal, &request, &reply);
	return reply.error;
}

/* A process that makes a bridge, and dies without undoing it. Its journal is path. */
static void die_with_a_bridge(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct journal *journal;

		_exit(journal_open(&journal, dir, NULL) || bridge_make(journal, "br0"));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	path_of((int)pid);
	ck_assert(link_is("br0"));
}

/* Changes a byte of the file: the head is a magic word, the boot's id, the namespace's inode. */
static void byte_change(long offset)
{
	int fd = open(path, O_RDWR);
	char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, offset), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

START_TEST(undo_is_in_the_file_from_add_to_forget)
{
	struct journal *journal = journal_new();
	struct undo undo = { .kind = UNDO_SYSCTL };
	long empty = file_size();

	ck_assert_int_eq(journal_add(journal, &undo), 0);
	ck_assert_int_eq(file_size(), empty + (long)sizeof(undo));
	journal_forget(journal);
	ck_assert_int_eq(file_size(), empty);
	journal_close(journal);
	ck_assert_int_eq(file_size(), -1);
}
END_TEST

START_TEST(change_whose_undo_cannot_be_written_is_not_made)
{
	struct journal *journal = journal_new();
	struct rlimit old, full = { (rlim_t)file_size(), RLIM_INFINITY };

	getrlimit(RLIMIT_FSIZE, &old);
	full.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &full);
	ck_assert_int_lt(bridge_make(journal, "br0"), 0);
	ck_assert_int_lt(netns_request(journal, "one", true), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	ck_assert(!link_is("br0"));
	ck_assert_uint_eq(netns_inode("one"), 0);
	journal_close(journal);
}
END_TEST

START_TEST(undo_goes_back_to_the_mark_only)
{
	struct journal *journal = journal_new();

	ck_assert_int_eq(bridge_make(journal, "br0"), 0);
	unsigned mark = journal_mark(journal);

	ck_assert_int_eq(bridge_make(journal, "br1"), 0);
	ck_assert_int_eq(bridge_make(journal, "br1"), -EEXIST);
	journal_undo(journal, mark);
	ck_assert(link_is("br0") && !link_is("br1"));
	journal_close(journal);
	ck_assert(!link_is("br0"));
}
END_TEST

START_TEST(link_that_took_the_index_of_ours_is_left_alone)
{
	struct journal *journal = journal_new();

	ck_assert_int_eq(bridge_make(journal, "br0"), 0);
	bridge_delete("br0");
	ck_assert_int_eq(bridge_make(NULL, "theirs"), 0);
	journal_close(journal);
	ck_assert(link_is("theirs"));
	bridge_delete("theirs");
}
END_TEST

START_TEST(namespace_that_took_the_name_of_ours_is_left_alone)
{
	struct journal *journal = journal_new();
	ino_t inode;

	ck_assert_int_eq(netns_request(journal, "one", true), 0);
	ck_assert_int_eq(netns_request(journal, "two", true), 0);
	ck_assert_int_eq(netns_del("one", NULL), 0);
	int fd = netns_new("one", &inode, NULL);

	ck_assert_int_eq(netns_bind("one", fd, NULL), 0);
	close(fd);
	journal_close(journal);
	ck_assert_uint_eq(netns_inode("one"), inode);
	ck_assert_uint_eq(netns_inode("two"), 0);
	ck_assert_int_eq(netns_del("one", NULL), 0);
}
END_TEST

START_TEST(clean_undoes_what_the_dead_left)
{
	die_with_a_bridge();
	ck_assert_uint_eq(journal_clean(dir), 1);
	ck_assert(!link_is("br0"));
	ck_assert_int_eq(file_size(), -1);
	ck_assert_uint_eq(journal_clean(dir), 0);
}
END_TEST

START_TEST(clean_reads_up_to_a_half_written_undo)
{
	die_with_a_bridge();
	int fd = open(path, O_WRONLY | O_APPEND);

	ck_assert_int_eq(write(fd, "half", 4), 4);
	close(fd);
	ck_assert_uint_eq(journal_clean(dir), 1);
	ck_assert(!link_is("br0"));
}
END_TEST

START_TEST(clean_leaves_the_living_alone)
{
	struct journal *journal = journal_new();

	ck_assert_int_eq(bridge_make(journal, "br0"), 0);
	ck_assert_uint_eq(journal_clean(dir), 0);
	ck_assert(link_is("br0"));
	journal_close(journal);
	ck_assert(!link_is("br0"));
}
END_TEST

START_TEST(clean_undoes_nothing_of_another_boot)
{
	die_with_a_bridge();
	byte_change(10);
	journal_clean(dir);
	ck_assert(link_is("br0"));
	bridge_delete("br0");
}
END_TEST

START_TEST(clean_undoes_nothing_of_another_namespace)
{
	die_with_a_bridge();
	byte_change(48);
	ck_assert_uint_eq(journal_clean(dir), 0);
	ck_assert(link_is("br0"));
	ck_assert_int_gt(file_size(), 0);
	bridge_delete("br0");
}
END_TEST

START_TEST(clean_undoes_nothing_of_what_is_no_journal)
{
	die_with_a_bridge();
	byte_change(0);
	ck_assert_uint_eq(journal_clean(dir), 0);
	ck_assert(link_is("br0"));
	bridge_delete("br0");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tc = tcase_create("journal");

	tcase_add_unchecked_fixture(tc, namespaces_make, NULL);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, undo_is_in_the_file_from_add_to_forget);
	tcase_add_test(tc, change_whose_undo_cannot_be_written_is_not_made);
	tcase_add_test(tc, undo_goes_back_to_the_mark_only);
	tcase_add_test(tc, link_that_took_the_index_of_ours_is_left_alone);
	tcase_add_test(tc, namespace_that_took_the_name_of_ours_is_left_alone);
	tcase_add_test(tc, clean_undoes_what_the_dead_left);
	tcase_add_test(tc, clean_reads_up_to_a_half_written_undo);
	tcase_add_test(tc, clean_leaves_the_living_alone);
	tcase_add_test(tc, clean_undoes_nothing_of_another_boot);
	tcase_add_test(tc, clean_undoes_nothing_of_another_namespace);
	tcase_add_test(tc, clean_undoes_nothing_of_what_is_no_journal);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
