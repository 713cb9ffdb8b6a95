/* SPDX-License-Identifier: MIT */
/* What a script lists to stand behind a header: options, extension headers, DNS records. */
#pragma once

#include <stdbool.h>

#include <lauxlib.h>
#include <lua.h>

#include "host/packet/build.h"

/* Is the key of a layer's table such a list, and no field? */
bool pack_is_list(enum layer_id layer, const char *key);

/* The lists of the table at idx, and the options in which fields lie, become what stands behind the
 * layer's header: in userdata that is pushed (of a layer without any nil). Of `fields` those stay
 * that build shall write. Raises, in the name of `what`, for anything else. */
void pack_take(lua_State *L, int idx, const char *what, struct build_field *fields,
	struct build_layer *layer);
