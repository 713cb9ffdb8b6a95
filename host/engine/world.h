/* SPDX-License-Identifier: MIT */
/* The world as a worker's script changes it: every verb, in any namespace, through the keeper. */
#pragma once

#include "host/engine/keeper.h"
#include "host/netlink/link.h"

struct world;

/* Of one worker, used on its thread. is_told: each change is logged as the `ip` line that does the
 * same. NULL: no memory. */
struct world *world_new(struct keeper *keeper, bool is_told);
/* A world that is only recorded: changes succeed and touch nothing. Each is told to `told` (NULL:
 * nobody) as the `ip` line that does the same. */
struct world *world_new_recorded(void (*told)(void *arg, const char *line), void *arg);
bool world_is_recorded(const struct world *world);

/* In a recorded world: a link of that kind, as if the device were opened; unknown ones come to be.
 * 0 or -errno with why. */
int world_link(struct world *world, const char *netns, const char *name, const char *kind,
	struct refusal *why);

/* In a recorded world: such a device goes, as a tun does when it is closed. */
void world_link_del(struct world *world, const char *netns, int ifindex);

/* In a recorded world: the next link that something has changed on since it was asked last, as
 * events_next says it of the kernel. The name of its namespace is the world's. */
bool world_event_next(struct world *world, const char **netns, int *ifindex, bool *is_gone);

void world_free(struct world *world);

/* The netlink socket for a namespace ("": our own), which is made if it is missing and the name was
 * not seen before. NULL: refused, with why. The world's; valid until the namespace is deleted. */
struct netlink *world_netlink(struct world *world, const char *netns, struct refusal *why);

int world_netns_add(struct world *world, const char *name, struct refusal *why);
int world_netns_del(struct world *world, const char *name, struct refusal *why);

/* path as sysctl_path gave it; *old (SYSCTL_VALUE bytes) is what it was. value NULL: only read. */
int world_sysctl(struct world *world, const char *netns, const char *path, const char *value,
	char *old, struct refusal *why);

/* Has the other end of a veth, wherever it is, finish the checksums of what it sends, until the
 * end. Where that cannot be it says so: over AF_XDP a frame does not tell that its checksum is
 * undone. */
void world_checksums(struct world *world, const char *netns, const struct link *link);

/* A descriptor of enum request_open, ours from then on; or -errno with why. */
int world_open(struct world *world, const char *netns, enum request_open kind, const char *name,
	int ifindex, struct refusal *why);

/* The same for one of several queues: of a tun or tap (number: enum tun_flag), or (the ifindex, and
 * group as socket_open takes it) of a link. */
int world_open_queue(struct world *world, const char *netns, enum request_open kind,
	const char *name, int number, int group, struct refusal *why);

/* Where the journal stands, and back to there: what was made since is undone. */
int world_mark(struct world *world);
void world_undo(struct world *world, int mark);

/* Logs a line if changes are told. */
void world_tell(struct world *world, const char *line);

/* What is made from now on stays (persist = true), or is undone again. */
void world_keep(struct world *world, bool is_kept);
