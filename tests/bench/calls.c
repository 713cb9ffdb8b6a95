/* SPDX-License-Identifier: MIT */
/* What a call of a rule's function costs, by what it does: ns, and bytes of garbage. The least of
 * some turns, which alternate. Exit status 1 where it costs more than it may. */
#include <stdio.h>
#include <string.h>

#include "bindings/script.h"
#include "bindings/state.h"
#include "host/engine/offline.h"
#include "host/packet/parse.h"

enum { CALLS = 2000, TURNS = 1000, RULES_MAX = 16, GARBAGE_CALLS = 1000000 };

/* An echo request from 192.168.1.134 to 192.168.1.100, with its checksums. */
static const uint8_t echo[] = { 0x45, 0, 0, 0x1c, 0, 1, 0x40, 0, 0x40, 1, 0xb6, 0xa5, 0xc0, 0xa8, 1,
	0x86, 0xc0, 0xa8, 1, 0x64, 8, 0, 0xd6, 0xcb, 0x21, 0x33, 0, 1 };

struct result {
	const char *label;
	int ref;
	double ns, garbage;
};

static double calls_ns(const struct script_ops *ops, struct script *script, int ref,
	struct packet *p, unsigned count)
{
	struct clock clock;
	struct verdict_ports to;

	clock_init_real(&clock);
	int64_t start = clock_now(&clock).ns;

	for (unsigned i = 0; i < count; i++)
		ops->verdict(script, ref, p, &to);
	return (double)(clock_now(&clock).ns - start) / count;
}

/* KiB of all that Lua holds: with the collector stopped, what was made in between is garbage. */
static double lua_bytes(lua_State *L)
{
	return lua_gc(L, LUA_GCCOUNT) * 1024.0 + lua_gc(L, LUA_GCCOUNTB);
}

static void measure(struct offline *offline, struct result *results, unsigned count)
{
	const struct script_ops *ops = offline->host.ops;
	struct script *script = offline->host.worker.dp.script;
	struct packet *p = packet_from_bytes(echo, sizeof(echo), LAYER_ip);

	parse(p);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		for (unsigned i = 0; i < count; i++) {
			double ns = calls_ns(ops, script, results[i].ref, p, CALLS);

			if (!turn || ns < results[i].ns)
				results[i].ns = ns;
		}
	}
	lua_gc(script->L, LUA_GCSTOP);
	for (unsigned i = 0; i < count; i++) {
		double before = lua_bytes(script->L);

		calls_ns(ops, script, results[i].ref, p, GARBAGE_CALLS);
		results[i].garbage = (lua_bytes(script->L) - before) / GARBAGE_CALLS;
	}
	packet_free(p);
}

static const struct result *find(const struct result *results, unsigned count, const char *label)
{
	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(results[i].label, label))
			return &results[i];
	}
	fprintf(stderr, "calls: the script has no rule \"%s\"\n", label);
	return results;
}

static int report(const struct result *results, unsigned count)
{
	double empty = find(results, count, "empty call")->ns;
	double nested = find(results, count, "three nested reads")->ns;
	int status = nested > 6 * empty;

	for (unsigned i = 0; i < count; i++) {
		printf("%-20s %6.0f ns  %5.1f x  %.1f bytes of garbage\n", results[i].label,
			results[i].ns, results[i].ns / empty, results[i].garbage);
		status |= results[i].garbage >= 1;
	}
	printf("three nested reads: %.1f times an empty call (at most 6)\n", nested / empty);
	return status;
}

int main(int argc, char **argv)
{
	struct offline offline = { .host = { .source = { argv[argc - 1], 0, NULL },
					   .ops = &lua_script_ops,
					   .is_silent = true } };
	struct result results[RULES_MAX];
	struct refusal why = { 0 };
	unsigned count = 0;
	int status = 1;

	if (offline_open(&offline, &why) || offline_load(&offline, &why)) {
		fprintf(stderr, "calls: %s\n", why.text);
		return 1;
	}
	const struct lane *lane = offline_lane(&offline, "tun0");
	const struct rule_table *table = lane ? lane_rules(lane) : NULL;

	for (unsigned i = 0; table && i < table->count && count < RULES_MAX; i++) {
		const struct rule *rule = table->rules[i];

		results[count++] = (struct result){ rule->label, rule->actions[0].ref, 0, 0 };
	}
	if (count) {
		measure(&offline, results, count);
		status = report(results, count);
	}
	offline_end(&offline);
	offline_close(&offline);
	return status;
}
