/* SPDX-License-Identifier: MIT */
/* Where in unfinished Lua text somebody asks what may go on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum cursor_place {
	CURSOR_NOWHERE, /* in a comment, a long string, a number, or behind what only running tells
			 */
	CURSOR_NAME,	/* a name begins here, or goes on */
	CURSOR_MEMBER,	/* of what the steps lead to */
	CURSOR_STRING,	/* in a string of one line */
};

enum { CURSOR_STEPS = 16 };

/* "tun", ".next", "[1]" */
struct cursor_step {
	const char *name; /* in the text; NULL: it is number */
	size_t len;
	long long number;
};

struct cursor {
	enum cursor_place place;
	const char *word; /* the name's part that is there already; its end is the text's */
	size_t word_len;
	bool is_method; /* after a colon */
	unsigned step_count;
	struct cursor_step steps[CURSOR_STEPS]; /* the last one first */
	const char *string;			/* after its quote */
};

void cursor_find(struct cursor *out, const char *text, size_t len);
