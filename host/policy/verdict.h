/* SPDX-License-Identifier: MIT */
/* What can be decided about a packet, and why a packet is dropped. */
#pragma once

enum verdict {
	VERDICT_NONE, /* no opinion: ask the next */
	VERDICT_REPLY,
	VERDICT_REWRITE,
	VERDICT_PASS,
	VERDICT_DROP,
	VERDICT_HANDLED,
	VERDICT_ERROR, /* the function failed; its rule's on_error says what follows */
	VERDICT_COUNT
};

enum drop_reason {
	DROP_none,
#define DROP(name, doc) DROP_##name,
#include "host/policy/drops.def"
#undef DROP
	DROP_COUNT
};

/* "reply", "rewrite", "pass", "drop", "handled": the words that scripts say. */
const char *verdict_name(enum verdict verdict);

/* "replied", "rewritten", ...: the words that counters say. */
const char *verdict_counted(enum verdict verdict);

const char *drop_name(enum drop_reason reason);
