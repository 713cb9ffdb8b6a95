/* SPDX-License-Identifier: MIT */
/* Lets a test load a script, send it packets, move its clock, and see what it does with them. */
#include "bindings/testing.h"

#include <stdlib.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/packet.h"
#include "bindings/script.h"
#include "bindings/state.h"
#include "host/cli/scripts.h"
#include "host/engine/offline.h"

static const char type_testing[] = "moontap.testing";

/* The clock's first time, seconds since 1970: early, but not so early that 0 would be recent. */
enum { START_S = 1000000000, ARGS_MAX = 64 };

/* Text that grows. */
struct words {
	char *bytes;
	size_t len, room;
};

struct testing {
	struct offline offline; /* the first member */
	bool is_open;
	struct words network, output, log;
};

static void words_add(struct testing *testing, struct words *words, const char *text, size_t len)
{
	if (words->len + len > words->room) {
		size_t room = 2 * (words->len + len);
		char *bytes = realloc(words->bytes, room);

		testing->offline.seen.is_short |= !bytes;
		if (!bytes)
			return;
		words->bytes = bytes;
		words->room = room;
	}
	memcpy(words->bytes + words->len, text, len);
	words->len += len;
}

static void take_text(struct offline *offline, enum log_stream stream, const char *text, size_t len)
{
	struct testing *testing = (struct testing *)offline;

	words_add(testing, stream == LOG_OUT ? &testing->output : &testing->log, text, len);
}

static void take_change(void *arg, const char *line)
{
	struct testing *testing = arg;

	words_add(testing, &testing->network, line, strlen(line));
	words_add(testing, &testing->network, "\n", 1);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
	if (!text || !text[0])
		return;
	lua_pushstring(L, text);
	lua_setfield(L, -2, key);
}

/* { port =, packet =, verdict =, rule =, from =, reason =, error =, time = } */
static void seen_push(lua_State *L, const struct testing *testing, struct seen *seen)
{
	lua_createtable(L, 0, 8);
	set_text(L, "port", seen->port);
	set_text(L, "from", seen->from);
	set_text(L, "rule", seen->rule);
	set_text(L, "reason", seen->reason);
	set_text(L, "error", seen->error);
	if (seen->packet)
		set_text(L, "verdict", seen_verdict(seen));
	lua_pushnumber(L, clock_seconds(&testing->offline.host.worker.clock, seen->time));
	lua_setfield(L, -2, "time");
	if (!seen->packet)
		return;
	struct packet *p = seen->packet;

	/* It came in by a port of another state, and on another clock. */
	p->port = NULL;
	p->time.ns -= state_of(L)->worker->clock.epoch_ns;
	packet_push_own(L, p);
	seen->packet = NULL;
	lua_setfield(L, -2, "packet");
}

/* What was seen since the last time, as a list. */
static int seen_list(lua_State *L, struct testing *testing)
{
	struct seen_list *seen = &testing->offline.seen;

	if (seen->is_short)
		return luaL_error(L, "testing: out of memory");
	lua_createtable(L, (int)seen->count, 0);
	for (size_t i = 0; i < seen->count; i++) {
		seen_push(L, testing, &seen->all[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	seen_forget(seen);
	return 1;
}

static struct testing *to_testing(lua_State *L)
{
	return *(struct testing **)luaL_checkudata(L, 1, type_testing);
}

static struct testing *check_testing(lua_State *L)
{
	struct testing *testing = to_testing(L);

	if (!testing || !testing->is_open)
		luaL_error(L, "testing: it is closed");
	return testing;
}

/* Raises: the script that is tested has failed, or what was asked of it cannot be. */
static int raise(lua_State *L, struct testing *testing, const struct refusal *why)
{
	seen_forget(&testing->offline.seen);
	return luaL_error(L, "%s", why->text);
}

/* The values of args= as strings; they stay on the stack. */
static int check_args(lua_State *L, char **argv)
{
	if (lua_getfield(L, 2, "args") == LUA_TNIL)
		return 0;
	luaL_argcheck(L, lua_istable(L, -1), 2, "args must be a list of strings");
	int list = lua_gettop(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, list);

	if (count > ARGS_MAX)
		return luaL_error(L, "testing.load: at most %d args", ARGS_MAX);
	luaL_checkstack(L, ARGS_MAX, "too many args");
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, list, i);
		argv[i - 1] = (char *)luaL_tolstring(L, -1, NULL);
	}
	return (int)count;
}

static struct testing *testing_new(lua_State *L)
{
	struct testing **handle = lua_newuserdatauv(L, sizeof(*handle), 1);

	*handle = NULL;
	luaL_setmetatable(L, type_testing);
	struct testing *testing = aligned_alloc(_Alignof(struct testing), sizeof(*testing));

	if (!testing)
		luaL_error(L, "testing.load: out of memory");
	memset(testing, 0, sizeof(*testing));
	*handle = testing;
	testing->offline.say = take_text;
	testing->offline.start.ns = (int64_t)START_S * NS_PER_S;
	testing->offline.host.ops = &lua_script_ops;
	testing->offline.host.told = take_change;
	testing->offline.host.told_arg = testing;
	testing->offline.host.is_seeded = true;
	return testing;
}

/* testing.load(path [, { args=, seed= }]) -> t; raises if the script fails */
static int ltesting_load(lua_State *L)
{
	static const char *const keys[] = { "args", "seed", NULL };
	const char *name = luaL_checkstring(L, 1), *meant = NULL;
	char *argv[ARGS_MAX + 1] = { NULL };
	struct refusal why = { 0 };
	char path[4096];

	lua_settop(L, 2);
	if (lua_isnil(L, 2)) {
		lua_newtable(L);
		lua_replace(L, 2);
	}
	luaL_checktype(L, 2, LUA_TTABLE);
	check_keys(L, 2, "testing.load", keys);
	lua_Integer seed = check_integer_field(
		L, 2, "testing.load", "seed", LUA_MININTEGER, LUA_MAXINTEGER, 0);
	int argc = check_args(L, argv);

	if (!scripts_find(name, path, sizeof(path), &meant))
		return luaL_error(L, "testing.load: %s: no such script", name);
	struct testing *testing = testing_new(L);

	testing->offline.host.source = (struct script_source){ path, argc, argv };
	testing->offline.host.seed = (uint64_t)seed;
	if (offline_open(&testing->offline, &why))
		return raise(L, testing, &why);
	testing->is_open = true;
	if (offline_load(&testing->offline, &why))
		return raise(L, testing, &why);
	seen_list(L, testing);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static struct lane *check_lane(lua_State *L, const struct testing *testing)
{
	const char *name = luaL_checkstring(L, 2);
	struct lane *lane = offline_lane(&testing->offline, name);
	bool is_first = true;

	if (lane)
		return lane;
	lua_pushliteral(L, "");
	for (lane = testing->offline.host.worker.dp.lanes; lane; lane = lane->sibling) {
		if (!lane->is_open)
			continue;
		lua_pushfstring(L, "%s%s", is_first ? "" : ", ", lane->port->name);
		lua_concat(L, 2);
		is_first = false;
	}
	luaL_error(L, "t:send: the script has no open port \"%s\" (%s%s)", name,
		is_first ? "it has none" : "it has ", lua_tostring(L, -1));
	return NULL;
}

/* The packet at 3: one, its bytes, or what it is built of. */
static const struct packet *check_to_feed(lua_State *L, const struct lane *lane)
{
	lua_settop(L, 3);
	if (!is_packet(L, 3)) {
		if (!lua_istable(L, 3))
			luaL_checkstring(L, 3);
		lua_pushcfunction(L, lpacket_new);
		lua_pushvalue(L, 3);
		if (lua_istable(L, 3))
			lua_pushnil(L); /* mt.packet{ ... } */
		else
			lua_pushstring(L, layer_name(lane->port->first));
		lua_call(L, 2, 1);
		lua_replace(L, 3);
	}
	const struct packet *p = check_packet(L, 3);

	if (p->first != lane->port->first)
		luaL_error(L, "t:send: %s carries %s packets, this is an %s packet",
			lane->port->name, layer_name(lane->port->first), layer_name(p->first));
	return p;
}

/* t:send(port, packet, bytes or layers) -> list of what was decided and sent */
static int ltesting_send(lua_State *L)
{
	struct testing *testing = check_testing(L);
	struct lane *lane = check_lane(L, testing);
	const struct packet *p = check_to_feed(L, lane);
	struct refusal why;

	if (offline_feed(&testing->offline, lane, p, &why))
		return raise(L, testing, &why);
	return seen_list(L, testing);
}

/* t:advance(seconds) -> list of what was decided and sent meanwhile */
static int ltesting_advance(lua_State *L)
{
	struct testing *testing = check_testing(L);
	double seconds = luaL_checknumber(L, 2);
	struct refusal why;

	if (!(seconds >= 0 && seconds <= 1e9))
		return luaL_error(L, "t:advance: %f seconds is out of range (0 to 1e9)", seconds);
	struct mono to = mono_add(
		testing->offline.host.worker.clock.now, (int64_t)(seconds * NS_PER_S + 0.5));

	if (offline_advance(&testing->offline, to, &why))
		return raise(L, testing, &why);
	return seen_list(L, testing);
}

/* t:close() -> list of what was sent at the end: it ends in order, and all is freed */
static int ltesting_close(lua_State *L)
{
	struct testing *testing = to_testing(L);

	if (!testing || !testing->is_open)
		return 0;
	offline_end(&testing->offline);
	seen_list(L, testing);
	testing->is_open = false;
	offline_close(&testing->offline);
	return 1;
}

static int ltesting_gc(lua_State *L)
{
	struct testing **handle = luaL_checkudata(L, 1, type_testing);
	struct testing *testing = *handle;

	if (!testing)
		return 0;
	if (testing->is_open) {
		offline_end(&testing->offline);
		offline_close(&testing->offline);
	}
	seen_fini(&testing->offline.seen);
	free(testing->network.bytes);
	free(testing->output.bytes);
	free(testing->log.bytes);
	free(testing);
	*handle = NULL;
	return 0;
}

/* The lines of a text as a list. */
static void lines_push(lua_State *L, const struct words *words)
{
	const char *line = words->bytes, *end = words->bytes + words->len;

	lua_newtable(L);
	for (lua_Integer i = 1; line < end; i++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		lua_pushlstring(L, line, (size_t)(stop - line));
		lua_rawseti(L, -2, i);
		line = stop + 1;
	}
}

/* Of a field's handle; raises where it could not even be opened. */
static struct testing *testing_of(lua_State *L, void *handle)
{
	struct testing *testing = *(struct testing **)handle;

	if (!testing)
		luaL_error(L, "testing: it is closed");
	return testing;
}

static void loaded_push(lua_State *L, void *handle)
{
	(void)handle;
	lua_getiuservalue(L, 1, 1);
}

static void log_push(lua_State *L, void *handle)
{
	const struct testing *testing = testing_of(L, handle);

	lua_pushlstring(L, testing->log.bytes, testing->log.len);
}

static void network_push(lua_State *L, void *handle)
{
	lines_push(L, &testing_of(L, handle)->network);
}

static void output_push(lua_State *L, void *handle)
{
	const struct testing *testing = testing_of(L, handle);

	lua_pushlstring(L, testing->output.bytes, testing->output.len);
}

static void ports_push(lua_State *L, void *handle)
{
	const struct testing *testing = testing_of(L, handle);
	lua_Integer count = 0;

	lua_newtable(L);
	if (!testing->is_open)
		return;
	for (const struct lane *lane = testing->offline.host.worker.dp.lanes; lane;
		lane = lane->sibling) {
		if (!lane->is_open)
			continue;
		lua_pushstring(L, lane->port->name);
		lua_rawseti(L, -2, ++count);
	}
}

static void stopped_push(lua_State *L, void *handle)
{
	const struct host *host = &testing_of(L, handle)->offline.host;

	if (atomic_load(&host->stop_wanted))
		lua_pushinteger(L, atomic_load(&host->stop_code));
	else
		lua_pushnil(L);
}

static void time_push(lua_State *L, void *handle)
{
	const struct clock *clock = &testing_of(L, handle)->offline.host.worker.clock;

	lua_pushnumber(L, clock_seconds(clock, clock->now));
}

static const struct luaL_Reg functions[] = { { "load", ltesting_load }, { NULL, NULL } };

static const struct luaL_Reg methods[] = { { "send", ltesting_send },
	{ "advance", ltesting_advance }, { "close", ltesting_close }, { NULL, NULL } };

static const struct luaL_Reg meta[] = { { "__gc", ltesting_gc }, { "__close", ltesting_close },
	{ NULL, NULL } };

static const struct handle_field fields[] = { { "loaded", loaded_push }, { "log", log_push },
	{ "network", network_push }, { "output", output_push }, { "ports", ports_push },
	{ "stopped", stopped_push }, { "time", time_push }, { NULL, NULL } };

static const struct handle_type type = {
	.name = type_testing, .noun = "a test", .meta = meta, .methods = methods, .fields = fields
};

void testing_open_table(lua_State *L)
{
	handle_open(L, &type);
	luaL_newlib(L, functions);
}
