/* SPDX-License-Identifier: MIT */
/* Why the world said no: "what: why (what to do)", one line, with its errno. */
#pragma once

struct refusal {
	int code; /* a positive errno */
	char text[400];
};

/* Fills `refusal` (may be NULL) and returns -code, so that callers can `return refuse(...)`. */
int refuse(struct refusal *refusal, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
