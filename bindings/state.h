/* SPDX-License-Identifier: MIT */
/* One Lua state and the worker that it belongs to: what the other bindings share. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>

#include "host/engine/host.h"

struct packet_handle;

/* What the engine knows as its script. */
struct script {
	lua_State *L;	 /* where rule functions are called; its slots: see below */
	lua_State *main; /* the main state; the registry's owner */
	struct worker *worker;
	struct packet_handle *handle; /* the one that is lent; lives in slot SLOT_HANDLE */
	uint32_t shape;	    /* the layers that Lua finds in it by itself; 0: none (lent.h) */
	unsigned shapes;    /* that were made */
	lua_State *chunk;   /* the coroutine of the script's main part; NULL before and after */
	lua_State *running; /* the coroutine that runs now, if one does */
	const struct call *repeated; /* worker 1 has its real handle: only an inert one is wanted */
	int chunk_ref;
	int children;		 /* processes of the script that have not ended */
	int scripts_waiting;	 /* coroutines that wait in mt.run() */
	bool is_owner;		 /* the state is ours to close; false under a stock lua5.4 */
	bool is_in_call;	 /* a rule's or match's function runs: it cannot wait */
	bool is_failed;		 /* the main part failed while it waited */
	size_t repeat_next;	 /* which of worker 1's calls comes next */
	unsigned repeat_waited;	 /* ms that this call of worker 1's has been waited for */
	bool is_unwinding;	 /* os.exit or an interrupt: what is raised now is no error */
	int64_t error_logged_at; /* ns; errors of rules are logged at most once a second */
	uint64_t errors_unlogged;
	const char *words[VERDICT_COUNT]; /* interned; compared by address first */
};

/* Fixed stack slots of the state that rule functions are called in. */
enum { SLOT_TRACEBACK = 1, SLOT_HANDLE = 2, SLOT_SHAPES = 3 };

struct script *state_of(lua_State *L);

/* Makes a script for L and lets state_of find it. */
struct script *state_new(lua_State *L, struct worker *worker, bool is_owner);

/* Puts the traceback function, the lent handle and its shapes into the first slots of L's current
 * frame. */
void state_slots(struct script *script, lua_State *L);

/* Something of the script failed, with a message that begins with its place: a test will want to
 * know of it. */
void state_fault(struct script *script, const char *message);

/* Raises if a rule's function runs: `what` would wait. */
void state_check_may_wait(lua_State *L, const char *what);
