/* SPDX-License-Identifier: MIT */
/* Reads unfinished Lua text as far as completing a name needs it. */
#include "bindings/cursor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_name_byte(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_';
}

/* The level of the long bracket at `at`, as "[[" 0, "[=[" 1; -1: there is none. */
static int bracket_level(const char *at, const char *end)
{
	int level = 0;

	if (at == end || *at != '[')
		return -1;
	while (++at < end && *at == '=')
		level++;
	return at < end && *at == '[' ? level : -1;
}

/* After the closing bracket; NULL: it does not close. */
static const char *bracket_skip(const char *at, const char *end, int level)
{
	for (at += level + 2; at < end; at++) {
		const char *close = at + 1;

		if (*at != ']')
			continue;
		while (close < end && *close == '=')
			close++;
		if (close < end && *close == ']' && close - at - 1 == level)
			return close + 1;
	}
	return NULL;
}

/* After the comment's end; NULL: it goes on at the text's. */
static const char *comment_skip(const char *at, const char *end)
{
	int level = bracket_level(at + 2, end);

	if (level >= 0)
		return bracket_skip(at + 2, end, level);
	return memchr(at, '\n', (size_t)(end - at));
}

/* After the closing quote; NULL: it is still to come. A string that is broken off at the end of a
 * line is over. */
static const char *string_skip(const char *at, const char *end)
{
	char quote = *at++;

	for (; at < end && *at != quote && *at != '\n'; at++) {
		if (*at == '\\' && ++at == end)
			return NULL;
	}
	return at < end ? at + 1 : NULL;
}

/* Is the text's end in code? else where its last comment or string begins. */
static bool code_ends(const char *text, const char *end, const char **open)
{
	for (const char *at = text; at < end;) {
		const char *next = at + 1;

		*open = at;
		if (*at == '"' || *at == '\'')
			next = string_skip(at, end);
		else if (*at == '-' && at + 1 < end && at[1] == '-')
			next = comment_skip(at, end);
		else if (bracket_level(at, end) >= 0)
			next = bracket_skip(at, end, bracket_level(at, end));
		if (!next)
			return false;
		at = next;
	}
	return true;
}

static const char *space_back(const char *text, const char *at)
{
	while (at > text && isspace((unsigned char)at[-1]))
		at--;
	return at;
}

static const char *name_back(const char *text, const char *at)
{
	while (at > text && is_name_byte(at[-1]))
		at--;
	return at;
}

/* A dot or colon that ends at `at`, but none of "..", "..." and "::". */
static bool has_separator(const char *text, const char *at)
{
	return at > text && (at[-1] == '.' || at[-1] == ':') &&
	       (at - 1 == text || at[-2] != at[-1]);
}

/* The step "[...]" that ends before `at`: an integer or a quoted name. Where it begins; NULL: it is
 * anything else. */
static const char *index_back(const char *text, const char *at, struct cursor_step *step)
{
	const char *end = at - 1, *begin = end;

	while (begin > text && begin[-1] != '[' && begin[-1] != ']')
		begin--;
	size_t len = (size_t)(end - begin);

	if (begin == text || begin[-1] != '[' || !len)
		return NULL;
	if (len > 2 && (*begin == '"' || *begin == '\'') && end[-1] == *begin)
		*step = (struct cursor_step){ begin + 1, len - 2, 0 };
	else if (strspn(begin, "0123456789") == len && len < 10)
		*step = (struct cursor_step){ NULL, 0, atoll(begin) };
	else
		return NULL;
	return begin - 1;
}

/* What stands before the separator that ends at `at`, back to a name that nothing stands before. */
static bool steps_back(struct cursor *out, const char *text, const char *at)
{
	at = space_back(text, at - 1);
	while (out->step_count < CURSOR_STEPS) {
		struct cursor_step *step = &out->steps[out->step_count++];

		if (at > text && at[-1] == ']') {
			at = index_back(text, at, step);
			if (!at)
				return false;
			at = space_back(text, at);
			continue;
		}
		const char *begin = name_back(text, at);

		if (begin == at || isdigit((unsigned char)*begin))
			return false;
		*step = (struct cursor_step){ begin, (size_t)(at - begin), 0 };
		at = space_back(text, begin);
		if (!has_separator(text, at))
			return true;
		at = space_back(text, at - 1);
	}
	return false;
}

void cursor_find(struct cursor *out, const char *text, size_t len)
{
	const char *end = text + len, *open = text, *before;
	bool is_code = code_ends(text, end, &open);

	*out = (struct cursor){ .place = CURSOR_NOWHERE };
	out->word = name_back(is_code ? text : open, end);
	out->word_len = (size_t)(end - out->word);
	if (!is_code) {
		if (*open == '"' || *open == '\'')
			out->place = CURSOR_STRING;
		out->string = open + 1;
		return;
	}
	before = space_back(text, out->word);
	if (has_separator(text, before)) {
		out->is_method = before[-1] == ':';
		if (steps_back(out, text, before))
			out->place = CURSOR_MEMBER;
	} else if (!out->word_len || !isdigit((unsigned char)*out->word)) {
		out->place = CURSOR_NAME;
	}
}
