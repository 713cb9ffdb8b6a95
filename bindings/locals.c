/* SPDX-License-Identifier: MIT */
/* Keeps what the main part of a script leaves behind in its local variables.
 *
 * While it waits, they are looked up in its frame. When it returns, its frame goes, and Lua has no
 * way back from a name to a variable. So at the return each one's value is kept; those that
 * functions of the script share live on in these, and what is kept is one such function: then the
 * console sees what they see, and what it writes they read. */
#include "bindings/locals.h"

#include <string.h>

/* Registry keys: of name -> { value } or { function, n-th upvalue }; of the lines' globals. */
static const char kept, globals;

enum { OBJECTS_MAX = 50000 /* looked at for functions, some ten milliseconds */ };

/* Slots of lkeep. */
enum { SLOT_KEPT = 1, SLOT_SOURCE, SLOT_QUEUE, SLOT_SEEN, SLOTS = SLOT_SEEN };

static bool is_variable(const char *name)
{
	return name[0] != '('; /* "(temporary)" */
}

/* Pops the top; looked at later if it can hold functions. */
static void queue_add(lua_State *L)
{
	int type = lua_type(L, -1);
	bool is_holder = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
			 type == LUA_TTHREAD;

	lua_pushvalue(L, -1);
	if (!is_holder || lua_rawget(L, SLOT_SEEN) != LUA_TNIL) {
		lua_pop(L, 2);
		return;
	}
	lua_pop(L, 1);
	lua_pushvalue(L, -1);
	lua_pushboolean(L, 1);
	lua_rawset(L, SLOT_SEEN);
	lua_rawseti(L, SLOT_QUEUE, (lua_Integer)lua_rawlen(L, SLOT_QUEUE) + 1);
}

/* The function at the top has the value at the top - 1 as its n-th upvalue, `name`: is it that of
 * the main part? A name and a value may agree by chance, but not in what scripts are like. */
static void upvalue_take(lua_State *L, const char *name, int n)
{
	if (lua_getfield(L, SLOT_KEPT, name) == LUA_TTABLE) {
		int variable = lua_gettop(L);

		lua_rawgeti(L, variable, 1);
		if (lua_rawgeti(L, variable, 2) == LUA_TNIL && lua_rawequal(L, variable - 1, -2)) {
			lua_pushvalue(L, variable - 2);
			lua_rawseti(L, variable, 1);
			lua_pushinteger(L, n);
			lua_rawseti(L, variable, 2);
		}
		lua_settop(L, variable);
	}
	lua_pop(L, 1);
}

static void function_look(lua_State *L, const char *source)
{
	lua_Debug ar;

	lua_pushvalue(L, -1);
	lua_getinfo(L, ">S", &ar);
	bool is_of_script = !strcmp(ar.source, source);
	const char *name;

	for (int n = 1; (name = lua_getupvalue(L, -1, n)); n++) {
		if (is_of_script)
			upvalue_take(L, name, n);
		queue_add(L);
	}
}

static void table_look(lua_State *L)
{
	for (lua_pushnil(L); lua_next(L, -2);) {
		queue_add(L);
		lua_pushvalue(L, -1);
		queue_add(L);
	}
	if (lua_getmetatable(L, -1))
		queue_add(L);
}

static void userdata_look(lua_State *L)
{
	for (int n = 1; lua_getiuservalue(L, -1, n) != LUA_TNONE; n++)
		queue_add(L);
	lua_pop(L, 1);
}

/* A coroutine that waits: its functions and their variables. */
static void thread_look(lua_State *L)
{
	lua_State *co = lua_tothread(L, -1);
	lua_Debug ar;

	if (co == L || lua_status(co) != LUA_YIELD || !lua_checkstack(co, 2))
		return;
	for (int level = 0; lua_getstack(co, level, &ar); level++) {
		lua_getinfo(co, "f", &ar);
		lua_xmove(co, L, 1);
		queue_add(L);
		for (int n = 1; lua_getlocal(co, &ar, n); n++) {
			lua_xmove(co, L, 1);
			queue_add(L);
		}
	}
}

/* Arguments: what is kept, as name -> { value }; the source of the script's functions. */
static int lkeep(lua_State *L)
{
	const char *source = lua_tostring(L, SLOT_SOURCE);

	lua_newtable(L);
	lua_newtable(L);
	lua_pushvalue(L, SLOT_KEPT);
	queue_add(L);
	lua_pushvalue(L, LUA_REGISTRYINDEX);
	queue_add(L);
	for (lua_Integer i = 1; i <= OBJECTS_MAX; i++) {
		switch (lua_rawgeti(L, SLOT_QUEUE, i)) {
		case LUA_TNIL:
			return 0;
		case LUA_TFUNCTION:
			function_look(L, source);
			break;
		case LUA_TTABLE:
			table_look(L);
			break;
		case LUA_TUSERDATA:
			userdata_look(L);
			break;
		case LUA_TTHREAD:
			thread_look(L);
		}
		lua_settop(L, SLOTS);
	}
	return 0;
}

/* The main part returns, and stands at level 0. */
static void keep(lua_State *L, lua_Debug *ar)
{
	int top = lua_gettop(L);
	const char *name;

	lua_pushcfunction(L, lkeep);
	lua_newtable(L);
	for (int n = 1; (name = lua_getlocal(L, ar, n)); n++) {
		if (!is_variable(name)) {
			lua_pop(L, 1);
			continue;
		}
		lua_createtable(L, 2, 0);
		lua_insert(L, -2);
		lua_rawseti(L, -2, 1);
		lua_setfield(L, -2, name);
	}
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &kept);
	lua_getinfo(L, "S", ar);
	lua_pushstring(L, ar->source);
	lua_pcall(L, 2, 0, 0); /* short of memory, values are kept and no functions */
	lua_settop(L, top);
}

static void hook_return(lua_State *L, lua_Debug *ar)
{
	lua_Debug caller;

	if (L == state_of(L)->chunk && lua_getstack(L, 1, &caller))
		return;		    /* a function that it called */
	lua_sethook(L, NULL, 0, 0); /* coroutines that it makes inherit the hook */
	if (L != state_of(L)->chunk)
		return;
	lua_getinfo(L, "S", ar);
	if (!strcmp(ar->what, "main")) /* and not what it called last of all */
		keep(L, ar);
}

void locals_watch(struct script *script, lua_State *co)
{
	const struct host *host = script->worker->host;

	/* Consoles talk to worker 1, and to none whose network is a recorded one. */
	if (script->worker->id == 1 && !host->is_recorded)
		lua_sethook(co, hook_return, LUA_MASKRET, 0);
}

/* The frame of a main part that waits; false: it has returned, or runs. */
static bool frame_find(const struct script *script, lua_Debug *ar)
{
	lua_Debug at;
	int level = 0;

	if (!script->chunk || lua_status(script->chunk) != LUA_YIELD)
		return false;
	for (; lua_getstack(script->chunk, level, &at); level++)
		*ar = at;
	return level > 0;
}

enum frame { FRAME_NONE, FRAME_LACKS, FRAME_HAS };

/* Has the frame of a main part that waits such a variable? *place: where, the last of its name,
 * which hides the others. */
static enum frame frame_variable(
	const struct script *script, const char *wanted, lua_Debug *ar, int *place)
{
	lua_State *co = script->chunk;
	const char *name;

	*place = 0;
	if (!frame_find(script, ar) || !lua_checkstack(co, 2))
		return FRAME_NONE;
	for (int n = 1; (name = lua_getlocal(co, ar, n)); n++) {
		lua_pop(co, 1);
		if (!strcmp(name, wanted))
			*place = n;
	}
	return *place ? FRAME_HAS : FRAME_LACKS;
}

/* Pushes { value } or { function, n }; false: nothing is kept under that name. */
static bool kept_push(lua_State *L, const char *name)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept) != LUA_TTABLE) {
		lua_pop(L, 1);
		return false;
	}
	lua_pushstring(L, name);
	lua_rawget(L, -2);
	lua_remove(L, -2);
	if (lua_istable(L, -1))
		return true;
	lua_pop(L, 1);
	return false;
}

bool locals_get(struct script *script, lua_State *L, const char *name)
{
	lua_Debug ar;
	int place;
	enum frame frame = frame_variable(script, name, &ar, &place);

	if (frame == FRAME_HAS) {
		lua_getlocal(script->chunk, &ar, place);
		lua_xmove(script->chunk, L, 1);
		return true;
	}
	if (frame == FRAME_LACKS || !kept_push(L, name))
		return false;
	lua_rawgeti(L, -1, 1);
	if (lua_rawgeti(L, -2, 2) != LUA_TNIL) {
		lua_getupvalue(L, -2, (int)lua_tointeger(L, -1));
		lua_replace(L, -4);
		lua_pop(L, 2);
	} else {
		lua_pop(L, 1);
		lua_remove(L, -2);
	}
	return true;
}

/* Gives it the value at the top of L, which is popped; false: there is none, nothing was popped. */
static bool locals_set(struct script *script, lua_State *L, const char *name)
{
	lua_Debug ar;
	int place;
	enum frame frame = frame_variable(script, name, &ar, &place);

	if (frame == FRAME_HAS) {
		lua_xmove(L, script->chunk, 1);
		lua_setlocal(script->chunk, &ar, place);
		return true;
	}
	if (frame == FRAME_LACKS || !kept_push(L, name))
		return false;
	lua_insert(L, -2);
	if (lua_rawgeti(L, -2, 2) != LUA_TNIL) {
		int n = (int)lua_tointeger(L, -1);

		lua_rawgeti(L, -3, 1);
		lua_replace(L, -2);
		lua_insert(L, -2);
		lua_setupvalue(L, -2, n);
		lua_pop(L, 2);
	} else {
		lua_pop(L, 1);
		lua_rawseti(L, -2, 1);
		lua_pop(L, 1);
	}
	return true;
}

void locals_names_push(struct script *script, lua_State *L)
{
	lua_State *co = script->chunk;
	const char *name;
	lua_Debug ar;

	lua_newtable(L);
	if (frame_find(script, &ar) && lua_checkstack(co, 2)) {
		for (int n = 1; (name = lua_getlocal(co, &ar, n)); n++) {
			lua_pop(co, 1);
			if (!is_variable(name))
				continue;
			lua_pushboolean(L, 1);
			lua_setfield(L, -2, name);
		}
		return;
	}
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept) == LUA_TTABLE) {
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
			lua_pushboolean(L, 1);
			lua_setfield(L, -5, lua_tostring(L, -3));
		}
	}
	lua_pop(L, 1);
}

static int lglobals_index(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TSTRING && locals_get(state_of(L), L, lua_tostring(L, 2)))
		return 1;
	lua_pushglobaltable(L);
	lua_pushvalue(L, 2);
	lua_gettable(L, -2);
	return 1;
}

static int lglobals_newindex(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TSTRING && locals_set(state_of(L), L, lua_tostring(L, 2)))
		return 0;
	lua_pushglobaltable(L);
	lua_insert(L, 2);
	lua_settable(L, 2);
	return 0;
}

void locals_globals_push(lua_State *L)
{
	static const struct luaL_Reg meta[] = { { "__index", lglobals_index },
		{ "__newindex", lglobals_newindex }, { NULL, NULL } };

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &globals) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	lua_newtable(L);
	luaL_newlib(L, meta);
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &globals);
}
