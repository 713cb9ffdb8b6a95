/* SPDX-License-Identifier: MIT */
/* Writes Lua values as a script would. */
#include "bindings/literal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/text.h"

enum { LITERAL_ROOM = 200, DEPTH_MAX = 6, KEYS_MAX = 64 };

const char *const literal_keywords[] = { "and", "break", "do", "else", "elseif", "end", "false",
	"for", "function", "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return",
	"then", "true", "until", "while", NULL };

bool literal_is_name(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	for (unsigned i = 0; literal_keywords[i]; i++) {
		if (!strcmp(text, literal_keywords[i]))
			return false;
	}
	return len && !isdigit((unsigned char)text[0]);
}

static void string_write(struct text *out, const char *text, size_t len)
{
	text_add(out, "\"");
	for (size_t i = 0; i < len && !text_is_full(out); i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '"' || byte == '\\')
			text_add(out, "\\%c", byte);
		else if (byte >= ' ' && byte < 0x7f)
			text_add(out, "%c", byte);
		else
			text_add(out, "\\x%02x", byte);
	}
	text_add(out, "\"");
}

static void function_write(struct text *out, lua_State *L, int idx)
{
	lua_Debug ar;

	lua_pushvalue(L, idx);
	lua_getinfo(L, ">S", &ar);
	const char *slash = strrchr(ar.short_src, '/');

	if (ar.linedefined > 0)
		text_add(out, "function %s:%d", slash ? slash + 1 : ar.short_src, ar.linedefined);
	else
		text_add(out, "function");
}

static int key_compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static unsigned keys_collect(lua_State *L, int idx, const char *keys[KEYS_MAX])
{
	unsigned count = 0;

	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
		if (lua_type(L, -2) == LUA_TSTRING && count < KEYS_MAX)
			keys[count++] = lua_tostring(L, -2);
	}
	qsort(keys, count, sizeof(keys[0]), key_compare);
	return count;
}

static void value_write(struct text *out, lua_State *L, int idx, unsigned depth);

static void table_write(struct text *out, lua_State *L, int idx, unsigned depth)
{
	const char *keys[KEYS_MAX], *comma = "";
	unsigned count = keys_collect(L, idx, keys);
	lua_Integer list = (lua_Integer)lua_rawlen(L, idx);

	text_add(out, "{");
	for (lua_Integer i = 1; i <= list && !text_is_full(out); i++, comma = ",") {
		text_add(out, "%s ", comma);
		lua_rawgeti(L, idx, i);
		value_write(out, L, lua_gettop(L), depth + 1);
		lua_pop(L, 1);
	}
	for (unsigned i = 0; i < count && !text_is_full(out); i++, comma = ",") {
		text_add(out, literal_is_name(keys[i]) ? "%s %s = " : "%s [\"%s\"] = ", comma,
			keys[i]);
		lua_pushstring(L, keys[i]);
		lua_rawget(L, idx);
		value_write(out, L, lua_gettop(L), depth + 1);
		lua_pop(L, 1);
	}
	text_add(out, *comma ? " }" : "}");
}

static void value_write(struct text *out, lua_State *L, int idx, unsigned depth)
{
	size_t len;
	const char *text;

	switch (lua_type(L, idx)) {
	case LUA_TSTRING:
		text = lua_tolstring(L, idx, &len);
		string_write(out, text, len);
		break;
	case LUA_TFUNCTION:
		function_write(out, L, idx);
		break;
	case LUA_TTABLE:
		if (depth < DEPTH_MAX && lua_checkstack(L, 8))
			table_write(out, L, idx, depth);
		else
			text_add(out, "{...}");
		break;
	case LUA_TNIL:
	case LUA_TBOOLEAN:
	case LUA_TNUMBER:
	case LUA_TUSERDATA: /* whose metatable is ours: a script cannot make one */
		text_add(out, "%s", luaL_tolstring(L, idx, NULL));
		lua_pop(L, 1);
		break;
	default:
		text_add(out, "%s", luaL_typename(L, idx));
	}
}

void literal_push(lua_State *L, int idx)
{
	char buffer[LITERAL_ROOM];
	struct text out;

	idx = lua_absindex(L, idx);
	text_init(&out, buffer, sizeof(buffer));
	value_write(&out, L, idx, 0);
	if (text_is_full(&out))
		strcpy(buffer + sizeof(buffer) - 4, "...");
	lua_pushstring(L, buffer);
}
