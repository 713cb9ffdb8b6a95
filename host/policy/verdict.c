/* SPDX-License-Identifier: MIT */
/* Names what was decided about a packet. */
#include "host/policy/verdict.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "none", "reply", "rewrite", "pass", "drop", "handled",
		"error" };

	return names[verdict];
}

const char *verdict_counted(enum verdict verdict)
{
	static const char *const names[] = { "none", "replied", "rewritten", "passed", "dropped",
		"handled", "errors" };

	return names[verdict];
}

const char *drop_name(enum drop_reason reason)
{
	static const char *const names[] = {
		[DROP_none] = "none",
#define DROP(name, doc) [DROP_##name] = #name,
#include "host/policy/drops.def"
#undef DROP
	};

	return names[reason];
}
