/* SPDX-License-Identifier: MIT */
/* Understands the actions of a rule. */
#include "bindings/action.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/layer.h"
#include "bindings/literal.h"
#include "bindings/state.h"
#include "bindings/want.h"
#include "bindings/value.h"

/* A handle of a C action: one hold on its object, in a struct action; user value 1 is how the
 * script wrote it. */
static const char type_action[] = "moontap.action";

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
	const struct action *handle = luaL_testudata(L, idx, type_action);

	if (!handle)
		return false;
	*out = *handle;
	if (out->reflect)
		reflect_hold(out->reflect);
	if (out->set)
		set_hold(out->set);
	if (out->reject)
		reject_hold(out->reject);
	return true;
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

/* Of `what`, mt.reflect or its like, with the options at 1. */
static struct action *handle_new(lua_State *L, enum action_kind kind, const char *what)
{
	struct action *handle = lua_newuserdatauv(L, sizeof(*handle), 1);

	*handle = (struct action){ .kind = kind };
	luaL_setmetatable(L, type_action);
	literal_push(L, 1);
	lua_pushfstring(L, "%s %s", what, lua_tostring(L, -1));
	lua_setiuservalue(L, -3, 1);
	lua_pop(L, 1);
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
	struct action *handle = handle_new(L, ACTION_REFLECT, what);
	struct reflect *reflect = reflect_new(net, net_count, except, except_count);

	if (!reflect)
		return luaL_error(L, "%s: out of memory", what);
	handle->reflect = reflect;
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
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return (a->field > b->field) - (a->field < b->field);
}

/* Key and value are at 2 and 3. */
static void check_edit(lua_State *L, struct set_edit *out)
{
	struct layer_ref place = { 0, 0 };

	*out = (struct set_edit){ 0 };
	out->field = check_field_name(L, 2, &out->layer, &out->depth);
	out->source = to_field(L, 3, &place);
	out->source_place = place;
	if (!out->source) {
		check_field_value(L, 3, out->field, &out->value);
		return;
	}
	if (out->field->is_read_only)
		luaL_error(L, "%s cannot be written", lua_tostring(L, 2));
	if (!set_fits(out->field, out->source))
		luaL_error(L, "%s = %s: not every value of the one fits into the other",
			lua_tostring(L, 2), luaL_tolstring(L, 3, NULL));
}

/* mt.set{ ["ip.ttl"] = 42, ["ip.src"] = mt.field "ip.dst", ... } */
int laction_set(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	struct set_edit edits[SET_EDITS];
	unsigned count = 0;

	for (lua_pushnil(L); lua_next(L, 1); lua_settop(L, 2)) {
		if (count == SET_EDITS)
			return luaL_error(L, "mt.set: at most %d fields", SET_EDITS);
		check_edit(L, &edits[count++]);
	}
	qsort(edits, count, sizeof(edits[0]), edit_compare);
	struct action *handle = handle_new(L, ACTION_SET, "mt.set");

	handle->set = set_new(edits, count);
	return handle->set ? 1 : luaL_error(L, "mt.set: out of memory");
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
	struct action *handle = handle_new(L, ACTION_REJECT, what);
	struct reject *reject = reject_new(kind);

	if (!reject)
		return luaL_error(L, "%s: out of memory", what);
	handle->reject = reject;
	reject->mtu = mtu;
	check_from(L, reject);
	return 1;
}

static int laction_gc(lua_State *L)
{
	struct action *handle = lua_touserdata(L, 1);

	action_release(handle);
	*handle = (struct action){ .kind = handle->kind };
	return 0;
}

static int laction_tostring(lua_State *L)
{
	luaL_checkudata(L, 1, type_action);
	lua_getiuservalue(L, 1, 1);
	return 1;
}

static const struct luaL_Reg meta[] = { { "__gc", laction_gc }, { "__tostring", laction_tostring },
	{ NULL, NULL } };

static const struct handle_type type = { .name = type_action, .noun = "a C action", .meta = meta };

void action_open(lua_State *L)
{
	handle_open(L, &type);
}
