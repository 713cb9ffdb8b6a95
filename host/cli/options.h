/* SPDX-License-Identifier: MIT */
/* The options of `run` and its kind. */
#pragma once

#include <stdbool.h>

struct options {
#define FLAG(member, name, letter, help) bool member;
#define VALUE(member, name, argument, help) const char *member;
#include "host/cli/options.def"
#undef FLAG
#undef VALUE
	const char *script; /* NULL: none was given */
	int script_argc;    /* what the script gets */
	char **script_argv;
	char **command; /* NULL: none */
};

/* Reads argv after the command's name: OPTIONS, SCRIPT, ARGS, "--", COMMAND. false: usage; one
 * line was written to stderr. */
bool options_read(struct options *out, const char *command, char **argv);

/* -q and -v take effect. */
void options_apply(const struct options *options);

/* The options' lines of a help text, to stdout. */
void options_help(void);
