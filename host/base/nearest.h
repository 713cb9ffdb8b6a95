/* SPDX-License-Identifier: MIT */
/* "did you mean": the known word that is nearest to an unknown one. */
#pragma once

/* The nearest of the NULL-terminated `words`, or NULL if none is near enough to be meant. */
const char *nearest(const char *word, const char *const *words);
