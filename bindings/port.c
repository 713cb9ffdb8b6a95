/* SPDX-License-Identifier: MIT */
/* Lets scripts open ports, give them rules and send through them. */
#include "bindings/port.h"

#include <stdio.h>
#include <string.h>

#include "bindings/action.h"
#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/packet.h"
#include "bindings/rule.h"
#include "bindings/state.h"
#include "host/base/log.h"
#include "host/packet/parse.h"

static const char type_port[] = "moontap.port";
static const char handles; /* its address is the registry key of: lane -> handle */

struct port_handle {
	struct lane *lane; /* the worker's; lives as long as the worker */
};

void port_push(lua_State *L, struct lane *lane)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &handles);
	if (lua_rawgetp(L, -1, lane) == LUA_TNIL) {
		lua_pop(L, 1);
		struct port_handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);

		handle->lane = lane;
		luaL_setmetatable(L, type_port);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, -3, lane);
	}
	lua_remove(L, -2);
}

struct lane *to_port(lua_State *L, int idx)
{
	const struct port_handle *handle = luaL_testudata(L, idx, type_port);

	return handle ? handle->lane : NULL;
}

static struct lane *check_port(lua_State *L, int idx)
{
	const struct port_handle *handle = luaL_checkudata(L, idx, type_port);

	if (!handle->lane->is_open)
		luaL_error(L, "port %s is closed", handle->lane->port->name);
	return handle->lane;
}

static void rules_edit(
	lua_State *L, struct lane *lane, struct rule *rule, const struct rule *before)
{
	struct rule_table *table = rule_table_edit(lane_rules(lane), rule, before);

	if (table) {
		lane_rules_set(lane, table);
		rule_push(L, lane, rule);
	}
	rule_release(rule);
	if (!table)
		luaL_error(L, "rule: out of memory");
}

/* port:on(MATCH, ACTION...) -> rule */
static int lport_on(lua_State *L)
{
	struct lane *lane = check_port(L, 1);

	rules_edit(L, lane, check_new_rule(L, lane, 2, lua_gettop(L)), NULL);
	return 1;
}

/* port:before(rule, MATCH, ACTION...) -> rule */
static int lport_before(lua_State *L)
{
	struct lane *lane = check_port(L, 1);
	const struct rule *before = check_rule(L, 2, lane);

	rules_edit(L, lane, check_new_rule(L, lane, 3, lua_gettop(L)), before);
	return 1;
}

static void check_policy_rule_key(lua_State *L, lua_Integer n, const char *const *names)
{
	const char *key = luaL_tolstring(L, -2, NULL);

	if (lua_type(L, -3) != LUA_TSTRING || (strcmp(key, names[0]) && strcmp(key, names[1])))
		luaL_error(L, "port:policy: rule %d: unknown key \"%s\" (it knows %s and %s)",
			(int)n, key, names[0], names[1]);
	lua_pop(L, 1);
}

/* One element of a policy, at the top: { MATCH, ACTION..., label =, on_error = }, popped. */
static struct rule *check_policy_rule(lua_State *L, struct lane *lane, lua_Integer n)
{
	static const char *const names[] = { "label", "on_error" };
	int entry = lua_gettop(L);

	if (!lua_istable(L, entry))
		luaL_error(L, "port:policy: rule %d must be a table { MATCH, ACTION... }, not a %s",
			(int)n, luaL_typename(L, entry));
	/* MATCH may be nil: the length is that of the last action. */
	lua_Integer last = 1;

	for (lua_pushnil(L); lua_next(L, entry); lua_pop(L, 1)) {
		if (!lua_isinteger(L, -2))
			check_policy_rule_key(L, n, names);
		else if (lua_tointeger(L, -2) > last)
			last = lua_tointeger(L, -2);
	}
	luaL_checkstack(L, (int)last, "too many actions");
	for (lua_Integer i = 1; i <= last; i++)
		lua_rawgeti(L, entry, i);
	struct rule *rule = check_new_rule(L, lane, entry + 1, lua_gettop(L));

	lua_settop(L, entry);
	rule_push(L, lane, rule);
	rule_release(rule); /* the handle holds it */
	for (unsigned i = 0; i < 2; i++) {
		if (lua_getfield(L, entry, names[i]) == LUA_TNIL)
			lua_pop(L, 1);
		else
			lua_setfield(L, entry + 1, names[i]);
	}
	return rule;
}

enum { POLICY_RULES = 256 };

static enum verdict check_policy_default(lua_State *L)
{
	if (lua_getfield(L, 2, "default") == LUA_TNIL)
		return VERDICT_DROP;
	enum verdict verdict = to_verdict(L, -1);

	if (verdict != VERDICT_DROP && verdict != VERDICT_PASS)
		luaL_error(L, "port:policy: default is \"drop\" or \"pass\", not %s",
			luaL_tolstring(L, -1, NULL));
	return verdict;
}

static void check_policy_keys(lua_State *L)
{
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		bool is_default =
			lua_type(L, -2) == LUA_TSTRING && !strcmp(lua_tostring(L, -2), "default");

		if (!lua_isinteger(L, -2) && !is_default)
			luaL_error(L,
				"port:policy: unknown key \"%s\" (it knows rules and default)",
				luaL_tolstring(L, -2, NULL));
	}
}

/* port:policy{ { MATCH, ACTION... }, ..., default = } replaces all rules at once, or none;
 * returns the rules' handles as a list. */
static int lport_policy(lua_State *L)
{
	struct lane *lane = check_port(L, 1);
	struct rule *rules[POLICY_RULES];

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	check_policy_keys(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, 2);

	if (count > POLICY_RULES)
		return luaL_error(L, "port:policy: at most %d rules", POLICY_RULES);
	enum verdict fallback = check_policy_default(L);

	lua_settop(L, 2);
	lua_newtable(L); /* the handles: they hold the rules until the table does */
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, 2, i);
		rules[i - 1] = check_policy_rule(L, lane, i);
		lua_rawseti(L, 3, i);
		lua_settop(L, 3);
	}
	struct rule_table *table = rule_table_new(rules, (unsigned)count);

	if (!table)
		return luaL_error(L, "port:policy: out of memory");
	lane_rules_set(lane, table);
	lane->fallback = fallback;
	return 1;
}

static void check_same_kind(lua_State *L, const struct lane *from, const struct lane *to)
{
	if (from->port->first != to->port->first)
		luaL_error(L,
			"%s carries %s packets and %s carries %s packets: they cannot be joined",
			from->port->name, layer_name(from->port->first), to->port->name,
			layer_name(to->port->first));
}

/* port:pass_to(other): other becomes its next port; nil: none. */
static int lport_pass_to(lua_State *L)
{
	struct lane *lane = check_port(L, 1);
	struct lane *next = lua_isnoneornil(L, 2) ? NULL : check_port(L, 2);

	if (next)
		check_same_kind(L, lane, next);
	lane->next = next;
	lua_settop(L, 1);
	return 1;
}

static const struct packet *check_to_send(lua_State *L, const struct lane *lane)
{
	if (is_packet(L, 2))
		return check_packet(L, 2);
	lua_settop(L, 2);
	luaL_checkstring(L, 2);
	lua_pushstring(L, layer_name(lane->port->first));
	lua_remove(L, 1);
	lpacket_new(L); /* the string and its kind are at 1 and 2 */
	return check_packet(L, -1);
}

/* port:send(packet or bytes): copied, queued, past all rules. */
static int lport_send(lua_State *L)
{
	struct lane *lane = check_port(L, 1);
	const struct packet *p = check_to_send(L, lane);
	struct script *script = state_of(L);

	if (p->first != lane->port->first)
		return luaL_error(L, "%s carries %s packets, this is an %s packet",
			lane->port->name, layer_name(lane->port->first), layer_name(p->first));
	datapath_inject(&script->worker->dp, lane, p);
	if (!script->is_in_call)
		datapath_flush(&script->worker->dp);
	return 0;
}

static int lport_close(lua_State *L)
{
	const struct port_handle *handle = luaL_checkudata(L, 1, type_port);
	struct script *script = state_of(L);

	if (!handle->lane->is_open)
		return 0;
	if (script->is_in_call)
		return luaL_error(L,
			"port %s cannot be closed inside a rule's function (use "
			"mt.after)",
			handle->lane->port->name);
	worker_lane_close(script->worker, handle->lane);
	return 0;
}

static void number_set(lua_State *L, const char *name, uint64_t number)
{
	lua_pushinteger(L, (lua_Integer)number);
	lua_setfield(L, -2, name);
}

static void drops_set(lua_State *L, const struct lane *lane)
{
	lua_newtable(L);
	for (unsigned r = DROP_none + 1; r < DROP_COUNT; r++)
		number_set(L, drop_name(r), counter_get(&lane->dropped[r]));
	lua_setfield(L, -2, "drops");
	lua_newtable(L);
	for (unsigned r = 0; r < TX_DROP_COUNT; r++)
		number_set(L, tx_drop_name(r), counter_get(&lane->port->counters.tx_drop[r]));
	lua_setfield(L, -2, "tx_drops");
}

static const struct lane *lane_of(const void *handle)
{
	return ((const struct port_handle *)handle)->lane;
}

static void counters_push(lua_State *L, void *handle)
{
	const struct lane *lane = lane_of(handle);
	const struct port_counters *c = &lane->port->counters;

	lua_newtable(L);
	number_set(L, "rx_packets", counter_get(&c->rx_packets));
	number_set(L, "rx_bytes", counter_get(&c->rx_bytes));
	number_set(L, "rx_dropped", counter_get(&c->rx_dropped));
	number_set(L, "tx_packets", counter_get(&c->tx_packets));
	number_set(L, "tx_bytes", counter_get(&c->tx_bytes));
	number_set(L, "tx_dropped", port_tx_dropped(lane->port));
	for (unsigned v = VERDICT_REPLY; v <= VERDICT_HANDLED; v++)
		number_set(L, verdict_counted(v), counter_get(&lane->decided[v]));
	drops_set(L, lane);
	number_set(L, "malformed", counter_get(&lane->malformed));
	number_set(L, "script_errors", counter_get(&lane->script_errors));
}

static void default_push(lua_State *L, void *handle)
{
	lua_pushstring(L, verdict_name(lane_of(handle)->fallback));
}

static void io_push(lua_State *L, void *handle)
{
	lua_pushstring(L, io_name(lane_of(handle)->port->io));
}

static void kind_push(lua_State *L, void *handle)
{
	lua_pushstring(L, lane_of(handle)->port->kind);
}

static void mac_push(lua_State *L, void *handle)
{
	const struct lane *lane = lane_of(handle);

	if (lane->port->first == LAYER_eth)
		push_mac(L, lane->port->mac);
	else
		lua_pushnil(L);
}

static void mtu_push(lua_State *L, void *handle)
{
	lua_pushinteger(L, lane_of(handle)->port->mtu);
}

static void name_push(lua_State *L, void *handle)
{
	lua_pushstring(L, lane_of(handle)->port->name);
}

static void next_push(lua_State *L, void *handle)
{
	const struct lane *lane = lane_of(handle);

	if (lane->next)
		port_push(L, lane->next);
	else
		lua_pushnil(L);
}

static void offload_push(lua_State *L, void *handle)
{
	lua_pushboolean(L, lane_of(handle)->port->takes_gso);
}

/* A list of the rules as they stand. */
static void rules_push(lua_State *L, void *handle)
{
	struct lane *lane = ((struct port_handle *)handle)->lane;
	const struct rule_table *table = lane_rules(lane);

	lua_newtable(L);
	for (unsigned i = 0; table && i < table->count; i++) {
		rule_push(L, lane, table->rules[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	rule_list_mark(L);
}

static int lport_newindex(lua_State *L)
{
	struct lane *lane = check_port(L, 1);
	const char *key = luaL_checkstring(L, 2);
	enum verdict verdict = to_verdict(L, 3);

	if (strcmp(key, "default"))
		return luaL_error(L, "port.%s cannot be written (port.default can)", key);
	if (verdict != VERDICT_DROP && verdict != VERDICT_PASS)
		return luaL_error(L, "port.default is \"drop\" or \"pass\", not %s",
			luaL_tolstring(L, 3, NULL));
	lane->fallback = verdict;
	return 0;
}

static int lport_tostring(lua_State *L)
{
	const struct port_handle *handle = luaL_checkudata(L, 1, type_port);

	lua_pushfstring(L, "%s %s%s", handle->lane->port->kind, handle->lane->port->name,
		handle->lane->is_open ? "" : " (closed)");
	return 1;
}

/* mt.bridge(a, b): each passes to the other what its rules have no opinion on. */
int lport_bridge(lua_State *L)
{
	struct lane *a = check_port(L, 1), *b = check_port(L, 2);

	check_same_kind(L, a, b);
	a->next = b;
	b->next = a;
	a->fallback = b->fallback = VERDICT_PASS;
	return 0;
}

static const struct luaL_Reg methods[] = { { "on", lport_on }, { "before", lport_before },
	{ "policy", lport_policy }, { "pass_to", lport_pass_to }, { "send", lport_send },
	{ "close", lport_close }, { NULL, NULL } };

static const struct luaL_Reg meta[] = { { "__newindex", lport_newindex },
	{ "__tostring", lport_tostring }, { "__close", lport_close }, { NULL, NULL } };

static const struct handle_field fields[] = { { "counters", counters_push },
	{ "default", default_push }, { "io", io_push }, { "kind", kind_push }, { "mac", mac_push },
	{ "mtu", mtu_push }, { "name", name_push }, { "next", next_push },
	{ "offload", offload_push }, { "rules", rules_push }, { NULL, NULL } };

static const struct handle_type type = {
	.name = type_port, .noun = "a port", .meta = meta, .methods = methods, .fields = fields
};

void port_open(lua_State *L)
{
	handle_open(L, &type);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &handles);
}
