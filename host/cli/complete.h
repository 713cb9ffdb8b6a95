/* SPDX-License-Identifier: MIT */
/* TAB at the console's prompt: the host on the other end of the connection knows the names. */
#pragma once

/* From now on the line editor asks at `fd`. */
void complete_open(int fd);

/* The lines that the next one goes on from; NULL: none. Not copied. */
void complete_after(const char *lines);
