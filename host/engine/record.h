/* SPDX-License-Identifier: MIT */
/* A recorded network: changes succeed and are remembered, lists give back what was set. For check
 * and for policies that run offline; needs no privileges and touches nothing. */
#pragma once

#include <stdbool.h>

#include "host/netlink/netlink.h"

struct record;

/* With lo, up, in our own namespace. NULL: no memory. */
struct record *record_new(void);
void record_free(struct record *record);

/* As the kernel would answer: 0 or -errno. */
int record_change(struct record *record, const struct netlink_change *change);
int record_dump(struct record *record, const char *netns, const struct nlmsghdr *request,
	mnl_cb_t each, void *arg);

/* The next link that was made, changed or deleted, or an address on it, since it was asked last.
 * netns is the record's, valid until the next call. false: nothing has changed. */
bool record_event_next(struct record *record, const char **netns, int *ifindex, bool *is_gone);

/* A link that no netlink message makes: a tun or tap device, or one that is said to exist. Gives
 * its ifindex, also of one that is there already; -ENOMEM. */
int record_link(struct record *record, const char *netns, const char *name, const char *kind);

/* It goes again, and what hangs on it. 0 or -ENODEV. */
int record_link_del(struct record *record, const char *netns, int ifindex);

/* 0, -EEXIST, -ENOENT. A namespace has lo, up. */
int record_netns_add(struct record *record, const char *name);
int record_netns_del(struct record *record, const char *name);
bool record_netns_has(const struct record *record, const char *name);
