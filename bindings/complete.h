/* SPDX-License-Identifier: MIT */
/* What a console may complete: globals, locals of the script, members of tables, names of handles,
 * layers and fields. */
#pragma once

#include "bindings/state.h"

/* Answers CONTROL_COMPLETE with CONTROL_NAMES. What is asked for is looked up and never run: no
 * metamethod of the script's is called. */
void complete_send(struct script *script, uint64_t id, const char *text, size_t len);
