/* SPDX-License-Identifier: MIT */
/* Network namespaces by name, as `ip netns` keeps them: files in /run/netns. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/base/refusal.h"

/* 1 to 63 bytes, no '/', not "." or "..". NULL if it is a name, else why not. */
const char *netns_name_check(const char *name);

/* Puts the calling thread into the namespace ("": stays). Returns a descriptor for netns_leave, -1
 * for "", or -errno - 1 with why: needs CAP_SYS_ADMIN. */
int netns_enter(const char *name, struct refusal *why);
void netns_leave(int token);

/* A new namespace, lo up, that is to be called so: a descriptor of it and its inode, or -errno with
 * why. Needs CAP_SYS_ADMIN. */
int netns_new(const char *name, ino_t *inode, struct refusal *why);

/* Gives it a name; -EEXIST if there is one of that name. */
int netns_bind(const char *name, int fd, struct refusal *why);

/* Takes the name away; the namespace goes when nobody is in it. */
int netns_del(const char *name, struct refusal *why);

/* What tells namespaces apart; 0: there is none of that name. "": our own. */
ino_t netns_inode(const char *name);

/* Calls each(arg, name) for every name there is. */
void netns_list(void (*each)(void *arg, const char *name), void *arg);
