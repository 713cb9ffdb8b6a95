/* SPDX-License-Identifier: MIT */
/* Looks up which names may go on where somebody stopped typing. */
#include "bindings/complete.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/cursor.h"
#include "bindings/handle.h"
#include "bindings/layer.h"
#include "bindings/literal.h"
#include "bindings/locals.h"
#include "bindings/packet.h"
#include "host/engine/control.h"

/* How many keys are looked at, so that packets do not wait; how many names are given; how far
 * metatables are followed. */
enum { KEYS_MAX = 20000, NAMES_MAX = 1000, PARENTS_MAX = 8 };

/* Slots of lcomplete: what is kept of names that fit, as name -> true. */
enum { SLOT_FOUND = 1 };

struct wish {
	struct script *script;
	struct cursor cursor;
	unsigned keys, names; /* so many so far */
};

/* The name at idx goes on with what is typed: it is one to give, `suffix` after it. */
static void name_give(lua_State *L, struct wish *wish, const char *name, const char *suffix)
{
	const struct cursor *cursor = &wish->cursor;

	if (wish->names >= NAMES_MAX || strncmp(name, cursor->word, cursor->word_len))
		return;
	wish->names++;
	lua_pushfstring(L, "%s%s", name, suffix);
	lua_pushboolean(L, 1);
	lua_rawset(L, SLOT_FOUND);
}

static void words_give(lua_State *L, struct wish *wish, const char *const *words)
{
	for (; *words; words++)
		name_give(L, wish, *words, "");
}

/* The keys of the table at the top. Of a handle's names (is_handle) a dot wants those that are no
 * methods; a colon wants functions of all tables. */
static void keys_give(lua_State *L, struct wish *wish, bool is_handle)
{
	for (lua_pushnil(L); wish->keys < KEYS_MAX && lua_next(L, -2); lua_pop(L, 1)) {
		bool is_method = lua_isfunction(L, -1);

		wish->keys++;
		if (lua_type(L, -2) != LUA_TSTRING || !literal_is_name(lua_tostring(L, -2)))
			continue;
		if (wish->cursor.is_method ? is_method : !is_handle || !is_method)
			name_give(L, wish, lua_tostring(L, -2), "");
	}
}

/* Replaces the value at the top by its metatable's __index; false: that is no table, and the stack
 * is as it was. */
static bool parent_push(lua_State *L)
{
	int top = lua_gettop(L);

	if (!lua_getmetatable(L, -1))
		return false;
	lua_pushliteral(L, "__index");
	if (lua_rawget(L, -2) != LUA_TTABLE) {
		lua_settop(L, top);
		return false;
	}
	lua_replace(L, top);
	lua_settop(L, top);
	return true;
}

/* The members of the value at the top. */
static void members_give(lua_State *L, struct wish *wish)
{
	int top = lua_gettop(L);

	luaL_checkstack(L, 8, NULL);
	if (lua_getmetatable(L, -1)) {
		if (handle_names_push(L, -1))
			keys_give(L, wish, lua_type(L, top) == LUA_TUSERDATA);
		lua_settop(L, top);
	}
	for (unsigned i = 0; i < PARENTS_MAX; i++) {
		if (lua_istable(L, -1))
			keys_give(L, wish, false);
		lua_settop(L, top);
		if (!parent_push(L))
			return;
	}
}

/* Those of handles are computed by our own functions, which may refuse. */
static int lmember(lua_State *L)
{
	lua_gettable(L, 1);
	return 1;
}

/* Replaces the value at the top - 1 and the key at the top by the member; nil: it has none. */
static void member_step(lua_State *L)
{
	int value = lua_gettop(L) - 1, key = value + 1;

	if (handle_names_push(L, value)) {
		lua_pop(L, 1);
		lua_pushcfunction(L, lmember);
		lua_insert(L, value);
		if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
			lua_pop(L, 1);
			lua_pushnil(L);
		}
		return;
	}
	lua_pushvalue(L, value);
	for (unsigned i = 0; i < PARENTS_MAX; i++) {
		if (lua_istable(L, -1)) {
			lua_pushvalue(L, key);
			if (lua_rawget(L, -2) != LUA_TNIL) {
				lua_replace(L, value);
				lua_settop(L, value);
				return;
			}
			lua_pop(L, 1);
		}
		if (!parent_push(L))
			break;
	}
	lua_settop(L, value - 1);
	lua_pushnil(L);
}

static void global_push(lua_State *L, struct script *script, const char *name)
{
	if (locals_get(script, L, name))
		return;
	lua_pushglobaltable(L);
	lua_pushstring(L, name);
	lua_rawget(L, -2);
	lua_remove(L, -2);
}

/* Pushes what the steps lead to; nil: nothing that is known. */
static void target_push(lua_State *L, struct wish *wish)
{
	const struct cursor *cursor = &wish->cursor;
	const struct cursor_step *step = &cursor->steps[cursor->step_count - 1];

	global_push(L, wish->script, lua_pushlstring(L, step->name, step->len));
	while (step-- > cursor->steps) {
		if (step->name)
			lua_pushlstring(L, step->name, step->len);
		else
			lua_pushinteger(L, step->number);
		member_step(L);
	}
}

static bool is_word(const struct cursor_step *step, const char *word)
{
	return step->name && step->len == strlen(word) && !strncmp(step->name, word, step->len);
}

/* What nobody can look up yet, the parameter of a function that is being typed, is known by its
 * name: pkt is a packet, pkt.ip the layer. */
static void named_give(lua_State *L, struct wish *wish)
{
	const struct cursor_step *step = &wish->cursor.steps[0];
	enum layer_id layer = step->name ? layer_by_name(step->name, step->len) : LAYER_none;

	if (layer != LAYER_none)
		layer_names_push(L, layer);
	else if (is_word(step, "pkt") || is_word(step, "inner"))
		packet_names_push(L);
	else
		return;
	keys_give(L, wish, true);
}

static void layers_give(lua_State *L, struct wish *wish, const char *suffix)
{
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++)
		name_give(L, wish, layer_name(layer), suffix);
	name_give(L, wish, "inner", suffix);
}

static void fields_give(lua_State *L, struct wish *wish, enum layer_id layer)
{
	unsigned count;
	const struct field *field = field_of_layer(layer, &count);

	for (; count; field++, count--)
		name_give(L, wish, field->name, "");
}

/* Does the text before `at` end with the word, spaces and parentheses aside? */
static bool stands_before(const char *text, const char *at, const char *word)
{
	size_t len = strlen(word);

	while (at > text && strchr(" \t\n(", at[-1]))
		at--;
	return (size_t)(at - text) >= len && !strncmp(at - len, word, len);
}

/* Is it a string that names a field? `["icmp.`, `pkt:get "ip.`, `mt.field "` */
static bool is_field_key(const char *text, const char *quote)
{
	return stands_before(text, quote, "[") || stands_before(text, quote, ":get") ||
	       stands_before(text, quote, ":set") || stands_before(text, quote, ".field");
}

static bool is_verdict(const char *text, const char *quote)
{
	bool is_rule = strstr(text, ":on(") || strstr(text, ":before(") || strstr(text, ":policy");

	return stands_before(text, quote, "return") || (is_rule && stands_before(text, quote, ","));
}

/* Inside a string that begins at cursor->string: "inner.ip.tt". */
static void string_give(lua_State *L, struct wish *wish, const char *text)
{
	static const char inner[] = "inner.";
	const struct cursor *cursor = &wish->cursor;
	const char *at = cursor->string, *quote = at - 1;

	while (!strncmp(at, inner, sizeof(inner) - 1))
		at += sizeof(inner) - 1;
	const char *dot = strchr(at, '.');

	if (at > cursor->word)
		return;
	if (dot && dot + 1 == cursor->word) {
		fields_give(L, wish, layer_by_name(at, (size_t)(dot - at)));
	} else if (at == cursor->word && is_field_key(text, quote)) {
		layers_give(L, wish, ".");
		if (at == cursor->string && stands_before(text, quote, "["))
			name_give(L, wish, "not", "");
	} else if (at == cursor->word && is_verdict(text, quote)) {
		for (enum verdict v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++)
			name_give(L, wish, verdict_name(v), "");
	}
}

static void globals_give(lua_State *L, struct wish *wish)
{
	locals_names_push(wish->script, L);
	keys_give(L, wish, false);
	lua_pushglobaltable(L);
	keys_give(L, wish, false);
	words_give(L, wish, literal_keywords);
}

static int name_compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Pushes the names in order, one a line. */
static void found_push(lua_State *L, const struct wish *wish)
{
	const char **names = lua_newuserdatauv(L, (wish->names + 1) * sizeof(*names), 0);
	luaL_Buffer out;
	size_t count = 0;

	for (lua_pushnil(L); lua_next(L, SLOT_FOUND); lua_pop(L, 1))
		names[count++] = lua_tostring(L, -2);
	qsort(names, count, sizeof(*names), name_compare);
	luaL_buffinit(L, &out);
	for (size_t i = 0; i < count; i++) {
		luaL_addchar(&out, '\n');
		luaL_addstring(&out, names[i]);
	}
	luaL_pushresult(&out);
}

/* Arguments: the script, the text. Returns the names. */
static int lcomplete(lua_State *L)
{
	struct wish wish = { .script = lua_touserdata(L, 1) };
	size_t len;
	const char *text = lua_tolstring(L, 2, &len);

	cursor_find(&wish.cursor, text, len);
	lua_newtable(L);
	lua_replace(L, SLOT_FOUND);
	switch (wish.cursor.place) {
	case CURSOR_NOWHERE:
		break;
	case CURSOR_NAME:
		globals_give(L, &wish);
		break;
	case CURSOR_MEMBER:
		target_push(L, &wish);
		if (lua_isnil(L, -1))
			named_give(L, &wish);
		else
			members_give(L, &wish);
		break;
	case CURSOR_STRING:
		string_give(L, &wish, text);
	}
	found_push(L, &wish);
	return 1;
}

void complete_send(struct script *script, uint64_t id, const char *text, size_t len)
{
	lua_State *L = script->L;
	int top = lua_gettop(L);
	const char *typed = memchr(text, '\n', len);
	bool is_collecting = lua_gc(L, LUA_GCISRUNNING);

	if (!typed)
		return;
	lua_gc(L, LUA_GCSTOP); /* a __gc is the script's too */
	lua_pushlstring(L, text, (size_t)(typed - text));
	lua_pushcfunction(L, lcomplete);
	lua_pushlightuserdata(L, script);
	lua_pushlstring(L, typed + 1, len - (size_t)(typed + 1 - text));
	if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
		lua_pop(L, 1);
		lua_pushliteral(L, "");
	}
	lua_concat(L, 2);
	const char *answer = lua_tolstring(L, -1, &len);

	control_send(script->worker, id, CONTROL_NAMES, answer, len);
	lua_settop(L, top);
	if (is_collecting)
		lua_gc(L, LUA_GCRESTART);
}
