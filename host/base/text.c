/* SPDX-License-Identifier: MIT */
/* Puts lines about packets together. */
#include "host/base/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_init(struct text *text, char *out, size_t room)
{
	*text = (struct text){ .out = out, .room = room };
	out[0] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
	size_t left = text->room - text->len;
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text->out + text->len, left, format, args);
	va_end(args);
	if (n < 0)
		return;
	text->len += (size_t)n < left ? (size_t)n : left - 1;
}
