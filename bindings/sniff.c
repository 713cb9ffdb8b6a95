/* SPDX-License-Identifier: MIT */
/* Shows scripts the packets that pass on links. */
#include "bindings/sniff.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/match.h"
#include "bindings/network.h"
#include "bindings/packet.h"
#include "bindings/state.h"
#include "host/base/log.h"
#include "host/engine/world.h"
#include "host/port/sniffer.h"

static const char type_sniff[] = "moontap.sniff";

enum { LINKS_MAX = 32, TURN = 256 };

struct sniff {
	struct watch watch; /* the first member */
	struct script *script;
	struct match *matches[2]; /* for IP and Ethernet; NULL: all, or none if is_filtered */
	bool is_filtered;
	int self_ref;	  /* keeps it while it looks */
	int function_ref; /* LUA_NOREF: packets are collected in user value 1 */
	unsigned lost;
	unsigned link_count;
	int ifindex[LINKS_MAX];
	char names[LINKS_MAX][LINK_NAME];
};

static bool is_looked_at(void *arg, int ifindex)
{
	const struct sniff *sniff = arg;

	for (unsigned i = 0; i < sniff->link_count; i++) {
		if (sniff->ifindex[i] == ifindex)
			return true;
	}
	return false;
}

static const char *name_of(const struct sniff *sniff, int ifindex)
{
	for (unsigned i = 0; i < sniff->link_count; i++) {
		if (sniff->ifindex[i] == ifindex)
			return sniff->names[i];
	}
	return "";
}

/* The packet's handle is on top: given to the function, or kept. */
static void packet_give(struct sniff *sniff, lua_State *L)
{
	if (sniff->function_ref != LUA_NOREF) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, sniff->function_ref);
		lua_insert(L, -2);
		if (lua_pcall(L, 1, 0, SLOT_TRACEBACK) != LUA_OK) {
			log_line(LOG_LEVEL_ERROR, "sniff: %s", luaL_tolstring(L, -1, NULL));
			lua_pop(L, 2);
		}
		return;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, sniff->self_ref);
	lua_getiuservalue(L, -1, 1);
	lua_pushvalue(L, -3);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	lua_pop(L, 3);
}

static void frames_take(struct sniff *sniff, unsigned most)
{
	struct script *script = sniff->script;
	struct sniffed seen;

	while (most-- && sniff->watch.fd >= 0 &&
		sniffer_next(sniff->watch.fd, script->worker->clock.epoch_ns, is_looked_at, sniff,
			&seen)) {
		const struct match *match = sniff->matches[seen.packet->first == LAYER_eth];

		if (sniff->is_filtered && !(match && match_packet(match, seen.packet))) {
			packet_free(seen.packet);
			continue;
		}
		packet_push_seen(script->L, seen.packet, name_of(sniff, seen.ifindex),
			seen.dir == SNIFF_OUT ? "out" : "in");
		packet_give(sniff, script->L);
	}
}

static void sniff_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	frames_take((struct sniff *)watch, TURN);
}

static void check_links(
	lua_State *L, const char *netns, struct netlink *netlink, struct sniff *sniff)
{
	struct refusal why;
	struct link link;

	if (lua_getfield(L, 1, "links") != LUA_TTABLE || !lua_rawlen(L, -1) ||
		lua_rawlen(L, -1) > LINKS_MAX)
		luaL_error(L, "mt.sniff: links must be a list of 1 to %d names", LINKS_MAX);
	(void)netns;
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
		if (link_get(netlink, luaL_checkstring(L, -1), 0, &link, &why))
			raise_refusal(L, &why);
		sniff->ifindex[sniff->link_count] = link.ifindex;
		strcpy(sniff->names[sniff->link_count++], link.name);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

static void check_sniff_match(lua_State *L, struct sniff *sniff)
{
	if (lua_getfield(L, 1, "match") == LUA_TFUNCTION)
		luaL_error(L, "mt.sniff: match must be a pcap-filter string or a table of fields");
	check_match_of_both(L, -1, sniff->matches);
	sniff->is_filtered = sniff->matches[0] || sniff->matches[1];
	lua_pop(L, 1);
}

static void sniff_close(lua_State *L, struct sniff *sniff)
{
	if (sniff->watch.fd >= 0) {
		sniff->lost += sniffer_lost(sniff->watch.fd);
		loop_remove(&sniff->script->worker->loop, &sniff->watch);
		close(sniff->watch.fd);
		luaL_unref(L, LUA_REGISTRYINDEX, sniff->function_ref);
		luaL_unref(L, LUA_REGISTRYINDEX, sniff->self_ref);
	}
	sniff->watch.fd = -1;
	for (unsigned i = 0; i < 2; i++) {
		if (sniff->matches[i])
			match_release(sniff->matches[i]);
		sniff->matches[i] = NULL;
	}
}

static void check_sniff_keys(lua_State *L)
{
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

		if (key && strcmp(key, "links") && strcmp(key, "match") && strcmp(key, "netns"))
			luaL_error(L, "mt.sniff: unknown key \"%s\" (it knows links, match, netns)",
				key);
	}
}

/* mt.sniff{ links=, match=, netns=, fn } -> sniff | nil, why, errno */
int lsniff_new(lua_State *L)
{
	struct refusal why;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	check_sniff_keys(L);
	const char *netns = check_netns(L, 1, "mt.sniff");
	struct netlink *netlink = netlink_of(L, netns, &why);

	if (!netlink)
		return push_refusal(L, &why);
	struct sniff *sniff = lua_newuserdatauv(L, sizeof(*sniff), 1);

	memset(sniff, 0, sizeof(*sniff));
	sniff->watch.fd = -1;
	sniff->script = state_of(L);
	sniff->function_ref = LUA_NOREF;
	luaL_setmetatable(L, type_sniff);
	lua_newtable(L);
	lua_setiuservalue(L, 2, 1);
	check_links(L, netns, netlink, sniff);
	check_sniff_match(L, sniff);
	if (world_is_recorded(world_of(L)) || sniff->script->repeated)
		return 1; /* inert: nothing passes there */
	int fd = world_open(world_of(L), netns, REQUEST_OPEN_PACKET, "sniff", 0, &why);

	if (fd < 0)
		return push_refusal(L, &why);
	sniff->watch.fd = fd;
	sniff->watch.ready = sniff_ready;
	int error = sniffer_prepare(fd);

	if (!error)
		error = loop_add(&sniff->script->worker->loop, &sniff->watch, EPOLLIN);
	if (error) {
		close(fd);
		sniff->watch.fd = -1;
		refuse(&why, -error, "sniff: %s", strerror(-error));
		return push_refusal(L, &why);
	}
	if (lua_rawgeti(L, 1, 1) == LUA_TFUNCTION)
		sniff->function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, 2);
	sniff->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_settop(L, 2);
	return 1;
}

/* sniff:stop(): takes what has come, then looks no more */
static int lsniff_stop(lua_State *L)
{
	struct sniff *sniff = luaL_checkudata(L, 1, type_sniff);

	if (sniff->watch.fd >= 0)
		frames_take(sniff, ~0u);
	sniff_close(L, sniff);
	lua_settop(L, 1);
	return 1;
}

static int lsniff_gc(lua_State *L)
{
	struct sniff *sniff = lua_touserdata(L, 1);

	/* Only when the state closes: while it looks, the registry keeps it. */
	if (sniff->watch.fd >= 0)
		close(sniff->watch.fd);
	sniff->watch.fd = -1;
	sniff_close(L, sniff);
	return 0;
}

static void lost_push(lua_State *L, void *handle)
{
	struct sniff *sniff = handle;

	sniff->lost += sniff->watch.fd >= 0 ? sniffer_lost(sniff->watch.fd) : 0;
	lua_pushinteger(L, sniff->lost);
}

static void packets_push(lua_State *L, void *handle)
{
	(void)handle;
	lua_getiuservalue(L, 1, 1);
}

static int lsniff_tostring(lua_State *L)
{
	const struct sniff *sniff = luaL_checkudata(L, 1, type_sniff);

	lua_pushliteral(L, "sniff of");
	for (unsigned i = 0; i < sniff->link_count; i++) {
		lua_pushfstring(L, "%s %s", i ? "," : "", sniff->names[i]);
		lua_concat(L, 2);
	}
	lua_getiuservalue(L, 1, 1);
	lua_pushfstring(L, "%s: %I packets kept%s", lua_tostring(L, -2),
		(lua_Integer)lua_rawlen(L, -1), sniff->watch.fd < 0 ? " (stopped)" : "");
	return 1;
}

static const struct luaL_Reg methods[] = { { "stop", lsniff_stop }, { NULL, NULL } };

static const struct luaL_Reg meta[] = { { "__gc", lsniff_gc }, { "__close", lsniff_stop },
	{ "__tostring", lsniff_tostring }, { NULL, NULL } };

static const struct handle_field fields[] = { { "lost", lost_push }, { "packets", packets_push },
	{ NULL, NULL } };

static const struct handle_type type = {
	.name = type_sniff, .noun = "a sniff", .meta = meta, .methods = methods, .fields = fields
};

void sniff_open(lua_State *L)
{
	handle_open(L, &type);
}
