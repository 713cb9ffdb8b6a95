/* SPDX-License-Identifier: MIT */
/* A line that is put together piece by piece in somebody's buffer and never runs over. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *out;
	size_t room; /* bytes of out, the closing 0 included */
	size_t len;  /* bytes written, the closing 0 not counted; at most room - 1 */
};

/* room must be at least 1. */
void text_init(struct text *text, char *out, size_t room);

/* Appends; what does not fit is cut. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Would more of it be cut? */
static inline bool text_is_full(const struct text *text)
{
	return text->len + 1 >= text->room;
}
