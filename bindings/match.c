/* SPDX-License-Identifier: MIT */
/* Understands what a rule, a sniff or an edit says about packets' fields. */
#include "bindings/match.h"

#include <errno.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/layer.h"
#include "bindings/state.h"
#include "bindings/want.h"
#include "bindings/value.h"
#include "host/base/log.h"
#include "host/base/nearest.h"

static const char *const type_match = "moontap.match";
static const char surprised; /* its address is the registry key of what has been said */

/* Where in a match a value stands. */
struct subject {
	struct match *match;
	const struct field *field;
	const char *name; /* as the script wrote it */
};

/* What adding to a match says, raised. */
static void added(lua_State *L, int error)
{
	if (error == -E2BIG)
		luaL_error(L, "a match has at most %d tests, in groups at most %d deep",
			MATCH_TESTS, MATCH_DEPTH);
	if (error)
		luaL_error(L, "match: out of memory");
}

/* The number at idx, which the field may have. */
static wide check_number(lua_State *L, int idx, const struct subject *of)
{
	struct value value;

	check_field_wanted(L, idx, of->field, &value);
	return value_number(&value);
}

/* "192.168.1.0/25" where the field is an address; false: no prefix. */
static bool to_prefix(lua_State *L, int idx, const struct subject *of, struct match_want *out)
{
	bool is_6 = of->field->kind == FIELD_IP6;
	const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
	struct prefix prefix;

	if ((!is_6 && of->field->kind != FIELD_IP4) || !text || !strchr(text, '/'))
		return false;
	if (!prefix_parse(&prefix, text) || prefix.addr.family != (is_6 ? FAMILY_6 : FAMILY_4))
		luaL_error(L, "%s takes a prefix like \"%s\", not %s", of->name,
			is_6 ? "2001:db8::/32" : "192.0.2.0/24", text);
	struct value value = { .kind = of->field->kind };
	unsigned bits = is_6 ? 128 : 32;

	memcpy(value.bytes, prefix.addr.bytes, family_bytes(prefix.addr.family));
	wide rest = prefix.len == bits ? 0 : ~(wide)0 >> (128 - bits + prefix.len);

	*out = (struct match_want){ .kind = WANT_SPAN };
	out->low = value_number(&value) & ~rest;
	out->high = out->low | rest;
	return true;
}

static void check_bounds(lua_State *L, const struct subject *of, const struct want_handle *want,
	struct match_want *out)
{
	int top = lua_gettop(L);

	lua_getiuservalue(L, top, 1);
	lua_getiuservalue(L, top, 2);
	out->low = check_number(L, top + 1, of);
	out->high = check_number(L, top + 2, of);
	lua_settop(L, top);
	if (want->kind == WANT_SPAN && out->low > out->high)
		luaL_error(L, "%s = %s: the first must not be above the second", of->name,
			luaL_tolstring(L, top, NULL));
	if (want->kind == WANT_MASK && (out->low & ~out->high))
		luaL_error(L, "%s = %s never holds: the value has bits that the mask leaves out",
			of->name, luaL_tolstring(L, top, NULL));
}

/* mt.range, mt.mask or mt.field at the top; false: it is none of them. */
static bool to_want(lua_State *L, const struct subject *of, struct match_want *out)
{
	const struct want_handle *want = to_want_handle(L, -1);

	if (!want)
		return false;
	*out = (struct match_want){ .kind = want->kind };
	if (!field_is_number(of->field))
		luaL_error(L, "%s is no number: it cannot be %s", of->name,
			luaL_tolstring(L, -1, NULL));
	if (want->kind != WANT_SAME) {
		check_bounds(L, of, want, out);
		return true;
	}
	if (want->field->kind != of->field->kind)
		luaL_error(L, "%s = %s: the two fields are not of one kind", of->name,
			luaL_tolstring(L, -1, NULL));
	out->field = want->field;
	out->place = want->place;
	return true;
}

/* The value at the top, one of what the field may be. */
static void want_add(lua_State *L, const struct subject *of)
{
	struct match_want want;
	struct value value;

	if (!to_want(L, of, &want) && !to_prefix(L, -1, of, &want)) {
		check_field_wanted(L, -1, of->field, &value);
		want = (struct match_want){ .kind = WANT_TEXT, .text = &value };
		if (field_is_number(of->field)) {
			want.kind = WANT_SPAN;
			want.low = want.high = value_number(&value);
		}
	}
	added(L, match_want(of->match, &want));
}

/* The list at the top: one of its values. */
static void wants_add(lua_State *L, const struct subject *of)
{
	int list = lua_gettop(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, list);

	if (!count)
		luaL_error(L, "%s: a list has values, and at least one", of->name);
	for (lua_pushnil(L); lua_next(L, list); lua_pop(L, 1)) {
		if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 ||
			lua_tointeger(L, -2) > count)
			luaL_error(L, "%s: a list has values, not \"%s\"", of->name,
				luaL_tolstring(L, -2, NULL));
	}
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, list, i);
		want_add(L, of);
		lua_pop(L, 1);
	}
}

/* Key and value are the two topmost. */
static void field_add(lua_State *L, struct match *match)
{
	struct layer_ref place;
	const struct field *field = check_layer_field(L, lua_gettop(L) - 1, &place);
	struct subject of = { match, field, lua_tostring(L, -2) };

	added(L, match_field(match, field, place));
	if (lua_istable(L, -1))
		wants_add(L, &of);
	else
		want_add(L, &of);
}

static void unknown_key(lua_State *L, const char *key)
{
	const char *words[LAYER_COUNT + 4] = { "not", "any", "all", "inner" };

	for (unsigned i = LAYER_none + 1; i < LAYER_COUNT; i++)
		words[i + 3] = layer_name((enum layer_id)i);
	const char *meant = nearest(key, words);

	if (meant)
		luaL_error(L, "match: unknown key \"%s\" (did you mean \"%s\"?)", key, meant);
	luaL_error(L,
		"match: unknown key \"%s\" (a field like \"ip.src\", a layer like \"tcp\", not, "
		"any "
		"or all)",
		key);
}

/* "tcp", "inner", "inner.tcp"; false: it is none of them. */
static bool to_layer(const char *key, struct layer_ref *out)
{
	static const char inner[] = "inner.";
	unsigned depth = 0, layer = LAYER_none + 1;

	for (; !strncmp(key, inner, sizeof(inner) - 1) && depth < INNER_DEPTH; depth++)
		key += sizeof(inner) - 1;
	while (layer < LAYER_COUNT && strcmp(layer_name((enum layer_id)layer), key))
		layer++;
	if (layer == LAYER_COUNT && !strcmp(key, "inner") && depth < INNER_DEPTH) {
		depth++;
		layer = LAYER_none;
	}
	*out = (struct layer_ref){ (uint8_t)layer, (uint8_t)depth };
	return layer < LAYER_COUNT;
}

static void layer_add(lua_State *L, struct match *match, struct layer_ref place)
{
	const char *key = lua_tostring(L, -2);

	if (!lua_isboolean(L, -1))
		luaL_error(L, "%s takes true (the packet has that layer) or false, not %s", key,
			luaL_tolstring(L, -1, NULL));
	added(L, match_layer(match, place, lua_toboolean(L, -1)));
}

static void tests_add(lua_State *L, struct match *match);

/* The table at the top is a group. */
static void group_add(lua_State *L, struct match *match, enum match_group group)
{
	added(L, match_begin(match, group));
	tests_add(L, match);
	match_end(match);
}

/* any, all: the key is the second from the top, the list at the top. */
static void groups_add(lua_State *L, struct match *match, enum match_group group)
{
	const char *key = lua_tostring(L, -2);
	lua_Integer count = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;

	if (!count)
		luaL_error(L, "%s takes a list of tables: %s = { {...}, {...} }", key, key);
	added(L, match_begin(match, group));
	for (lua_Integer i = 1; i <= count; i++) {
		if (lua_rawgeti(L, -1, i) != LUA_TTABLE)
			luaL_error(L, "%s takes a list of tables, not of %s", key,
				luaL_typename(L, -1));
		group_add(L, match, MATCH_ALL);
		lua_pop(L, 1);
	}
	match_end(match);
}

/* Key and value are the two topmost. */
static void test_add(lua_State *L, struct match *match)
{
	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L,
			"a match has names as keys, not %s (one of several: any = { {...}, {...} "
			"})",
			luaL_tolstring(L, -2, NULL));
	const char *key = lua_tostring(L, -2);
	struct layer_ref place;

	if (!strcmp(key, "any")) {
		groups_add(L, match, MATCH_ANY);
	} else if (!strcmp(key, "all")) {
		groups_add(L, match, MATCH_ALL);
	} else if (!strcmp(key, "not")) {
		if (!lua_istable(L, -1))
			luaL_error(L, "not takes a table: [\"not\"] = {...}, not %s",
				luaL_tolstring(L, -1, NULL));
		group_add(L, match, MATCH_NOT);
	} else if (to_layer(key, &place)) {
		layer_add(L, match, place);
	} else if (strchr(key, '.')) {
		field_add(L, match);
	} else {
		unknown_key(L, key);
	}
}

/* All of the table at the top. */
static void tests_add(lua_State *L, struct match *match)
{
	int table = lua_gettop(L);

	luaL_checkstack(L, 8, "match");
	for (lua_pushnil(L); lua_next(L, table); lua_settop(L, table + 1))
		test_add(L, match);
}

/* A handle that frees what a raised error leaves half made. */
static struct match *match_begin_handle(lua_State *L)
{
	struct match **handle = lua_newuserdatauv(L, sizeof(*handle), 0);

	*handle = NULL;
	luaL_setmetatable(L, type_match);
	*handle = match_new();
	if (!*handle)
		luaL_error(L, "match: out of memory");
	return *handle;
}

static struct match *check_table_match(lua_State *L, int idx)
{
	idx = lua_absindex(L, idx);
	struct match *match = match_begin_handle(L);

	lua_pushvalue(L, idx);
	tests_add(L, match);
	added(L, match_compile(match));
	lua_pop(L, 2);
	return match_hold(match);
}

/* What pcap leaves out is said once a script; of tags, which few networks have, only by -v. */
static void surprise_say(lua_State *L, const char *text, enum layer_id first)
{
	unsigned surprise = filter_surprise(text, first);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &surprised);
	unsigned said = (unsigned)lua_tointeger(L, -1);

	lua_pop(L, 1);
	if (!(surprise & ~said) || state_of(L)->repeated)
		return;
	lua_pushinteger(L, (lua_Integer)(surprise | said));
	lua_rawsetp(L, LUA_REGISTRYINDEX, &surprised);
	luaL_where(L, 1);
	log_line(surprise & ~said & SURPRISE_EXTENSIONS ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
		"%sthe filter \"%s\" does not look behind %s (a table of fields does)",
		lua_tostring(L, -1), text, filter_surprise_text(surprise & ~said));
	lua_pop(L, 1);
}

/* The filter at idx; NULL: why says what is wrong with it. */
static struct match *filter_match_new(
	lua_State *L, int idx, enum layer_id first, struct refusal *why)
{
	const char *text = lua_tostring(L, idx);
	struct filter *filter;

	if (filter_open(&filter, text, first, why))
		return NULL;
	struct match *match = match_of_filter(filter);

	if (match) {
		surprise_say(L, text, first);
	} else {
		refuse(why, ENOMEM, "match: out of memory");
		filter_close(filter);
	}
	return match;
}

static bool is_blank(lua_State *L, int idx)
{
	const char *text = lua_tostring(L, idx);

	return text[strspn(text, " \t\n")] == '\0';
}

struct match *check_match(lua_State *L, int idx, enum layer_id first)
{
	struct match *match;
	struct refusal why;

	switch (lua_type(L, idx)) {
	case LUA_TNONE:
	case LUA_TNIL:
		return NULL;
	case LUA_TSTRING:
		if (is_blank(L, idx))
			return NULL;
		match = filter_match_new(L, idx, first, &why);
		if (!match)
			luaL_error(L, "%s", why.text);
		return match;
	case LUA_TTABLE:
		return check_table_match(L, idx);
	default:
		luaL_error(L,
			"a match is nil, a pcap-filter string, a table of fields or a function, "
			"not a %s",
			luaL_typename(L, idx));
		return NULL;
	}
}

void check_match_of_both(lua_State *L, int idx, struct match *out[2])
{
	struct refusal why;

	if (lua_type(L, idx) != LUA_TSTRING || is_blank(L, idx)) {
		out[0] = check_match(L, idx, LAYER_none);
		out[1] = out[0] ? match_hold(out[0]) : NULL;
		return;
	}
	out[0] = filter_match_new(L, idx, LAYER_ip, &why);
	out[1] = filter_match_new(L, idx, LAYER_eth, &why);
	if (!out[0] && !out[1])
		luaL_error(L, "%s", why.text);
}

static int lmatch_gc(lua_State *L)
{
	struct match **handle = lua_touserdata(L, 1);

	if (*handle)
		match_release(*handle);
	*handle = NULL;
	return 0;
}

void match_open(lua_State *L)
{
	luaL_newmetatable(L, type_match);
	lua_pushcfunction(L, lmatch_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
}

/* Arguments: the text, where the matches go. */
static int lmatch_read(lua_State *L)
{
	static const struct luaL_Reg wants[] = { { "range", lwant_range }, { "mask", lwant_mask },
		{ "field", lwant_field }, { NULL, NULL } };
	const char *text = lua_pushfstring(L, "return %s", lua_tostring(L, 1));

	want_open(L);
	match_open(L);
	if (luaL_loadbufferx(L, text, strlen(text), "=match", "t") != LUA_OK)
		return lua_error(L);
	lua_newtable(L);
	luaL_newlib(L, wants);
	lua_setfield(L, -2, "mt");
	lua_setupvalue(L, -2, 1);
	lua_call(L, 0, 1);
	luaL_checktype(L, -1, LUA_TTABLE);
	check_match_of_both(L, lua_gettop(L), lua_touserdata(L, 2));
	return 0;
}

int match_read(struct match *out[2], const char *text, struct refusal *why)
{
	lua_State *L = luaL_newstate();

	if (!L)
		return refuse(why, ENOMEM, "match: out of memory");
	lua_pushcfunction(L, lmatch_read);
	lua_pushstring(L, text);
	lua_pushlightuserdata(L, out);
	int error = lua_pcall(L, 2, 0, 0) ? -EINVAL : 0;

	if (error)
		refuse(why, EINVAL, "%s", lua_tostring(L, -1));
	lua_close(L);
	return error;
}
