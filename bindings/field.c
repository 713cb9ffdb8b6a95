/* SPDX-License-Identifier: MIT */
/* Tells Lua which fields packets have: the table of fields as a list. */
#include "bindings/field.h"

#include "host/packet/field.h"

/* mt.fields() -> { { name = "ip.ttl", doc =, tshark =, writable = }, ... } in the table's order.
 * tshark is Wireshark's name of it; nil: it has none. */
int lfield_list(lua_State *L)
{
	lua_createtable(L, (int)field_count, 0);
	for (unsigned i = 0; i < field_count; i++) {
		const struct field *field = &field_table[i];

		lua_createtable(L, 0, 4);
		lua_pushfstring(L, "%s.%s", layer_name(field->layer), field->name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, field->doc);
		lua_setfield(L, -2, "doc");
		lua_pushstring(L, field->tshark);
		lua_setfield(L, -2, "tshark");
		lua_pushboolean(L, !field->is_read_only);
		lua_setfield(L, -2, "writable");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}
