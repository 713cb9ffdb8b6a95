/* SPDX-License-Identifier: MIT */
/* Looks up the words for the numbers in a packet's fields, by the table in names.def. */
#include "host/packet/names.h"

#include <string.h>

struct name {
	uint8_t list; /* enum names */
	uint32_t number;
	const char *word;
};

static const struct name table[] = {
#define NAME(LIST, NUMBER, WORD) { NAMES_##LIST, NUMBER, WORD },
#include "host/packet/names.def"
#undef NAME
};

static const unsigned count = sizeof(table) / sizeof(table[0]);

static bool word_number(uint8_t list, const char *word, size_t len, uint64_t *out)
{
	for (unsigned i = 0; i < count; i++) {
		if (table[i].list == list && strlen(table[i].word) == len &&
			!memcmp(table[i].word, word, len)) {
			*out = table[i].number;
			return true;
		}
	}
	return false;
}

bool names_number(const struct field *field, const char *word, uint64_t *out)
{
	uint64_t all = 0, one;

	if (field->kind != FIELD_FLAGS)
		return field->names && word_number(field->names, word, strlen(word), out);
	for (;; word++) {
		size_t len = strcspn(word, "|");

		if (!word_number(field->names, word, len, &one))
			return false;
		all |= one;
		word += len;
		if (!*word)
			break;
	}
	*out = all;
	return true;
}

const char *names_word(const struct field *field, uint64_t number)
{
	for (unsigned i = 0; field->names && i < count; i++) {
		if (table[i].list == field->names && table[i].number == number)
			return table[i].word;
	}
	return NULL;
}

unsigned names_list(const struct field *field, const char **out, unsigned room)
{
	unsigned found = 0;

	for (unsigned i = 0; field->names && i < count && found + 1 < room; i++) {
		if (table[i].list == field->names)
			out[found++] = table[i].word;
	}
	out[found] = NULL;
	return found;
}
