/* SPDX-License-Identifier: MIT */
/* The calls by which worker 1's script changed the world, in order: the other workers' scripts make
 * the same ones and are given the same results. */
#pragma once

#include <stddef.h>

struct calls;
struct lane;
struct outfile;

enum { CALL_LANES = 4 };

/* One call. The engine does not know the language: what and results are its script's text. */
struct call {
	char *what; /* its name and arguments */
	size_t what_len;
	char *results;
	size_t results_len;
	struct lane *lanes[CALL_LANES]; /* of worker 1: the ports among the results */
	unsigned lane_count;
	struct outfile *file; /* that a result writes; NULL: none */
};

/* `others` workers will make worker 1's calls. NULL: no memory. */
struct calls *calls_new(unsigned others);
void calls_free(struct calls *calls);

/* From worker 1: appends a copy, and shares its file with the others. 0 or -ENOMEM. */
int calls_add(struct calls *calls, const struct call *call);

/* From any worker: the call number n, from 0; NULL: it has not been made yet. What is given never
 * changes. */
const struct call *calls_get(struct calls *calls, size_t n);

/* From worker 1, before it opens the file at `path` to write it anew: see outfile_empty. */
void calls_empty(struct calls *calls, const char *path);
