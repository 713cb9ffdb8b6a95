/* SPDX-License-Identifier: MIT */
/* moontap doctor: why is there no reply? Runs the installed script doctor.lua. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/base/prefix.h"
#include "host/cli/cli.h"
#include "host/cli/scripts.h"

static int doctor_help(void)
{
	puts("moontap doctor [--netns NAME] [SRC] [DST]\n"
	     "\n"
	     "Why is there no reply? Walks the way of a ping from SRC (an address or a link)\n"
	     "to the address DST and the way of its answer, also through the namespaces of\n"
	     "this machine, tries it, and ends with the cause and a command that mends it.\n"
	     "Changes nothing. With one address: from wherever the kernel would send. With\n"
	     "none: checks this machine for what moontap needs.\n"
	     "\n"
	     "  ok  as it should be     !!  wrong     ?  worth knowing\n"
	     "  --netns NAME   start in this namespace (one of ip netns list)\n"
	     "\n"
	     "Exit status: 0 nothing wrong found, 1 something found, 2 usage.");
	return STATUS_OK;
}

static bool netns_exists(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	return *name && !strchr(name, '/') && !access(path, F_OK);
}

static int usage(const char *what, const char *why)
{
	log_line(LOG_LEVEL_ERROR, "doctor: %s%s (see moontap help doctor)", what, why);
	return STATUS_USAGE;
}

int cli_doctor(int argc, char **argv, const struct script_ops *ops)
{
	char path[PATH_MAX];
	char *args[8] = { (char *)"run", path };
	int first = 1, count = 2;
	struct addr dst;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return doctor_help();
	if (argc > 1 && !strcmp(argv[1], "--netns")) {
		if (argc < 4)
			return usage("--netns", " takes a name, and then an address is missing");
		if (!netns_exists(argv[2]))
			return usage(argv[2], ": no such namespace");
		first = 3;
	}
	if (argc - first > 2)
		return usage("takes at most two addresses", "");
	for (int i = first; i < argc; i++) {
		if (argv[i][0] == '-')
			return usage(argv[i], ": unknown option");
	}
	if (argc > first && !addr_parse(&dst, argv[argc - 1]))
		return usage(argv[argc - 1], ": no address like 10.1.1.2");
	snprintf(path, sizeof(path), "%s/doctor.lua", scripts_dir());
	for (int i = 1; i < argc; i++)
		args[count++] = argv[i];
	return cli_run(count, args, ops);
}
