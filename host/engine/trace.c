/* SPDX-License-Identifier: MIT */
/* Writes two or three short lines about a packet into the worker's outlet. */
#include "host/engine/trace.h"

#include <string.h>

#include "host/base/log.h"
#include "host/base/text.h"
#include "host/packet/print.h"

enum { TRACE_LINE = 512 };

static const char *const colour_in = "\033[36m", *const colour_out = "\033[32m",
			 *const colour_dim = "\033[2m", *const colour_drop = "\033[33m",
			 *const colour_end = "\033[0m";

/* One line, in colour if that is wanted. */
static void show(const struct trace *trace, const char *colour, const char *text)
{
	char line[TRACE_LINE + 16];
	struct text out;

	text_init(&out, line, sizeof(line));
	text_add(&out, "%s%s%s\n", trace->is_coloured ? colour : "", text,
		trace->is_coloured ? colour_end : "");
	log_write(LOG_OUT, line, out.len, false);
}

/* tcpdump's line without its ", length N", which the screen has no room for. */
static void packet_show(
	const struct trace *trace, const char *colour, const char *arrow, const struct packet *p)
{
	char line[TRACE_LINE];
	struct text out;

	text_init(&out, line, sizeof(line));
	text_add(&out, "%s ", arrow);
	print_line(p, line + out.len, sizeof(line) - out.len);
	char *length = strstr(line, ", length ");

	if (length && strspn(length + 9, "0123456789") == strlen(length + 9))
		*length = '\0';
	show(trace, colour, line);
}

void trace_rx(struct trace *trace, const struct lane *lane, const struct packet *p)
{
	(void)lane;
	trace->is_shown = !trace->match || filter_match(trace->match, p);
	if (trace->is_shown)
		packet_show(trace, colour_in, "->", p);
}

void trace_verdict(struct trace *trace, const struct lane *lane, const struct rule *rule,
	enum verdict verdict, enum drop_reason reason, const struct packet *p)
{
	bool is_sent =
		verdict == VERDICT_REPLY || verdict == VERDICT_REWRITE || verdict == VERDICT_PASS;
	char line[TRACE_LINE];
	struct text out;

	if (!trace->is_shown)
		return;
	text_init(&out, line, sizeof(line));
	text_add(&out, "   %s, %zu bytes: %s", lane->port->name, packet_length(p),
		verdict_name(verdict));
	if (verdict == VERDICT_DROP && reason != DROP_policy)
		text_add(&out, " (%s)", drop_name(reason));
	if (rule)
		text_add(&out, " by rule %s", rule->label);
	else
		text_add(&out, " by default, no rule had an opinion");
	show(trace, is_sent ? colour_dim : colour_drop, line);
	if (is_sent)
		packet_show(trace, colour_out, "<-", p);
}
