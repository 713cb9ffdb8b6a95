/* SPDX-License-Identifier: MIT */
/* Lua as the host's scripting language. */
#pragma once

#include "host/engine/script.h"

extern const struct script_ops lua_script_ops;
