/* SPDX-License-Identifier: MIT */
/* What was seen of packets while a script ran offline, as copies that last. */
#pragma once

#include "host/policy/rule.h"
#include "host/port/port.h"

/* One packet that left, or that stayed; or an error of the script outside of its rules. */
struct seen {
	struct packet *packet; /* as it then was, parsed; a slab. NULL: an error alone */
	char port[PORT_NAME];  /* it left by; if it stayed: it came in by. "": no packet */
	char from[PORT_NAME];  /* it came in by; "": the script sent it */
	enum verdict verdict;  /* NONE: the script sent it */
	char rule[RULE_LABEL]; /* the label of the one that decided; "": the default did */
	const char *reason;    /* why it did not leave; NULL: it did, or was taken over */
	char error[256];       /* what failed, "file:line: what"; "": nothing */
	struct mono time;
};

struct seen_list {
	struct seen *all; /* in order */
	size_t count, room;
	bool is_short; /* of memory: something is missing */
};

/* Appends one; its packet is taken over. */
void seen_add(struct seen_list *list, const struct seen *seen);

/* Empties it; packets that were taken out, NULL since, stay. */
void seen_forget(struct seen_list *list);
void seen_fini(struct seen_list *list);

/* The word for what was decided, "send" where the script sent it by itself. */
const char *seen_verdict(const struct seen *seen);
