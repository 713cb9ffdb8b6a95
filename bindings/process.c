/* SPDX-License-Identifier: MIT */
/* Lets scripts start programs, read their lines and wait for their end. */
#include "bindings/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bindings/coroutine.h"
#include "bindings/glue.h"
#include "bindings/handle.h"
#include "bindings/network.h"
#include "bindings/repeat.h"
#include "bindings/state.h"
#include "host/base/log.h"
#include "host/engine/process.h"
#include "host/engine/world.h"

static const char type_child[] = "moontap.child";

enum { ARGS_MAX = 256, LINE_ROOM = 4096 };

/* Belongs to the host until it has ended and its output too, which what it started may hold open
 * for longer: the registry keeps it for so long. */
struct child {
	struct process process; /* the first member */
	struct script *script;
	int self_ref;		/* keeps the handle for so long */
	int line_ref, exit_ref; /* functions; LUA_NOREF: none */
	int waiter_ref;		/* the coroutine in child:wait() */
	bool is_over;		/* on_exit and who waited have been told */
	size_t line_len;
	char line[LINE_ROOM];
};

static void call(struct script *script, int ref, const char *what)
{
	lua_State *L = script->L;

	/* The argument is on top; the function goes below it. */
	lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
	lua_insert(L, -2);
	if (lua_pcall(L, 1, 0, SLOT_TRACEBACK) == LUA_OK)
		return;
	log_line(LOG_LEVEL_ERROR, "%s: %s", what, luaL_tolstring(L, -1, NULL));
	lua_pop(L, 2);
}

static void line_give(struct child *child)
{
	lua_pushlstring(child->script->L, child->line, child->line_len);
	call(child->script, child->line_ref, "on_line");
	child->line_len = 0;
}

/* A line that does not end within LINE_ROOM bytes is given in pieces. */
static void bytes_take(struct child *child, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n')
			child->line[child->line_len++] = bytes[i];
		if (bytes[i] == '\n' || child->line_len == sizeof(child->line))
			line_give(child);
	}
}

static struct child *child_of_output(struct watch *watch)
{
	return (struct child *)((char *)watch - offsetof(struct child, process) -
				offsetof(struct process, output));
}

static void output_end(struct child *child)
{
	struct watch *output = &child->process.output;

	if (output->fd < 0)
		return;
	loop_remove(&child->script->worker->loop, output);
	close(output->fd);
	output->fd = -1;
}

/* How many bytes were taken; 0: there are none now, or it has ended. */
static size_t output_read(struct child *child)
{
	char bytes[4096];
	ssize_t n = read(child->process.output.fd, bytes, sizeof(bytes));

	if (n > 0) {
		bytes_take(child, bytes, (size_t)n);
		return (size_t)n;
	}
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (child->line_len)
		line_give(child);
	output_end(child);
	return 0;
}

/* What it has written by now, and whether that was all: another that has its output may write for
 * ever, or never. */
static void output_read_rest(struct child *child)
{
	int left = 0;
	size_t n = 1;

	ioctl(child->process.output.fd, FIONREAD, &left);
	while (n && left >= 0 && child->process.output.fd >= 0) {
		n = output_read(child);
		left -= (int)n;
	}
}

static void ref_drop(lua_State *L, int *ref)
{
	luaL_unref(L, LUA_REGISTRYINDEX, *ref);
	*ref = LUA_NOREF;
}

/* Once it is over and nothing comes any more; then it is the collector's. */
static void child_release(struct child *child)
{
	lua_State *L = child->script->L;

	if (!child->is_over || child->process.output.fd >= 0)
		return;
	ref_drop(L, &child->line_ref);
	ref_drop(L, &child->exit_ref);
	ref_drop(L, &child->self_ref);
}

static void output_ready(struct watch *watch, uint32_t events)
{
	struct child *child = child_of_output(watch);
	lua_State *L = child->script->L;

	(void)events;
	/* Under a stock lua5.4 on_line may wait, and the child be over meanwhile. */
	lua_rawgeti(L, LUA_REGISTRYINDEX, child->self_ref);
	output_read(child);
	child_release(child);
	lua_pop(L, 1);
}

static void waiter_resume(struct child *child)
{
	struct script *script = child->script;
	lua_State *L = script->L;
	int top = lua_gettop(L);

	if (child->waiter_ref == LUA_NOREF)
		return;
	lua_rawgeti(L, LUA_REGISTRYINDEX, child->waiter_ref);
	luaL_unref(L, LUA_REGISTRYINDEX, child->waiter_ref);
	child->waiter_ref = LUA_NOREF;
	lua_State *co = lua_tothread(L, -1);

	lua_pushinteger(co, child->process.status);
	coroutine_resume(script, L, co, 1);
	lua_settop(L, top);
}

/* Its end: what is there of its output first, then on_exit, then who waits. */
static void child_ready(struct watch *watch, uint32_t events)
{
	struct child *child = (struct child *)watch;
	struct script *script = child->script;
	lua_State *L = script->L;

	(void)events;
	loop_remove(&script->worker->loop, watch);
	process_reap(&child->process, script->worker->host->keeper);
	output_read_rest(child);
	script->children--;
	if (child->exit_ref != LUA_NOREF) {
		lua_pushinteger(L, child->process.status);
		call(script, child->exit_ref, "on_exit");
	}
	waiter_resume(child);
	child->is_over = true;
	child_release(child);
}

static int function_ref(lua_State *L, const char *key)
{
	if (lua_getfield(L, 1, key) == LUA_TNIL) {
		lua_pop(L, 1);
		return LUA_NOREF;
	}
	if (!lua_isfunction(L, -1))
		luaL_error(
			L, "mt.spawn: %s must be a function, not a %s", key, luaL_typename(L, -1));
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* argv from the list part of the table at 1; the table keeps the strings. */
static void check_argv(lua_State *L, char **argv)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, 1);

	if (count < 1 || count >= ARGS_MAX)
		luaL_error(L,
			"mt.spawn: takes a command and its arguments, like { \"ping\", \"-c1\", "
			"\"10.1.1.1\" }");
	for (lua_Integer i = 1; i <= count; i++) {
		if (lua_rawgeti(L, 1, i) == LUA_TNUMBER) {
			lua_tostring(L, -1); /* in place */
			lua_pushvalue(L, -1);
			lua_rawseti(L, 1, i);
		}
		argv[i - 1] = (char *)luaL_checkstring(L, -1);
		lua_pop(L, 1);
	}
	argv[count] = NULL;
}

static void check_spawn_keys(lua_State *L)
{
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

		if (key && strcmp(key, "netns") && strcmp(key, "on_line") && strcmp(key, "on_exit"))
			luaL_error(L,
				"mt.spawn: unknown key \"%s\" (it knows netns, on_line, on_exit)",
				key);
	}
}

/* mt.spawn{ COMMAND, ARG..., netns=, on_line=, on_exit= } -> child | nil, why, errno */
int lprocess_spawn(lua_State *L)
{
	struct script *script = state_of(L);
	struct process_wish wish = { .is_foreground = false };
	struct refusal why;
	char *argv[ARGS_MAX + 1];

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	check_spawn_keys(L);
	check_argv(L, argv);
	wish.argv = argv;
	wish.netns = check_netns(L, 1, "mt.spawn");
	struct child *child = lua_newuserdatauv(L, sizeof(*child), 0);

	memset(child, 0, sizeof(*child));
	child->script = script;
	child->waiter_ref = LUA_NOREF;
	child->process.output.fd = -1;
	luaL_setmetatable(L, type_child);
	child->line_ref = function_ref(L, "on_line");
	child->exit_ref = function_ref(L, "on_exit");
	wish.is_captured = child->line_ref != LUA_NOREF;
	if (world_is_recorded(script->worker->world) || script->repeated)
		return 1; /* inert: it has ended, with 0 */
	if (process_start(&child->process, script->worker->host->keeper, &wish, &why))
		return push_refusal(L, &why);
	child->process.watch.ready = child_ready;
	child->process.output.ready = output_ready;
	loop_add(&script->worker->loop, &child->process.watch, EPOLLIN);
	if (wish.is_captured) {
		fcntl(child->process.output.fd, F_SETFL, O_NONBLOCK);
		loop_add(&script->worker->loop, &child->process.output, EPOLLIN);
	}
	lua_pushvalue(L, 2);
	child->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	script->children++;
	return 1;
}

/* child:wait() -> status, as sh gives it */
static int lchild_wait(lua_State *L)
{
	struct child *child = luaL_checkudata(L, 1, type_child);
	struct script *script = child->script;

	if (!child->process.pid) {
		lua_pushinteger(L, child->process.status);
		return 1;
	}
	state_check_may_wait(L, "child:wait");
	if (!coroutine_is_ours(L)) {
		if (script->is_owner)
			return luaL_error(L,
				"child:wait cannot wait inside a coroutine of the script's "
				"own (use mt.go)");
		while (child->process.pid)
			coroutine_turn_for(L, script, NS_PER_S / 10);
		lua_pushinteger(L, child->process.status);
		return 1;
	}
	if (child->waiter_ref != LUA_NOREF)
		return luaL_error(L, "child:wait: somebody waits for it already");
	lua_pushthread(L);
	child->waiter_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return lua_yield(L, 0);
}

/* child:kill([signal]): TERM unless a number is given */
static int lchild_kill(lua_State *L)
{
	const struct child *child = luaL_checkudata(L, 1, type_child);
	int signo = (int)luaL_optinteger(L, 2, SIGTERM);

	if (child->process.pid && kill(child->process.pid, signo))
		return luaL_error(L, "child:kill: %s", strerror(errno));
	return 0;
}

static void pid_push(lua_State *L, void *handle)
{
	const struct child *child = handle;

	if (child->process.pid)
		lua_pushinteger(L, child->process.pid);
	else
		lua_pushnil(L);
}

static void status_push(lua_State *L, void *handle)
{
	const struct child *child = handle;

	if (child->process.pid)
		lua_pushnil(L);
	else
		lua_pushinteger(L, child->process.status);
}

static int lchild_tostring(lua_State *L)
{
	const struct child *child = luaL_checkudata(L, 1, type_child);

	if (child->process.pid)
		lua_pushfstring(L, "child %d (running)", (int)child->process.pid);
	else
		lua_pushfstring(L, "child (ended with %d)", child->process.status);
	return 1;
}

/* mt.command{ netns= }: where the COMMAND of the command line runs */
int lprocess_command(lua_State *L)
{
	static const char *const keys[] = { "netns", NULL };
	struct host *host = state_of(L)->worker->host;

	luaL_checktype(L, 1, LUA_TTABLE);
	check_keys(L, 1, "mt.command", keys);
	const char *netns = check_netns(L, 1, "mt.command");
	struct refusal why;

	if (netns[0] && !netlink_of(L, netns, &why))
		return raise_refusal(L, &why);
	host_command_netns(host, netns);
	return 0;
}

static const struct luaL_Reg methods[] = { { "wait", lchild_wait }, { "kill", lchild_kill },
	{ NULL, NULL } };

/* The state is closed, and somebody still holds the output. Its end stays watched: a finalizer that
 * comes after this one may wait for it. */
static int lchild_gc(lua_State *L)
{
	struct child *child = lua_touserdata(L, 1);

	output_end(child);
	return 0;
}

static const struct luaL_Reg meta[] = { { "__gc", lchild_gc }, { "__tostring", lchild_tostring },
	{ NULL, NULL } };

static const struct handle_field fields[] = { { "pid", pid_push }, { "status", status_push },
	{ NULL, NULL } };

static const struct handle_type type = {
	.name = type_child, .noun = "a child", .meta = meta, .methods = methods, .fields = fields
};

void process_open(lua_State *L)
{
	handle_open(L, &type);
	luaL_getmetatable(L, type_child);
	handle_names_push(L, -1);
	repeat_push(L, "child:wait", lchild_wait);
	lua_setfield(L, -2, "wait");
	lua_pop(L, 2);
}
