/* SPDX-License-Identifier: MIT */
/* Gives scripts the packets of capture files, and writes theirs. */
#include "bindings/pcap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/match.h"
#include "bindings/network.h"
#include "bindings/packet.h"
#include "bindings/state.h"
#include "host/base/log.h"
#include "host/engine/outfile.h"
#include "host/engine/world.h"
#include "host/port/capfile.h"

static const char type_reader[] = "moontap.pcap.reader";
static const char type_writer[] = "moontap.pcap.writer";

struct reader {
	struct capfile *file; /* NULL: closed */
	char path[256];	      /* for people */
};

/* A MATCH for packets of either first layer; user data of packets()'s iterator. */
struct matches {
	struct match *of[2]; /* for IP and Ethernet; NULL: none matches */
};

static const char *const type_matches = "moontap.pcap.matches";

static struct capfile *reader_file(lua_State *L, const struct reader *reader)
{
	if (!reader->file)
		luaL_error(L, "pcap: the file is closed");
	return reader->file;
}

static struct capfile *check_reader(lua_State *L)
{
	return reader_file(L, luaL_checkudata(L, 1, type_reader));
}

static int lmatches_gc(lua_State *L)
{
	struct matches *matches = lua_touserdata(L, 1);

	for (unsigned i = 0; i < 2; i++) {
		if (matches->of[i])
			match_release(matches->of[i]);
		matches->of[i] = NULL;
	}
	return 0;
}

/* Pushes what decides which packets are given: nil for all. */
static void matches_push(lua_State *L, int idx)
{
	if (lua_isfunction(L, idx))
		luaL_error(L, "packets: match must be a pcap-filter string or a table of fields");
	struct matches *matches = lua_newuserdatauv(L, sizeof(*matches), 0);

	*matches = (struct matches){ 0 };
	luaL_setmetatable(L, type_matches);
	check_match_of_both(L, idx, matches->of);
	if (!matches->of[0] && !matches->of[1]) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
}

static bool is_match(const struct matches *matches, const struct packet *p)
{
	const struct match *match = matches->of[p->first == LAYER_eth];

	return match && match_packet(match, p);
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

	enum capfile_status status = packet_next(L, reader_file(L, reader), matches, &why);

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

static void interfaces_push(lua_State *L, void *handle)
{
	const struct capfile *file = reader_file(L, handle);
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

static void skipped_push(lua_State *L, void *handle)
{
	lua_pushinteger(L, (lua_Integer)capfile_skipped(reader_file(L, handle)));
}

static int lpcap_reader_tostring(lua_State *L)
{
	const struct reader *reader = luaL_checkudata(L, 1, type_reader);

	lua_pushfstring(L, "file of packets %s%s", reader->path, reader->file ? "" : " (closed)");
	return 1;
}

static const struct luaL_Reg reader_methods[] = { { "next", lpcap_next },
	{ "packets", lpcap_packets }, { "close", lpcap_reader_close }, { NULL, NULL } };

static const struct luaL_Reg reader_meta[] = { { "__gc", lpcap_reader_close },
	{ "__close", lpcap_reader_close }, { "__tostring", lpcap_reader_tostring },
	{ NULL, NULL } };

static const struct handle_field reader_fields[] = { { "interfaces", interfaces_push },
	{ "skipped", skipped_push }, { NULL, NULL } };

static const struct handle_type reader_type = { .name = type_reader,
	.noun = "a file of packets",
	.meta = reader_meta,
	.methods = reader_methods,
	.fields = reader_fields };

struct writer {
	struct outfile *file; /* NULL: closed */
	bool is_told;	      /* that writing failed */
	char path[256];	      /* for messages */
};

static struct writer *check_writer(lua_State *L)
{
	struct writer *writer = luaL_checkudata(L, 1, type_writer);

	if (!writer->file)
		luaL_error(L, "pcap: the file is closed");
	return writer;
}

static int write_failed(lua_State *L, struct writer *writer, int error)
{
	writer->is_told = true;
	return luaL_error(L,
		"%s: cannot write: %s (make room or write elsewhere; what is in it can be read)",
		writer->path, strerror(-error));
}

static enum capture_dir check_dir(lua_State *L, int idx, const char *seen)
{
	static const char *const words[] = { "in", "out", NULL };
	enum capture_dir dir = CAPTURE_DIR_NONE;

	if (lua_istable(L, idx) && lua_getfield(L, idx, "dir") != LUA_TNIL)
		dir = CAPTURE_DIR_IN +
		      (enum capture_dir)check_word(L, -1, "file:write", "dir", words);
	else if (seen)
		dir = !strcmp(seen, "in") ? CAPTURE_DIR_IN : CAPTURE_DIR_OUT;
	return dir;
}

/* The string in the table's field, which stays on the stack; `otherwise` where there is none. */
static const char *check_text(lua_State *L, int idx, const char *key, const char *otherwise)
{
	if (!lua_istable(L, idx) || lua_getfield(L, idx, key) == LUA_TNIL)
		return otherwise;
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(
			L, "file:write: %s must be a string, not a %s", key, luaL_typename(L, -1));
	return lua_tostring(L, -1);
}

/* When it came, or now for one that was built. */
static int64_t check_time(lua_State *L, int idx, const struct packet *p)
{
	const struct clock *clock = &state_of(L)->worker->clock;
	struct mono at = p->time.ns ? p->time : clock_now(clock);

	if (!lua_istable(L, idx) || lua_getfield(L, idx, "time") == LUA_TNIL)
		return at.ns + clock->epoch_ns;
	lua_Number seconds = luaL_checknumber(L, -1);

	if (!(seconds >= 0 && seconds < 9e9))
		luaL_error(L, "file:write: time must be seconds since 1970");
	return (int64_t)(seconds * NS_PER_S);
}

static const char *interface_name(const struct packet_handle *handle)
{
	if (handle->link[0])
		return handle->link;
	return handle->packet->port ? handle->packet->port->name : "";
}

/* file:write(pkt [, { interface=, comment=, dir=, time= }]) -> file */
static int lpcap_write(lua_State *L)
{
	static const char *const keys[] = { "interface", "comment", "dir", "time", NULL };
	struct writer *writer = check_writer(L);
	const struct packet *p = check_packet(L, 2);
	const struct packet_handle *handle = lua_touserdata(L, 2);

	lua_settop(L, 3);
	if (!lua_isnil(L, 3)) {
		luaL_checktype(L, 3, LUA_TTABLE);
		check_keys(L, 3, "file:write", keys);
	}
	lua_getiuservalue(L, 2, PACKET_COMMENT);
	const char *name = check_text(L, 3, "interface", interface_name(handle));
	struct pcapng_packet out = {
		.time_ns = check_time(L, 3, p),
		.bytes = p->data,
		.len = packet_length(p),
		.original = packet_length(p) + handle->cut,
		.dir = check_dir(L, 3, handle->dir),
		.comment = check_text(L, 3, "comment", lua_tostring(L, 4)),
	};
	int error = outfile_write(writer->file, name, p->first, &out);

	if (error)
		return write_failed(L, writer, error);
	lua_settop(L, 1);
	return 1;
}

/* file:flush() -> file: what was written is in the file */
static int lpcap_flush(lua_State *L)
{
	struct writer *writer = check_writer(L);
	int error = outfile_flush(writer->file);

	if (error)
		return write_failed(L, writer, error);
	lua_settop(L, 1);
	return 1;
}

static int writer_shut(struct writer *writer)
{
	int error = writer->file ? outfile_close(writer->file) : 0;

	writer->file = NULL;
	return writer->is_told ? 0 : error;
}

static int lpcap_writer_close(lua_State *L)
{
	struct writer *writer = luaL_checkudata(L, 1, type_writer);
	int error = writer_shut(writer);

	return error ? write_failed(L, writer, error) : 0;
}

static int lpcap_writer_gc(lua_State *L)
{
	struct writer *writer = lua_touserdata(L, 1);
	int error = writer_shut(writer);

	if (error)
		log_line(LOG_LEVEL_WARN, "%s: cannot write: %s", writer->path, strerror(-error));
	return 0;
}

static const struct luaL_Reg writer_methods[] = { { "write", lpcap_write },
	{ "flush", lpcap_flush }, { "close", lpcap_writer_close }, { NULL, NULL } };

static int lpcap_writer_tostring(lua_State *L)
{
	const struct writer *writer = luaL_checkudata(L, 1, type_writer);

	lua_pushfstring(
		L, "file that is written %s%s", writer->path, writer->file ? "" : " (closed)");
	return 1;
}

static const struct luaL_Reg writer_meta[] = { { "__gc", lpcap_writer_gc },
	{ "__close", lpcap_writer_close }, { "__tostring", lpcap_writer_tostring },
	{ NULL, NULL } };

static const struct handle_type writer_type = { .name = type_writer,
	.noun = "a file that is written",
	.meta = writer_meta,
	.methods = writer_methods };

static int reader_new(lua_State *L, const char *path, struct refusal *why)
{
	struct reader *reader = lua_newuserdatauv(L, sizeof(*reader), 0);

	*reader = (struct reader){ .file = NULL };
	snprintf(reader->path, sizeof(reader->path), "%s", path);
	luaL_setmetatable(L, type_reader);
	return capfile_open(&reader->file, path, why);
}

/* Where the network is a recorded one, files are as little touched as it is. */
static int writer_new(lua_State *L, const char *path, struct refusal *why)
{
	struct script *script = state_of(L);
	struct calls *calls = script->worker->host->calls;
	struct writer *writer = lua_newuserdatauv(L, sizeof(*writer), 0);

	*writer = (struct writer){ .file = NULL };
	snprintf(writer->path, sizeof(writer->path), "%s", path);
	luaL_setmetatable(L, type_writer);
	if (script->repeated) {
		writer->file = script->repeated->file;
		return 0;
	}
	if (calls)
		calls_empty(calls, path);
	return outfile_open(
		&writer->file, world_is_recorded(world_of(L)) ? "/dev/null" : path, why);
}

/* mt.pcap.open(path [, "r" | "w"]) -> reader or writer | nil, why, errno */
static int lpcap_open(lua_State *L)
{
	static const char *const modes[] = { "r", "w", NULL };
	const char *path = luaL_checkstring(L, 1);
	bool is_writer = luaL_checkoption(L, 2, "r", modes) == 1;
	struct refusal why;

	if (is_writer ? writer_new(L, path, &why) : reader_new(L, path, &why))
		return push_refusal(L, &why);
	return 1;
}

struct outfile *to_outfile(lua_State *L, int idx)
{
	const struct writer *writer = luaL_testudata(L, idx, type_writer);

	return writer ? writer->file : NULL;
}

static const struct luaL_Reg functions[] = { { "open", lpcap_open }, { NULL, NULL } };

void pcap_open_table(lua_State *L)
{
	luaL_newmetatable(L, type_matches);
	lua_pushcfunction(L, lmatches_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	handle_open(L, &reader_type);
	handle_open(L, &writer_type);
	luaL_newlib(L, functions);
}
