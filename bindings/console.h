/* SPDX-License-Identifier: MIT */
/* Lines that a console sends, run in the script's own state. */
#pragma once

#include "bindings/state.h"

/* Compiles and runs a line for connection `id`, as a coroutine: it may wait, and a long one gives
 * way to packets. Values, errors and what it prints go back by control_send. */
void console_eval(struct script *script, uint64_t id, const char *text, size_t len);

/* Gives up what connection `id` runs. */
void console_cancel(struct script *script, uint64_t id);

/* Called by print: true if a console's line is running and has taken the text. */
bool console_print(struct script *script, const char *text, size_t len);

/* A console's coroutine has yielded, ended or failed. true: it was one. */
bool console_resumed(struct script *script, lua_State *co, int status, int results);
