/* SPDX-License-Identifier: MIT */
/* The composition root: the host, and Lua as its scripting language. */
#include "bindings/script.h"
#include "host/cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv, &lua_script_ops);
}
