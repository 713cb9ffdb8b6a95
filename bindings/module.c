/* SPDX-License-Identifier: MIT */
/* moontap.so: the host inside a stock lua5.4, which brings its own thread and main loop. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bindings/open.h"
#include "bindings/script.h"

int luaopen_moontap(lua_State *L);

/* Lives in the registry; made first, so finalised last: every other handle is gone by then. */
struct embedded {
	struct host host;
	struct keeper keeper;
	bool is_open;
};

static int lembedded_gc(lua_State *L)
{
	struct embedded *embedded = lua_touserdata(L, 1);

	if (embedded->is_open) {
		worker_fini(&embedded->host.worker);
		close(embedded->host.wake.fd);
		keeper_end(&embedded->keeper);
	}
	embedded->is_open = false;
	return 0;
}

static struct embedded *embedded_new(lua_State *L)
{
	static const char key;
	struct embedded *embedded = lua_newuserdatauv(L, sizeof(*embedded), 0);

	memset(embedded, 0, sizeof(*embedded));
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, lembedded_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
	return embedded;
}

/* Device, port and rules live until the state is closed; what only a closing process undoes goes
 * with it. There is no command line, sandbox or second worker here: that is `moontap run`. */
__attribute__((visibility("default"))) int luaopen_moontap(lua_State *L)
{
	struct embedded *embedded = embedded_new(L);
	struct host *host = &embedded->host;
	struct refusal why;

	host->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (host->wake.fd < 0)
		return luaL_error(L, "moontap: cannot start: %s", strerror(errno));
	host->keeper = &embedded->keeper;
	if (keeper_start_local(&embedded->keeper, &why) ||
		worker_init(&host->worker, host, 1, &lua_script_ops, &why)) {
		close(host->wake.fd);
		return luaL_error(L, "moontap: %s", why.text);
	}
	embedded->is_open = true;
	host->worker.dp.script = moontap_open(L, &host->worker, false);
	lua_rawgeti(L, LUA_REGISTRYINDEX, moontap_ref(L));
	return 1;
}
