/* SPDX-License-Identifier: MIT */
/* moontap replay: a policy over capture files, offline: each packet comes at its own time, and what
 * is done with it is printed, and written down if that is wanted. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/scripts.h"
#include "host/cli/sources.h"
#include "host/engine/offline.h"
#include "host/engine/stats.h"
#include "host/packet/print.h"
#include "host/port/linktype.h"
#include "host/port/memory.h"

enum { LINGER_S = 60 }; /* how long what waits is waited for after the last packet */

struct replay {
	struct offline offline; /* the first member */
	struct sources sources;
	const char *out_path; /* NULL: nothing is written */
	struct pcapng *out;
	FILE *lines; /* what people read */
	bool is_quiet;
	uint64_t fed, cut, gone_out, no_port, no_ip;
};

static int replay_help(void)
{
	puts("moontap replay [OPTIONS] SCRIPT [PORT=]FILE... [-- ARGS...]\n"
	     "\n"
	     "Runs a policy over capture files (pcap, pcapng, - for standard input), without\n"
	     "a network or privileges: the clock is that of the packets, several files are\n"
	     "merged by time, and the same input gives the same output. A pcapng interface\n"
	     "named like a port is that port; else give PORT=FILE, or have a script with a\n"
	     "single port. Each decision is a line: the time, the ports, the verdict, the\n"
	     "rule, the packet as it left or was dropped. Ends when input and timers are\n"
	     "done, or a minute of that clock after the last packet.\n"
	     "\n"
	     "  -o OUT.pcapng        write what came in and was sent, with verdict and rule\n"
	     "      --seed N         of math.random (0)\n"
	     "  -q                   the counters alone\n"
	     "\n"
	     "Exit status: 0 ok, 1 the script or a file was refused, 2 usage; mt.stop's.");
	return STATUS_OK;
}

static int usage(const char *what, const char *why)
{
	log_line(LOG_LEVEL_ERROR, "replay: %s%s (see moontap help replay)", what, why);
	return STATUS_USAGE;
}

static void take_text(struct offline *offline, enum log_stream stream, const char *text, size_t len)
{
	struct replay *replay = (struct replay *)offline;

	if (stream == LOG_OUT) {
		fwrite(text, 1, len, replay->lines);
		return;
	}
	fflush(replay->lines);
	fwrite(text, 1, len, stderr);
}

/* "reply by ping.lua:8", "drop (policy) by default". */
static void decision_text(const struct seen *seen, char *out, size_t room)
{
	struct text text;

	text_init(&text, out, room);
	text_add(&text, "%s", seen_verdict(seen));
	if (seen->reason)
		text_add(&text, " (%s)", seen->reason);
	if (seen->verdict != VERDICT_NONE)
		text_add(&text, " by %s", seen->rule[0] ? seen->rule : "default");
	if (seen->error[0])
		text_add(&text, " (%s)", seen->error);
}

static bool is_sent(const struct seen *seen)
{
	return !seen->reason && seen->verdict != VERDICT_DROP && seen->verdict != VERDICT_HANDLED;
}

static void line_print(const struct replay *replay, const struct seen *seen)
{
	int64_t ns = seen->time.ns - replay->offline.start.ns;
	char decision[512], line[512];

	fprintf(replay->lines, "%" PRId64 ".%09" PRId64 " ", ns / NS_PER_S, ns % NS_PER_S);
	if (!seen->packet) {
		fprintf(replay->lines, "error: %s\n", seen->error);
		return;
	}
	decision_text(seen, decision, sizeof(decision));
	print_line(seen->packet, line, sizeof(line));
	fprintf(replay->lines, "%s%s%s: %s: %s\n", seen->from, is_sent(seen) ? " > " : "",
		is_sent(seen) ? seen->port : "", decision, line);
}

static void packet_write(const struct replay *replay, const char *port, enum capture_dir dir,
	struct mono time, const struct packet *p, const char *comment)
{
	struct pcapng_packet record = { .time_ns = time.ns,
		.bytes = p->data,
		.len = packet_length(p),
		.dir = dir,
		.comment = comment };
	int interface = pcapng_interface(replay->out, port, "", p->first);

	if (interface < 0)
		return; /* closing says it */
	record.interface = (unsigned)interface;
	if (pcapng_write(replay->out, &record) == -EAGAIN && !pcapng_flush(replay->out, true))
		pcapng_write(replay->out, &record);
}

/* Says, and writes down, what has happened since the last time; `p` came in by the port before
 * (NULL: nothing). */
static void seen_tell(struct replay *replay, const struct lane *lane, const struct packet *p)
{
	struct seen_list *list = &replay->offline.seen;
	char decision[512] = "";

	for (size_t i = 0; p && i < list->count && !decision[0]; i++) {
		if (list->all[i].verdict != VERDICT_NONE)
			decision_text(&list->all[i], decision, sizeof(decision));
	}
	if (p && replay->out)
		packet_write(replay, lane->port->name, CAPTURE_DIR_IN,
			replay->offline.host.worker.clock.now, p, decision);
	for (size_t i = 0; i < list->count; i++) {
		const struct seen *seen = &list->all[i];

		if (!replay->is_quiet)
			line_print(replay, seen);
		if (!replay->out || !seen->packet || !is_sent(seen))
			continue;
		decision_text(seen, decision, sizeof(decision));
		packet_write(
			replay, seen->port, CAPTURE_DIR_OUT, seen->time, seen->packet, decision);
	}
	seen_forget(list);
}

static bool is_over(const struct replay *replay)
{
	return atomic_load(&replay->offline.host.stop_wanted);
}

/* Time passes, timer by timer. */
static int time_pass(struct replay *replay, struct mono to, struct refusal *why)
{
	struct mono due;
	int error = 0;

	while (!error && !is_over(replay) && offline_next(&replay->offline, &due) &&
		due.ns <= to.ns) {
		error = offline_advance(&replay->offline, due, why);
		seen_tell(replay, NULL, NULL);
	}
	if (!error && !is_over(replay))
		error = offline_advance(&replay->offline, to, why);
	return error;
}

/* The ports that files can be for, "lan, wan"; NULL and their number where there are several. */
static struct lane *only_port(const struct replay *replay, struct text *names)
{
	struct lane *only = NULL;
	unsigned count = 0;

	for (struct lane *lane = replay->offline.host.worker.dp.lanes; lane; lane = lane->sibling) {
		if (!lane->is_open || !memory_port_is(lane->port))
			continue;
		text_add(names, "%s%s", count++ ? ", " : "", lane->port->name);
		only = lane;
	}
	if (!count)
		text_add(names, "none");
	return count == 1 ? only : NULL;
}

/* Before the first packet: can it be said for which port a source's packets are? */
static int source_check(const struct replay *replay, struct source *source, struct refusal *why)
{
	unsigned count = capfile_interface_count(source->file);
	char ports[256];
	struct text names;

	text_init(&names, ports, sizeof(ports));
	struct lane *only = only_port(replay, &names);

	if (source->port[0]) {
		if (offline_lane(&replay->offline, source->port))
			return 0;
		return refuse(why, ENOENT, "%s=%s: the script has no such port (it has %s)",
			source->port, source->path, ports);
	}
	for (unsigned i = 0; i < count; i++) {
		const char *name = capfile_interface(source->file, i)->name;

		source->is_by_name |= name[0] && offline_lane(&replay->offline, name);
	}
	if (source->is_by_name || only)
		return 0;
	return refuse(why, EINVAL,
		"%s: for which port of the script (%s)? No interface in it has the name of one: "
		"say PORT=FILE",
		source->path, ports);
}

static struct lane *lane_of(const struct replay *replay, const struct source *source)
{
	char ports[256];
	struct text names;

	text_init(&names, ports, sizeof(ports));
	if (source->port[0])
		return offline_lane(&replay->offline, source->port);
	if (source->is_by_name)
		return offline_lane(&replay->offline,
			capfile_interface(source->file, source->next.interface)->name);
	return only_port(replay, &names);
}

/* What a port of ours has sent comes in by none. Linux cooked captures tell the kernel's side. */
static bool has_gone_out(const struct source *source)
{
	unsigned type = capfile_interface(source->file, source->next.interface)->linktype;

	return source->next.dir == CAPTURE_DIR_OUT &&
	       (type == LINKTYPE_ETHERNET || type == LINKTYPE_RAW_IP);
}

static int packet_feed(struct replay *replay, const struct source *source, struct refusal *why)
{
	struct packet *p = source->next.packet;
	struct lane *lane = lane_of(replay, source);

	if (has_gone_out(source)) {
		replay->gone_out++;
		return 0;
	}
	if (!lane) {
		replay->no_port++;
		return 0;
	}
	if (!source_fit(p, lane)) {
		replay->no_ip++;
		return 0;
	}
	replay->fed++;
	replay->cut += source->next.cut != 0;
	int error = offline_feed(&replay->offline, lane, p, why);

	seen_tell(replay, lane, p);
	return error;
}

static int input_run(struct replay *replay, struct refusal *why)
{
	struct source *source;
	int error = 0;

	for (unsigned i = 0; !error && i < replay->sources.count; i++)
		error = source_check(replay, &replay->sources.all[i], why);
	while (!error && !is_over(replay) && (source = sources_first(&replay->sources))) {
		error = time_pass(replay, (struct mono){ source->next.time_ns }, why);
		if (!error && !is_over(replay)) {
			error = packet_feed(replay, source, why);
			source_next(&replay->sources, source);
		}
	}
	return error;
}

/* What waits, a minute at the longest. */
static int rest_run(struct replay *replay, struct refusal *why)
{
	const struct worker *worker = &replay->offline.host.worker;
	struct mono end = mono_add(worker->clock.now, (int64_t)LINGER_S * NS_PER_S);
	struct mono due;
	int error = 0;

	while (!error && !is_over(replay) && offline_waits(&replay->offline) &&
		offline_next(&replay->offline, &due) && due.ns <= end.ns)
		error = time_pass(replay, due, why);
	return error;
}

static void left_out_tell(const struct replay *replay)
{
	const struct {
		uint64_t count;
		const char *what;
	} left_out[] = {
		{ replay->gone_out, "had been sent, not received" },
		{ replay->no_port, "for no open port" },
		{ replay->no_ip, "without IP, for a tun" },
	};

	for (unsigned i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		if (left_out[i].count)
			fprintf(replay->lines, "left out: %" PRIu64 " %s\n", left_out[i].count,
				left_out[i].what);
	}
	for (unsigned i = 0; i < replay->sources.count; i++) {
		uint64_t skipped = capfile_skipped(replay->sources.all[i].file);

		if (skipped)
			fprintf(replay->lines, "left out: %" PRIu64 " of other link types, in %s\n",
				skipped, replay->sources.all[i].path);
	}
	if (replay->cut)
		fprintf(replay->lines, "cut short by their capture: %" PRIu64 "\n", replay->cut);
}

static void summary_print(struct replay *replay)
{
	static char lines[65536];
	struct text out;

	text_init(&out, lines, sizeof(lines));
	stats_print(&out, &replay->offline.host);
	fprintf(replay->lines, "%s%s", replay->is_quiet ? "" : "\n", lines);
	left_out_tell(replay);
}

static int script_run(struct replay *replay, struct refusal *why)
{
	int error = offline_load(&replay->offline, why);

	seen_tell(replay, NULL, NULL);
	if (!error)
		error = input_run(replay, why);
	if (!error)
		error = rest_run(replay, why);
	offline_end(&replay->offline);
	seen_tell(replay, NULL, NULL);
	if (!error)
		summary_print(replay);
	return error;
}

static int replay_run(struct replay *replay, struct refusal *why)
{
	const struct source *first = sources_first(&replay->sources);
	int error = 0;

	replay->offline.start.ns = first ? first->next.time_ns : 0;
	if (replay->out_path)
		error = pcapng_open(&replay->out, replay->out_path, why);
	if (!error)
		error = offline_open(&replay->offline, why);
	if (error)
		return error;
	error = script_run(replay, why);
	offline_close(&replay->offline);
	return error;
}

static int out_close(const struct replay *replay)
{
	int error = replay->out ? pcapng_close(replay->out) : 0;

	if (error)
		log_line(LOG_LEVEL_ERROR, "%s: cannot write: %s (what is there is whole)",
			replay->out_path, strerror(-error));
	return error;
}

static int replay_finish(struct replay *replay, int error, const struct refusal *why)
{
	error = out_close(replay) && !error ? -EIO : error;
	fflush(replay->lines);
	if (why->text[0])
		log_line(LOG_LEVEL_ERROR, "%s", why->text);
	bool is_broken = replay->sources.is_broken;

	sources_close(&replay->sources);
	if (error || is_broken)
		return STATUS_REFUSED;
	return atomic_load(&replay->offline.host.stop_code);
}

/* SCRIPT [PORT=]FILE... [-- ARGS] */
static int words_run(struct replay *replay, char **argv)
{
	struct refusal why = { 0 };
	const char *meant = NULL;
	char path[PATH_MAX];

	if (!*argv)
		return usage("which script?", "");
	if (!scripts_find(*argv, path, sizeof(path), &meant)) {
		log_line(LOG_LEVEL_ERROR, "%s: no such script%s%s%s", *argv,
			meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "");
		return STATUS_REFUSED;
	}
	if (!argv[1] || !strcmp(argv[1], "--"))
		return usage("which capture file?", "");
	int error = 0;

	for (argv++; !error && *argv && strcmp(*argv, "--"); argv++)
		error = sources_add(&replay->sources, *argv, &why);
	argv += *argv != NULL;
	replay->offline.host.source = (struct script_source){ .path = path, .argv = argv };
	while (argv[replay->offline.host.source.argc])
		replay->offline.host.source.argc++;
	if (!error)
		error = replay_run(replay, &why);
	return replay_finish(replay, error, &why);
}

static bool seed_take(struct replay *replay, const char *text)
{
	char *end = NULL;

	errno = 0;
	replay->offline.host.seed = text ? strtoull(text, &end, 0) : 0;
	return text && *text && !*end && !errno;
}

int cli_replay(int argc, char **argv, const struct script_ops *ops)
{
	static struct replay replay;

	(void)argc;
	replay = (struct replay){ .lines = stdout };
	replay.offline.say = take_text;
	replay.offline.host.ops = ops;
	replay.offline.host.is_seeded = true;
	for (argv++; *argv && argv[0][0] == '-' && argv[0][1]; argv++) {
		if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
			return replay_help();
		if (!strcmp(*argv, "-q"))
			replay.is_quiet = true;
		else if (!strcmp(*argv, "-o") && argv[1])
			replay.out_path = *++argv;
		else if (!strncmp(*argv, "--seed=", 7) && seed_take(&replay, *argv + 7))
			continue;
		else if (!strcmp(*argv, "--seed") && seed_take(&replay, argv[1]))
			argv++;
		else if (!strcmp(*argv, "-o") || !strncmp(*argv, "--seed", 6))
			return usage(
				*argv, argv[0][1] == 'o' ? ": which file?" : ": takes a number");
		else
			return usage(*argv, ": unknown option");
	}
	if (replay.out_path && !strcmp(replay.out_path, "-"))
		replay.lines = stderr;
	return words_run(&replay, argv);
}
