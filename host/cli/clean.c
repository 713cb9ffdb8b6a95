/* SPDX-License-Identifier: MIT */
/* moontap clean: for the case that host and keeper were both killed. */
#include <stdio.h>
#include <string.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/engine/control.h"
#include "host/engine/journal.h"

int cli_clean(int argc, char **argv, const struct script_ops *ops)
{
	const char *dir = journal_dir();

	(void)ops;
	if (argc > 1) {
		bool is_help = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");

		if (!is_help)
			log_line(LOG_LEVEL_ERROR, "clean: takes no arguments");
		else
			puts("moontap clean: puts the network back as it was before runs whose "
			     "host and\n"
			     "keeper were both killed, from the journals that they left.");
		return is_help ? STATUS_OK : STATUS_USAGE;
	}
	unsigned count = dir ? journal_clean(dir) : 0;

	if (dir)
		control_clean(dir);

	if (count)
		printf("put back what %u killed run%s left behind\n", count, count == 1 ? "" : "s");
	else
		puts("nothing to put back: no killed run left a journal here");
	return STATUS_OK;
}
