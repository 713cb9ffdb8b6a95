/* SPDX-License-Identifier: MIT */
/* Understands the actions of a rule. */
#include "bindings/action.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/layer.h"
#include "bindings/state.h"

/* A handle of a C action: one hold on its object. */
static const char *const type_reflect = "moontap.reflect", *const type_set = "moontap.set",
			 *const type_reject = "moontap.reject";

enum { EDITS_MAX = 32 };

enum verdict to_verdict(lua_State *L, int idx)
{
	if (lua_type(L, idx) != LUA_TSTRING)
		return VERDICT_NONE;
	const struct script *script = state_of(L);
	const char *word = lua_tostring(L, idx);

	for (enum verdict v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++) {
		if (!strcmp(word, script->words[v]))
			return v;
	}
	return VERDICT_NONE;
}

static bool to_c_action(lua_State *L, int idx, struct action *out)
{
	void **handle;

	if ((handle = luaL_testudata(L, idx, type_reflect)))
		*out = (struct action){ .kind = ACTION_REFLECT, .reflect = reflect_hold(*handle) };
	else if ((handle = luaL_testudata(L, idx, type_set)))
		*out = (struct action){ .kind = ACTION_SET, .set = set_hold(*handle) };
	else if ((handle = luaL_testudata(L, idx, type_reject)))
		*out = (struct action){ .kind = ACTION_REJECT, .reject = reject_hold(*handle) };
	return handle != NULL;
}

void check_action(lua_State *L, int idx, struct action *out)
{
	enum verdict verdict = to_verdict(L, idx);

	if (verdict != VERDICT_NONE) {
		*out = (struct action){ .kind = ACTION_VERDICT, .verdict = verdict };
	} else if (lua_isfunction(L, idx)) {
		lua_pushvalue(L, idx);
		*out = (struct action){ .kind = ACTION_CALL,
			.ref = luaL_ref(L, LUA_REGISTRYINDEX) };
	} else if (lua_type(L, idx) == LUA_TSTRING) {
		luaL_error(L, "\"%s\" is no verdict (reply, rewrite, pass, drop or handled)",
			lua_tostring(L, idx));
	} else if (!to_c_action(L, idx, out)) {
		luaL_error(L,
			"an action is a verdict, a C action like mt.reflect{} or a function, "
			"not a %s",
			luaL_typename(L, idx));
	}
}

void action_drop(lua_State *L, const struct action *action)
{
	action_release(action);
	if (action->ref)
		luaL_unref(L, LUA_REGISTRYINDEX, action->ref);
}

static void **handle_new(lua_State *L, const char *type)
{
	void **handle = lua_newuserdatauv(L, sizeof(void *), 0);

	*handle = NULL;
	luaL_setmetatable(L, type);
	return handle;
}

/* A table of options in place 1; {} if nothing was given. */
static void check_table(lua_State *L, const char *what, const char *const *keys)
{
	if (lua_isnone(L, 1))
		lua_newtable(L);
	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, what, keys);
}

int laction_reflect(lua_State *L)
{
	static const char *const keys[] = { "net", "except", "mac", "ttl", "echo", "arp", "nd",
		NULL };
	static const char *const what = "mt.reflect";
	unsigned net_count, except_count;
	uint8_t mac[6] = { 0 };

	check_table(L, what, keys);
	const struct prefix *net = check_prefixes(L, 1, what, "net", &net_count);
	const struct prefix *except = check_prefixes(L, 1, what, "except", &except_count);
	uint8_t ttl = (uint8_t)check_integer_field(L, 1, what, "ttl", 1, 255, 64);
	bool echo = check_bool_field(L, 1, what, "echo", true);
	bool arp = check_bool_field(L, 1, what, "arp", true);
	bool nd = check_bool_field(L, 1, what, "nd", true);

	check_mac_field(L, 1, what, "mac", mac);
	void **handle = handle_new(L, type_reflect);
	struct reflect *reflect = reflect_new(net, net_count, except, except_count);

	if (!reflect)
		return luaL_error(L, "%s: out of memory", what);
	*handle = reflect;
	reflect->ttl = ttl;
	reflect->echo = echo;
	reflect->arp = arp;
	reflect->nd = nd;
	memcpy(reflect->mac, mac, sizeof(mac));
	return 1;
}

/* Lua walks a table in no order: that of the fields, but checksums last, to stay as written. */
static int edit_compare(const void *left, const void *right)
{
	const struct set_edit *a = left, *b = right;
	bool a_is_sum = a->field->written & WRITTEN_CHECKSUM;
	bool b_is_sum = b->field->written & WRITTEN_CHECKSUM;

	if (a_is_sum != b_is_sum)
		return a_is_sum - b_is_sum;
	return (a->field > b->field) - (a->field < b->field);
}

/* mt.set{ ["ip.ttl"] = 42, ... } */
int laction_set(lua_State *L)
{
	struct set_edit edits[EDITS_MAX];
	unsigned count = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		if (count == EDITS_MAX)
			return luaL_error(L, "mt.set: at most %d fields", EDITS_MAX);
		edits[count].field =
			check_field_name(L, 2, &edits[count].layer, &edits[count].depth);
		check_field_value(L, 3, edits[count].field, &edits[count].value);
		count++;
	}
	qsort(edits, count, sizeof(edits[0]), edit_compare);
	void **handle = handle_new(L, type_set);

	*handle = set_new(edits, count);
	return *handle ? 1 : luaL_error(L, "mt.set: out of memory");
}

static void check_from(lua_State *L, struct reject *r)
{
	unsigned count;
	const struct prefix *from = check_prefixes(L, 1, "mt.reject", "from", &count);

	for (unsigned i = 0; i < count; i++)
		r->from[from[i].addr.family == FAMILY_4 ? 0 : 1] = from[i].addr;
	lua_pop(L, 1);
}

/* mt.reject{ with=, from=, mtu= } */
int laction_reject(lua_State *L)
{
	static const char *const keys[] = { "with", "from", "mtu", NULL };
	static const char *const what = "mt.reject";
	int kind = REJECT_DEFAULT;

	check_table(L, what, keys);
	if (lua_getfield(L, 1, "with") != LUA_TNIL)
		kind = check_word(L, -1, what, "with", reject_words);
	uint32_t mtu = (uint32_t)check_integer_field(L, 1, what, "mtu", 68, 65535, 1280);
	void **handle = handle_new(L, type_reject);
	struct reject *reject = reject_new(kind);

	if (!reject)
		return luaL_error(L, "%s: out of memory", what);
	*handle = reject;
	reject->mtu = mtu;
	check_from(L, reject);
	return 1;
}

static int lreflect_gc(lua_State *L)
{
	void **handle = lua_touserdata(L, 1);

	if (*handle)
		reflect_release(*handle);
	*handle = NULL;
	return 0;
}

static int lset_gc(lua_State *L)
{
	void **handle = lua_touserdata(L, 1);

	if (*handle)
		set_release(*handle);
	*handle = NULL;
	return 0;
}

static int lreject_gc(lua_State *L)
{
	void **handle = lua_touserdata(L, 1);

	if (*handle)
		reject_release(*handle);
	*handle = NULL;
	return 0;
}

static void type_open(lua_State *L, const char *type, lua_CFunction gc)
{
	luaL_newmetatable(L, type);
	lua_pushcfunction(L, gc);
	lua_setfield(L, -2, "__gc");
	lua_pushstring(L, type);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void action_open(lua_State *L)
{
	type_open(L, type_reflect, lreflect_gc);
	type_open(L, type_set, lset_gc);
	type_open(L, type_reject, lreject_gc);
}
