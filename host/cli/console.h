/* SPDX-License-Identifier: MIT */
/* The person's end of a console. */
#pragma once

/* Reads lines from stdin, has them evaluated over the connection, shows what comes back, until
 * either end closes. The exit status: 0, or 1 where stdin is no terminal and a line failed. */
int console_talk(int fd);
