/* SPDX-License-Identifier: MIT */
/* The commands of the command line; each returns the exit status. */
#pragma once

#include "host/engine/script.h"

enum { STATUS_OK = 0, STATUS_REFUSED = 1, STATUS_USAGE = 2 };

/* argv[0] is the command's name. ops: the scripting language that main.c composed. */
int cli_run(int argc, char **argv, const struct script_ops *ops);
int cli_repl(int argc, char **argv, const struct script_ops *ops);
int cli_console(int argc, char **argv, const struct script_ops *ops);
int cli_replay(int argc, char **argv, const struct script_ops *ops);
int cli_check(int argc, char **argv, const struct script_ops *ops);
int cli_clean(int argc, char **argv, const struct script_ops *ops);
int cli_demo(int argc, char **argv, const struct script_ops *ops);
int cli_doctor(int argc, char **argv, const struct script_ops *ops);
int cli_version(int argc, char **argv, const struct script_ops *ops);
int cli_help(int argc, char **argv, const struct script_ops *ops);

/* Finds the command that argv[1] names and runs it. */
int cli_main(int argc, char **argv, const struct script_ops *ops);
