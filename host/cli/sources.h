/* SPDX-License-Identifier: MIT */
/* Capture files that are replayed together: their packets in the order of time, each for a port. */
#pragma once

#include "host/engine/lane.h"
#include "host/port/capfile.h"

enum { SOURCES_MAX = 64 };

struct source {
	char port[PORT_NAME]; /* PORT= of PORT=FILE; "": the interfaces' names say */
	const char *path;
	struct capfile *file;
	bool is_by_name; /* one of its interfaces has the name of a port */
	bool has_next;
	struct captured next;
};

struct sources {
	unsigned count;
	struct source all[SOURCES_MAX];
	bool is_broken; /* one was damaged: said, and the rest of it left out */
};

/* Opens "[PORT=]FILE". 0 or -errno with why. */
int sources_add(struct sources *sources, const char *text, struct refusal *why);

/* The one whose next packet is the earliest, of equal ones the first; NULL: all are at their end.
 */
struct source *sources_first(struct sources *sources);

/* Its packet has been used, and is freed: reads on. What is damaged is said on stderr. */
void source_next(struct sources *sources, struct source *source);

/* Makes the packet one that the lane's port carries: takes Ethernet off for a tun, puts one on for
 * others. false: it carries no IP, so that a tun cannot. */
bool source_fit(struct packet *p, const struct lane *lane);

void sources_close(struct sources *sources);
