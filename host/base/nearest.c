/* SPDX-License-Identifier: MIT */
/* Guesses which key, option or script a person meant. */
#include "host/base/nearest.h"

#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 40 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, exchange two neighbours) from a to b, row by row. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_MAX + 1]; /* those of i, i - 1 and i - 2, in turn */

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1, row[j]);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *nearest(const char *word, const char *const *words)
{
	size_t len = strlen(word);
	unsigned best = len < 4 ? 2 : 3; /* at most one edit in a short word, two in a longer one */
	const char *found = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		size_t other = strlen(*words);

		if (other > WORD_MAX)
			continue;
		unsigned edits = distance(word, len, *words, other);

		if (edits < best && edits < len) {
			best = edits;
			found = *words;
		}
	}
	return found;
}
