/* SPDX-License-Identifier: MIT */
/* Writes down why a link, an address or a file was refused. */
#include "host/base/refusal.h"

#include <stdarg.h>
#include <stdio.h>

int refuse(struct refusal *refusal, int code, const char *format, ...)
{
	va_list args;

	if (refusal) {
		refusal->code = code;
		va_start(args, format);
		vsnprintf(refusal->text, sizeof(refusal->text), format, args);
		va_end(args);
	}
	return -code;
}
