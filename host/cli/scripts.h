/* SPDX-License-Identifier: MIT */
/* Where the installed scripts are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The directory of the scripts that belong to this executable: ../share/moontap/scripts beside it,
 * in the build tree as where it is installed. "" if there is none. */
const char *scripts_dir(void);

/* The file that SCRIPT means: a path, or the name of an installed script, written to `out`.
 * false: neither exists, and nearest_out (may be NULL) may be what was meant. */
bool scripts_find(const char *script, char *out, size_t room, const char **nearest_out);
