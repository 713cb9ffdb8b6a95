/* SPDX-License-Identifier: MIT */
/* Gives scripts the packets of capture files, and writes theirs. */
#include "bindings/pcap.h"

#include <string.h>

#include "bindings/glue.h"
#include "bindings/packet.h"
#include "bindings/state.h"
#include "host/policy/filter.h"
#include "host/port/capfile.h"

static const char *const type_reader = "moontap.pcap.reader";

struct reader {
	struct capfile *file; /* NULL: closed */
};

/* A MATCH for packets of either first layer; user data of packets()'s iterator. */
struct matches {
	struct filter *filters[2]; /* for IP and Ethernet; NULL: none matches */
};

static const char *const type_matches = "moontap.pcap.matches";

static struct capfile *check_reader(lua_State *L)
{
	struct reader *reader = luaL_checkudata(L, 1, type_reader);

	if (!reader->file)
		luaL_error(L, "pcap: the file is closed");
	return reader->file;
}

static int lmatches_gc(lua_State *L)
{
	struct matches *matches = lua_touserdata(L, 1);

	for (unsigned i = 0; i < 2; i++) {
		if (matches->filters[i])
			filter_close(matches->filters[i]);
		matches->filters[i] = NULL;
	}
	return 0;
}

/* Pushes what decides which packets are given: nil for all. */
static void matches_push(lua_State *L, int idx)
{
	struct refusal why;

	if (lua_isnoneornil(L, idx)) {
		lua_pushnil(L);
		return;
	}
	const char *text = luaL_checkstring(L, idx);
	struct matches *matches = lua_newuserdatauv(L, sizeof(*matches), 0);

	*matches = (struct matches){ 0 };
	luaL_setmetatable(L, type_matches);
	/* "arp" has no meaning for bare IP packets: refused is what suits neither. */
	bool is_for_ip = !filter_open(&matches->filters[0], text, LAYER_ip, &why);

	if (filter_open(&matches->filters[1], text, LAYER_eth, &why) && !is_for_ip)
		luaL_error(L, "pcap: %s", why.text);
}

static bool is_match(const struct matches *matches, const struct packet *p)
{
	const struct filter *filter = matches->filters[p->first == LAYER_eth];

	return filter && filter_match(filter, p);
}

static void captured_push(lua_State *L, const struct capfile *file, const struct captured *captured)
{
	static const char *const dirs[] = {
		[CAPTURE_DIR_NONE] = NULL, [CAPTURE_DIR_IN] = "in", [CAPTURE_DIR_OUT] = "out"
	};

	captured->packet->time.ns = captured->time_ns - state_of(L)->worker->clock.epoch_ns;
	const char *link = capfile_interface(file, captured->interface)->name;

	packet_push_seen(L, captured->packet, link, dirs[captured->dir])->cut = captured->cut;
	if (captured->comment[0]) {
		lua_pushstring(L, captured->comment);
		lua_setiuservalue(L, -2, PACKET_COMMENT);
	}
}

/* Pushes the next packet that matches, or nothing. */
static enum capfile_status packet_next(
	lua_State *L, struct capfile *file, const struct matches *matches, struct refusal *why)
{
	struct captured captured;
	enum capfile_status status;

	while ((status = capfile_next(file, &captured, why)) == CAPFILE_PACKET) {
		if (!matches || is_match(matches, captured.packet)) {
			captured_push(L, file, &captured);
			break;
		}
		packet_free(captured.packet);
	}
	return status;
}

/* file:next() -> pkt | nil at the end | nil, why, errno */
static int lpcap_next(lua_State *L)
{
	struct refusal why;

	switch (packet_next(L, check_reader(L), NULL, &why)) {
	case CAPFILE_PACKET:
		return 1;
	case CAPFILE_BROKEN:
		return push_refusal(L, &why);
	default:
		lua_pushnil(L);
		return 1;
	}
}

/* A loop has no eyes for a second value: a damaged file raises. Upvalues: reader, matches. */
static int lpcap_packets_next(lua_State *L)
{
	struct reader *reader = lua_touserdata(L, lua_upvalueindex(1));
	const struct matches *matches = lua_touserdata(L, lua_upvalueindex(2));
	struct refusal why;

	if (!reader->file)
		return luaL_error(L, "pcap: the file is closed");
	enum capfile_status status = packet_next(L, reader->file, matches, &why);

	if (status == CAPFILE_BROKEN)
		return luaL_error(L, "%s", why.text);
	return status == CAPFILE_PACKET;
}

/* for pkt in file:packets([match]) */
static int lpcap_packets(lua_State *L)
{
	check_reader(L);
	lua_settop(L, 2);
	lua_pushvalue(L, 1);
	matches_push(L, 2);
	lua_pushcclosure(L, lpcap_packets_next, 2);
	return 1;
}

static void interfaces_push(lua_State *L, const struct capfile *file)
{
	unsigned count = capfile_interface_count(file);

	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		const struct capfile_interface *interface = capfile_interface(file, i);

		lua_createtable(L, 0, 3);
		if (interface->name[0]) {
			lua_pushstring(L, interface->name);
			lua_setfield(L, -2, "name");
		}
		lua_pushinteger(L, interface->linktype);
		lua_setfield(L, -2, "linktype");
		if (interface->first != LAYER_none) {
			lua_pushstring(L, layer_name(interface->first));
			lua_setfield(L, -2, "first");
		}
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

static int lpcap_reader_close(lua_State *L)
{
	struct reader *reader = luaL_checkudata(L, 1, type_reader);

	if (reader->file)
		capfile_close(reader->file);
	reader->file = NULL;
	return 0;
}

static const struct luaL_Reg reader_methods[] = { { "next", lpcap_next },
	{ "packets", lpcap_packets }, { "close", lpcap_reader_close }, { NULL, NULL } };

/* Upvalue 1: the methods. */
static int lpcap_reader_index(lua_State *L)
{
	luaL_checkudata(L, 1, type_reader);
	const char *key = luaL_checkstring(L, 2);

	if (lua_getfield(L, lua_upvalueindex(1), key) != LUA_TNIL)
		return 1;
	if (!strcmp(key, "interfaces"))
		interfaces_push(L, check_reader(L));
	else if (!strcmp(key, "skipped"))
		lua_pushinteger(L, (lua_Integer)capfile_skipped(check_reader(L)));
	else
		return luaL_error(L,
			"a file of packets has no \"%s\" (next, packets, close, interfaces, "
			"skipped)",
			key);
	return 1;
}

/* mt.pcap.open(path [, "r"]) -> reader | nil, why, errno */
static int lpcap_open(lua_State *L)
{
	static const char *const modes[] = { "r", NULL };
	const char *path = luaL_checkstring(L, 1);
	struct refusal why;

	luaL_checkoption(L, 2, "r", modes);
	struct reader *reader = lua_newuserdatauv(L, sizeof(*reader), 0);

	reader->file = NULL;
	luaL_setmetatable(L, type_reader);
	if (capfile_open(&reader->file, path, &why))
		return push_refusal(L, &why);
	return 1;
}

static const struct luaL_Reg functions[] = { { "open", lpcap_open }, { NULL, NULL } };

static const struct luaL_Reg reader_meta[] = { { "__gc", lpcap_reader_close },
	{ "__close", lpcap_reader_close }, { NULL, NULL } };

void pcap_open_table(lua_State *L)
{
	luaL_newmetatable(L, type_matches);
	lua_pushcfunction(L, lmatches_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	luaL_newmetatable(L, type_reader);
	luaL_setfuncs(L, reader_meta, 0);
	luaL_newlib(L, reader_methods);
	lua_pushcclosure(L, lpcap_reader_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, type_reader);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
}
