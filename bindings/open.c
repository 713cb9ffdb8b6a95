/* SPDX-License-Identifier: MIT */
/* Puts the names together that scripts see as mt. */
#include "bindings/open.h"

#include <string.h>

#include "bindings/action.h"
#include "bindings/addr.h"
#include "bindings/address.h"
#include "bindings/coroutine.h"
#include "bindings/end.h"
#include "bindings/field.h"
#include "bindings/handle.h"
#include "bindings/layer.h"
#include "bindings/link.h"
#include "bindings/log.h"
#include "bindings/match.h"
#include "bindings/mutate.h"
#include "bindings/neigh.h"
#include "bindings/netns.h"
#include "bindings/packet.h"
#include "bindings/pcap.h"
#include "bindings/port.h"
#include "bindings/process.h"
#include "bindings/repeat.h"
#include "bindings/route.h"
#include "bindings/rule.h"
#include "bindings/sniff.h"
#include "bindings/testing.h"
#include "bindings/timer.h"
#include "bindings/want.h"
#include "host/base/nearest.h"

static const char key; /* its address is the registry key of the reference */

static const struct luaL_Reg functions[] = { { "tun", lport_tun }, { "tap", lport_tap },
	{ "bridge", lport_bridge }, { "pair", lport_pair }, { "reflect", laction_reflect },
	{ "set", laction_set }, { "reject", laction_reject }, { "packet", lpacket_new },
	{ "range", lwant_range }, { "mask", lwant_mask }, { "field", lwant_field },
	{ "fuzz", lmutate_fuzz }, { "corrupt", lmutate_corrupt }, { "now", ltimer_now },
	{ "after", ltimer_after }, { "every", ltimer_every }, { "sleep", ltimer_sleep },
	{ "go", ltimer_go }, { "run", lcoroutine_run }, { "stop", lend_stop },
	{ "on_end", lend_on_end }, { "attach", lport_attach }, { "veth", lport_veth },
	{ "spawn", lprocess_spawn }, { "command", lprocess_command }, { "sniff", lsniff_new },
	{ "fields", lfield_list }, { NULL, NULL } };

enum { NAMES_MAX = 128 };

/* Written in Lua: loaded when they are first used. */
static const char *const lua_names[] = { "diagram", "doctor", NULL };

/* Raises: a name that mt does not have is a slip, and the nearest one is said. */
static int unknown_name(lua_State *L)
{
	const char *names[NAMES_MAX + 1], *name = lua_tostring(L, 2);
	unsigned count = 0;

	for (; lua_names[count]; count++)
		names[count] = lua_names[count];
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		if (count < NAMES_MAX && lua_type(L, -2) == LUA_TSTRING)
			names[count++] = lua_tostring(L, -2);
	}
	names[count] = NULL;
	const char *meant = nearest(name, names);

	if (meant)
		return luaL_error(L, "moontap has no %s (did you mean %s?)", name, meant);
	return luaL_error(L, "moontap has no %s", name);
}

/* mt.NAME that is not in the table. */
static int lopen_index(lua_State *L)
{
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	for (unsigned i = 0; lua_names[i]; i++) {
		if (strcmp(lua_names[i], lua_tostring(L, 2)))
			continue;
		lua_getglobal(L, "require");
		lua_pushfstring(L, "moontap.%s", lua_names[i]);
		lua_call(L, 1, 1);
		lua_pushvalue(L, 2);
		lua_pushvalue(L, -2);
		lua_rawset(L, 1);
		return 1;
	}
	return unknown_name(L);
}

/* mt.link.NAME that is not in the table. Upvalue 1: "mt.link" */
static int ltable_index(lua_State *L)
{
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	return handle_unknown(L, lua_tostring(L, lua_upvalueindex(1)), 1, 2);
}

/* The table at the top, mt.`name`, has no other names than it has now. */
static void table_close(lua_State *L, const char *name)
{
	lua_createtable(L, 0, 1);
	lua_pushfstring(L, "mt.%s", name);
	lua_pushcclosure(L, ltable_index, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* mt.link and its like; each function leaves its table on the stack. */
static const struct {
	const char *name;
	void (*open)(lua_State *L);
} tables[] = { { "log", log_open_table }, { "link", link_open_table }, { "addr", addr_open_table },
	{ "route", route_open_table }, { "neigh", neigh_open_table }, { "netns", netns_open_table },
	{ "sysctl", sysctl_open_table }, { "pcap", pcap_open_table },
	{ "testing", testing_open_table }, { NULL, NULL } };

struct script *moontap_open(lua_State *L, struct worker *worker, bool is_owner)
{
	address_open(L);
	layer_open(L);
	packet_open(L);
	match_open(L);
	want_open(L);
	action_open(L);
	rule_open(L);
	port_open(L);
	timer_open(L);
	coroutine_open(L);
	end_open(L);
	sniff_open(L);
	struct script *script = state_new(L, worker, is_owner);

	process_open(L);
	luaL_newlib(L, functions);
	for (unsigned i = 0; tables[i].name; i++) {
		tables[i].open(L);
		table_close(L, tables[i].name);
		lua_setfield(L, -2, tables[i].name);
	}
	lua_pushliteral(L, MOONTAP_VERSION);
	lua_setfield(L, -2, "version");
	lua_createtable(L, 0, 2);
	lua_pushinteger(L, worker->id);
	lua_setfield(L, -2, "id");
	lua_pushinteger(L, worker->host->worker_count ? worker->host->worker_count : 1);
	lua_setfield(L, -2, "count");
	lua_setfield(L, -2, "worker");
	repeat_wrap(L, -1);
	lua_createtable(L, 0, 2);
	lua_pushcfunction(L, lopen_index);
	lua_setfield(L, -2, "__index");
	lua_newtable(L);
	for (unsigned i = 0; lua_names[i]; i++) {
		lua_pushboolean(L, 1);
		lua_setfield(L, -2, lua_names[i]);
	}
	handle_names_set(L);
	lua_setmetatable(L, -2);
	lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
	return script;
}

int moontap_ref(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
	int ref = (int)lua_tointeger(L, -1);

	lua_pop(L, 1);
	return ref;
}
