/* SPDX-License-Identifier: MIT */
/* Finds the command that was asked for. */
#include "host/cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/base/nearest.h"

struct entry {
	const char *name, *help;
	int (*run)(int argc, char **argv, const struct script_ops *ops);
};

static const struct entry table[] = {
#define COMMAND(name, help) { #name, help, cli_##name },
#include "host/cli/commands.def"
#undef COMMAND
};

enum { COMMAND_COUNT = sizeof(table) / sizeof(table[0]) };

static const struct entry *find(const char *name)
{
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(table[i].name, name))
			return &table[i];
	}
	return NULL;
}

static int unknown(const char *name)
{
	const char *words[COMMAND_COUNT + 1] = { NULL };

	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		words[i] = table[i].name;
	const char *meant = nearest(name, words);

	if (meant)
		log_line(LOG_LEVEL_ERROR, "unknown command %s (did you mean %s?)", name, meant);
	else
		log_line(LOG_LEVEL_ERROR, "unknown command %s (see moontap help)", name);
	return STATUS_USAGE;
}

int cli_version(int argc, char **argv, const struct script_ops *ops)
{
	(void)argc;
	(void)argv;
	(void)ops;
	puts("moontap " MOONTAP_VERSION);
	return STATUS_OK;
}

int cli_help(int argc, char **argv, const struct script_ops *ops)
{
	if (argc > 1) {
		const struct entry *entry = find(argv[1]);

		if (!entry)
			return unknown(argv[1]);
		if (entry->run == cli_run || entry->run == cli_demo ||
			entry->run == cli_doctor)
			return entry->run(2, (char *[]){ argv[1], (char *)"--help", NULL }, ops);
		printf("moontap %s: %s\n", entry->name, entry->help);
		return STATUS_OK;
	}
	puts("moontap: a Lua-scriptable packet host for Linux virtual devices\n");
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		printf("  moontap %-8s %s\n", table[i].name, table[i].help);
	puts("\nThe first thing to try:  moontap demo\n"
	     "The second, as yourself: moontap run --sandbox -- ping -c 3 192.168.1.100");
	return STATUS_OK;
}

/* Where stdin, stdout or stderr is closed, a descriptor of ours would take its number, and what is
 * printed would be written into it. */
static void standard_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int cli_main(int argc, char **argv, const struct script_ops *ops)
{
	standard_open();
	if (argc < 2) {
		cli_help(1, argv, ops);
		return STATUS_USAGE;
	}
	const char *name = argv[1];

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	else if (!strcmp(name, "--version"))
		name = "version";
	const struct entry *entry = find(name);

	return entry ? entry->run(argc - 1, argv + 1, ops) : unknown(name);
}
