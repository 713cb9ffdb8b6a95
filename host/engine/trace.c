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
static void show(const struct trace_lines *lines, const char *colour, const char *text)
{
	char line[TRACE_LINE + 16];
	struct text out;

	text_init(&out, line, sizeof(line));
	text_add(&out, "%s%s%s\n", lines->is_coloured ? colour : "", text,
		lines->is_coloured ? colour_end : "");
	log_write(LOG_OUT, line, out.len, false);
}

/* tcpdump's line without its ", length N", which the screen has no room for. */
static void packet_show(const struct trace_lines *lines, const char *colour, const char *arrow,
	const struct packet *p)
{
	char line[TRACE_LINE];
	struct text out;

	text_init(&out, line, sizeof(line));
	text_add(&out, "%s ", arrow);
	print_line(p, line + out.len, sizeof(line) - out.len);
	char *length = strstr(line, ", length ");

	if (length && strspn(length + 9, "0123456789") == strlen(length + 9))
		*length = '\0';
	show(lines, colour, line);
}

static void lines_rx(struct trace *trace, const struct lane *lane, const struct packet *p)
{
	struct trace_lines *lines = (struct trace_lines *)trace;

	(void)lane;
	lines->is_shown = !lines->match || filter_match(lines->match, p);
	if (lines->is_shown)
		packet_show(lines, colour_in, "->", p);
}

static void lines_verdict(struct trace *trace, const struct lane *lane, const struct rule *rule,
	enum verdict verdict, enum drop_reason reason, const struct packet *p)
{
	const struct trace_lines *lines = (const struct trace_lines *)trace;
	bool is_sent =
		verdict == VERDICT_REPLY || verdict == VERDICT_REWRITE || verdict == VERDICT_PASS;
	char line[TRACE_LINE];
	struct text out;

	if (!lines->is_shown)
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
	show(lines, is_sent ? colour_dim : colour_drop, line);
	if (is_sent)
		packet_show(lines, colour_out, "<-", p);
}

const struct trace_ops trace_lines_ops = { .rx = lines_rx, .verdict = lines_verdict };
