/* SPDX-License-Identifier: MIT */
/* Says route tables, scopes and kinds in the words of ip(8). */
#include "host/netlink/words.h"

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct word {
	const char *text;
	int number;
};

static const struct word tables[] = { { "main", RT_TABLE_MAIN }, { "local", RT_TABLE_LOCAL },
	{ "default", RT_TABLE_DEFAULT }, { NULL, 0 } };
static const struct word scopes[] = { { "global", RT_SCOPE_UNIVERSE }, { "link", RT_SCOPE_LINK },
	{ "host", RT_SCOPE_HOST }, { "site", RT_SCOPE_SITE }, { "nowhere", RT_SCOPE_NOWHERE },
	{ NULL, 0 } };
static const struct word kinds[] = { { "unicast", RTN_UNICAST }, { "local", RTN_LOCAL },
	{ "broadcast", RTN_BROADCAST }, { "anycast", RTN_ANYCAST }, { "multicast", RTN_MULTICAST },
	{ "blackhole", RTN_BLACKHOLE }, { "unreachable", RTN_UNREACHABLE },
	{ "prohibit", RTN_PROHIBIT }, { "throw", RTN_THROW }, { NULL, 0 } };

static const char *word_text(const struct word *words, int number, char *out)
{
	for (; words->text; words++) {
		if (words->number == number)
			return words->text;
	}
	snprintf(out, ROUTE_WORD, "%d", number);
	return out;
}

static int word_parse(const struct word *words, const char *text)
{
	for (; words->text; words++) {
		if (!strcmp(words->text, text))
			return words->number;
	}
	return -1;
}

const char *route_table_text(uint32_t table, char *out)
{
	return word_text(tables, (int)table, out);
}

const char *route_scope_text(int scope, char *out)
{
	return word_text(scopes, scope, out);
}

const char *route_kind_text(int kind, char *out)
{
	return word_text(kinds, kind, out);
}

long route_table_parse(const char *text)
{
	return word_parse(tables, text);
}

int route_scope_parse(const char *text)
{
	return word_parse(scopes, text);
}

int route_kind_parse(const char *text)
{
	return word_parse(kinds, text);
}
