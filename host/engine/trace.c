/* SPDX-License-Identifier: MIT */
/* Writes two or three short lines about a packet into the worker's outlet. */
#include "host/engine/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/base/text.h"
#include "host/packet/print.h"

enum { TRACE_LINE = 512, INDENT = 6, WIDTH_MIN = 40 };

static const char *const colour_in = "\033[36m", *const colour_out = "\033[32m",
			 *const colour_dim = "\033[2m", *const colour_drop = "\033[33m",
			 *const colour_end = "\033[0m";

/* How much of the text fits into so many columns: up to a space, or all of a word that is longer.
 */
static size_t piece_of(const char *text, size_t columns)
{
	size_t len = strlen(text);

	if (len <= columns)
		return len;
	for (size_t at = columns; at > 0; at--) {
		if (text[at] == ' ')
			return at;
	}
	return strcspn(text, " ");
}

/* One line, in colour if that is wanted; of a terminal several where it is long. */
static void show(const struct trace_lines *lines, const char *colour, const char *text)
{
	char line[2 * TRACE_LINE];
	struct text out;
	int indent = 0;

	text_init(&out, line, sizeof(line));
	while (*text) {
		size_t columns = lines->width ? lines->width - (size_t)indent : TRACE_LINE;
		size_t len = piece_of(text, columns);

		text_add(&out, "%s%*s%.*s%s\n", lines->is_coloured ? colour : "", indent, "",
			(int)len, text, lines->is_coloured ? colour_end : "");
		text += len;
		text += strspn(text, " ");
		indent = INDENT;
	}
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
	const struct match *match = lines->matches[p->first == LAYER_eth];

	lines->is_shown = !lines->is_matched || (match && match_packet(match, p));
	lines->length = packet_length(p);
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
	text_add(&out, "   %s, %zu bytes: %s", lane->port->name, lines->length,
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

static bool is_colour_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");

	return !(no_color && *no_color);
}

void trace_lines_init(struct trace_lines *lines)
{
	struct winsize size;

	*lines = (struct trace_lines){ .trace.ops = &trace_lines_ops };
	if (!isatty(STDOUT_FILENO))
		return;
	lines->is_coloured = is_colour_wanted();
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= WIDTH_MIN)
		lines->width = size.ws_col;
}

void trace_lines_fini(struct trace_lines *lines)
{
	for (unsigned i = 0; i < 2; i++) {
		if (lines->matches[i])
			match_release(lines->matches[i]);
		lines->matches[i] = NULL;
	}
}
