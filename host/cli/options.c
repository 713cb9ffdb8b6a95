/* SPDX-License-Identifier: MIT */
/* Understands the command line. */
#include "host/cli/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "host/base/log.h"
#include "host/base/nearest.h"

struct option {
	const char *name;
	char letter;
	const char *argument; /* as the help shows it: " N", or "[=N]" if it may be left out; NULL:
				 takes none */
	const char *help;
	size_t member; /* offset in struct options: a const char *, or a bool without argument */
};

static const struct option table[] = {
#define FLAG(member, name, letter, help) \
	{ name, letter, NULL, help, offsetof(struct options, member) },
#define VALUE(member, name, argument, help) \
	{ name, 0, argument, help, offsetof(struct options, member) },
#include "host/cli/options.def"
#undef FLAG
#undef VALUE
};

enum { OPTION_COUNT = sizeof(table) / sizeof(table[0]) };

static const struct option *find(const char *name, size_t len)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		bool is_letter = len == 1 && table[i].letter == name[0];

		if (is_letter ||
			(strlen(table[i].name) == len && !strncmp(table[i].name, name, len)))
			return &table[i];
	}
	return NULL;
}

static bool unknown(const char *command, const char *arg)
{
	const char *words[OPTION_COUNT + 1] = { NULL };

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		words[i] = table[i].name;
	const char *meant = nearest(arg + strspn(arg, "-"), words);

	log_line(LOG_LEVEL_ERROR, "%s: unknown option %s (%s%s%s)", command, arg,
		meant ? "did you mean --" : "see moontap help ", meant ? meant : command,
		meant ? "?" : "");
	return false;
}

/* The option's value: after "=", or else the next word where one is needed, which is then taken.
 * NULL: usage, and one line says so. */
static const char *value_take(
	const char *command, const struct option *option, const char *equals, char ***args)
{
	const char *value = equals ? equals + 1 : "";

	if (!equals && option->argument[0] != '[')
		value = (*args)[1] ? *++*args : "";
	if (*value || option->argument[0] == '[')
		return value;
	log_line(LOG_LEVEL_ERROR, "%s: --%s needs a value (--%s%s)", command, option->name,
		option->name, option->argument);
	return NULL;
}

/* Takes the option at *args. false: usage, and one line says so. */
static bool option_take(struct options *out, const char *command, char ***args)
{
	const char *arg = **args;
	bool is_long = arg[1] == '-';
	const char *name = arg + (is_long ? 2 : 1);
	size_t len = is_long ? strcspn(name, "=") : strlen(name);
	const char *equals = is_long && name[len] == '=' ? name + len : NULL;
	const struct option *option = find(name, len);

	if (!option || (len == 1) == is_long)
		return unknown(command, arg);
	if (option->argument) {
		const char *value = value_take(command, option, equals, args);

		*(const char **)((char *)out + option->member) = value;
		return value != NULL;
	}
	*(bool *)((char *)out + option->member) = true;
	if (!equals)
		return true;
	log_line(LOG_LEVEL_ERROR, "%s: --%s takes no value (write just --%s)", command,
		option->name, option->name);
	return false;
}

bool options_read(struct options *out, const char *command, char **argv)
{
	*out = (struct options){ 0 };
	for (; *argv && argv[0][0] == '-' && argv[0][1] && strcmp(*argv, "--"); argv++) {
		if (!option_take(out, command, &argv))
			return false;
	}
	if (*argv && strcmp(*argv, "--"))
		out->script = *argv++;
	out->script_argv = argv;
	for (; *argv && strcmp(*argv, "--"); argv++)
		out->script_argc++;
	if (!*argv)
		return true;
	*argv++ = NULL;
	if (!*argv) {
		log_line(LOG_LEVEL_ERROR, "%s: no command after -- (moontap %s SCRIPT -- COMMAND)",
			command, command);
		return false;
	}
	out->command = argv;
	return true;
}

void options_apply(const struct options *options)
{
	if (options->quiet)
		log_set_level(LOG_LEVEL_WARN);
	if (options->verbose)
		log_set_level(LOG_LEVEL_DEBUG);
}

void options_help(void)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%c%s--%s%s", table[i].letter ? "-" : "",
			table[i].letter ? table[i].letter : ' ', table[i].letter ? ", " : "   ",
			table[i].name, table[i].argument ? table[i].argument : "");
		printf("  %-20s %s\n", left, table[i].help);
	}
}
