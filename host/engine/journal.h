/* SPDX-License-Identifier: MIT */
/* What takes back each change, written down before the change is made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/base/refusal.h"
#include "host/netlink/netlink.h"
#include "host/netlink/sysctl.h"

enum undo_kind { UNDO_NETLINK = 1, UNDO_SYSCTL, UNDO_NETNS, UNDO_OFFLOAD };

/* One undo. Its payload is a netlink message, or a sysctl's path and old value, each ending in 0,
 * or the struct offload_link whose offload is switched on again. */
struct undo {
	enum undo_kind kind;
	char netns[NETNS_NAME]; /* where; "": the journal's own. For UNDO_NETNS the name itself */
	char to_netns[NETNS_NAME]; /* where a link moves back to */
	bool is_move;
	/* Of netns: another one of the same name is left alone. journal_add fills it in, but for
	 * UNDO_NETNS, where it is the caller's. */
	unsigned long inode;
	size_t len;
	char payload[2048];
};

struct journal;

/* In memory, and in a file of `dir` unless that is NULL. 0 or -errno with why. */
int journal_open(struct journal **out, const char *dir, struct refusal *why);

/* Adds the undo of what is about to be done. 0 or -errno. */
int journal_add(struct journal *journal, const struct undo *undo);

/* What was added last has not been done. */
void journal_forget(struct journal *journal);

/* How many undos there are: a mark to come back to. */
unsigned journal_mark(const struct journal *journal);

/* Takes back, in reverse, all that was added since the mark. What is gone already is no error. */
void journal_undo(struct journal *journal, unsigned mark);

/* Undoes everything, removes the file. */
void journal_close(struct journal *journal);

/* Undoes and removes the journals in `dir` whose keepers are dead. Returns how many. */
unsigned journal_clean(const char *dir);

/* /run/moontap for root, else below XDG_RUNTIME_DIR; made if it is missing. NULL: there is none. */
const char *journal_dir(void);
