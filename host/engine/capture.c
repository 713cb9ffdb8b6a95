/* SPDX-License-Identifier: MIT */
/* Carries copies of packets, with what was decided about them, from the datapath to a file. */
#include "host/engine/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/base/queue.h"
#include "host/engine/worker.h"
#include "host/port/pcapng.h"

enum {
	RING = 1 << 22,
	COMMENT = 160,
	DRAIN_MAX = 16384, /* records, before the main thread looks at something else */
};

struct record {
	const struct lane *lane; /* lives as long as its worker */
	int64_t time_ns;	 /* since 1970 */
	uint32_t len;
	uint8_t first, dir;
	char comment[COMMENT];
};

/* A record and the bytes behind it. */
struct copy {
	struct record record;
	uint8_t bytes[PACKET_BYTES_MAX];
};

enum { PENDING = 3 * sizeof(struct copy) };

/* One worker's end. Only `ring` and `lost` are the main thread's too. */
struct outlet {
	struct trace trace; /* the first member */
	struct trace *next;
	struct outlet *sibling;
	int wake_fd;
	bool must_wake;
	const struct packet *decided; /* the packet whose verdict is in `comment` */
	char comment[COMMENT];
	struct queue ring;
	struct counter lost;
	/* The packet in hand as it was read, and what the script sent before its verdict: it
	 * stands first, so that the file is in the order of time. */
	bool is_deciding;
	size_t pending_used;
	_Alignas(struct record) uint8_t pending[PENDING];
};

struct capture {
	struct pcapng *file;
	struct outlet *outlets;
	uint64_t written, unwritten;
	int error; /* -errno of the first write that failed */
	bool is_held;
	struct copy held; /* taken from a ring, not yet by the file */
	char path[256];
};

int capture_open(struct capture **out, const char *path, struct refusal *why)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture)
		return refuse(why, ENOMEM, "capture: out of memory");
	int error = pcapng_open(&capture->file, path, why);

	if (error) {
		free(capture);
		return error;
	}
	snprintf(capture->path, sizeof(capture->path), "%s",
		strcmp(path, "-") ? path : "standard output");
	*out = capture;
	return 0;
}

/* Bytes of a record with its packet; records in `pending` keep their alignment. */
static size_t record_size(size_t len)
{
	size_t align = _Alignof(struct record);

	return (sizeof(struct record) + len + align - 1) / align * align;
}

static void ring_put(struct outlet *outlet, const struct record *record)
{
	bool was_empty = false;

	if (!queue_put(&outlet->ring, 0, record, sizeof(*record) + record->len, &was_empty))
		counter_add(&outlet->lost, 1);
	outlet->must_wake |= was_empty;
}

/* The packet as it is now, at the end of `pending`; NULL: no room. */
static struct record *pending_add(struct outlet *outlet, const struct lane *lane,
	const struct packet *p, struct mono at, enum capture_dir dir)
{
	size_t len = packet_length(p);

	len = len < PACKET_BYTES_MAX ? len : PACKET_BYTES_MAX;
	if (PENDING - outlet->pending_used < record_size(len))
		return NULL;
	struct record *record = (struct record *)(outlet->pending + outlet->pending_used);

	*record = (struct record){ .lane = lane,
		.time_ns = at.ns + lane->worker->clock.epoch_ns,
		.len = (uint32_t)len,
		.first = p->first,
		.dir = (uint8_t)dir };
	memcpy(record + 1, p->data, len);
	outlet->pending_used += record_size(len);
	return record;
}

static void pending_put(struct outlet *outlet)
{
	for (size_t at = 0; at < outlet->pending_used;) {
		const struct record *record = (const struct record *)(outlet->pending + at);

		ring_put(outlet, record);
		at += record_size(record->len);
	}
	outlet->pending_used = 0;
}

static void capture_rx(struct trace *trace, const struct lane *lane, const struct packet *p)
{
	struct outlet *outlet = (struct outlet *)trace;

	if (outlet->next)
		outlet->next->ops->rx(outlet->next, lane, p);
	pending_add(outlet, lane, p, p->time, CAPTURE_DIR_IN);
	outlet->is_deciding = true;
}

static void capture_verdict(struct trace *trace, const struct lane *lane, const struct rule *rule,
	enum verdict verdict, enum drop_reason reason, const struct packet *p)
{
	struct outlet *outlet = (struct outlet *)trace;
	struct text text;

	if (outlet->next)
		outlet->next->ops->verdict(outlet->next, lane, rule, verdict, reason, p);
	text_init(&text, outlet->comment, sizeof(outlet->comment));
	text_add(&text, "%s", verdict_name(verdict));
	if (verdict == VERDICT_DROP && reason != DROP_policy)
		text_add(&text, " (%s)", drop_name(reason));
	text_add(&text, " by %s%s", rule ? "rule " : "default", rule ? rule->label : "");
	memcpy(((struct record *)outlet->pending)->comment, outlet->comment, COMMENT);
	pending_put(outlet);
	outlet->is_deciding = false;
	outlet->decided = p;
}

/* A packet that is sent is the one that was decided about, or one that the script made. */
static void capture_tx(struct trace *trace, const struct lane *lane, const struct packet *p)
{
	struct outlet *outlet = (struct outlet *)trace;
	bool is_decided = !outlet->is_deciding && p == outlet->decided;

	if (outlet->next && outlet->next->ops->tx)
		outlet->next->ops->tx(outlet->next, lane, p);
	struct record *record =
		pending_add(outlet, lane, p, clock_now(&lane->worker->clock), CAPTURE_DIR_OUT);

	if (!record) {
		counter_add(&outlet->lost, 1);
		return;
	}
	snprintf(record->comment, COMMENT, "%s",
		is_decided ? outlet->comment : "sent by the script");
	if (!outlet->is_deciding)
		pending_put(outlet);
}

static void capture_flush(struct trace *trace)
{
	struct outlet *outlet = (struct outlet *)trace;
	uint64_t one = 1;

	if (outlet->next && outlet->next->ops->flush)
		outlet->next->ops->flush(outlet->next);
	outlet->decided = NULL;
	if (outlet->must_wake && write(outlet->wake_fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: it is awake */
	outlet->must_wake = false;
}

static const struct trace_ops capture_ops = {
	.rx = capture_rx, .verdict = capture_verdict, .tx = capture_tx, .flush = capture_flush
};

struct trace *capture_join(struct capture *capture, int wake_fd, struct trace *next)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));

	if (!outlet || queue_init(&outlet->ring, RING)) {
		free(outlet);
		return NULL;
	}
	outlet->trace.ops = &capture_ops;
	outlet->next = next;
	outlet->wake_fd = wake_fd;
	outlet->sibling = capture->outlets;
	capture->outlets = outlet;
	return &outlet->trace;
}

static int held_write(struct capture *capture)
{
	const struct record *record = &capture->held.record;
	char netns[sizeof(record->lane->netns) + 32] = "";

	if (record->lane->netns[0])
		snprintf(netns, sizeof(netns), "in namespace %s", record->lane->netns);
	int id = pcapng_interface(capture->file, record->lane->port->name, netns, record->first);

	if (id < 0)
		return id;
	struct pcapng_packet packet = { .interface = (unsigned)id,
		.time_ns = record->time_ns,
		.bytes = capture->held.bytes,
		.len = record->len,
		.dir = record->dir,
		.comment = record->comment };

	return pcapng_write(capture->file, &packet);
}

static void error_set(struct capture *capture, int error)
{
	if (capture->error)
		return;
	capture->error = error;
	log_line(LOG_LEVEL_ERROR,
		"capture: %s: cannot write: %s (what is in it can be read; packets from here on "
		"are missing)",
		capture->path, strerror(-error));
}

/* false: the file takes no more now. */
static bool record_write(struct capture *capture)
{
	int error = capture->error ? capture->error : held_write(capture);

	if (error == -EAGAIN)
		return false;
	capture->is_held = false;
	if (!error) {
		capture->written++;
	} else {
		capture->unwritten++;
		error_set(capture, error);
	}
	return true;
}

static bool outlet_drain(struct capture *capture, struct outlet *outlet)
{
	struct copy *held = &capture->held;
	uint8_t tag;
	size_t len;

	for (unsigned i = 0; queue_take(&outlet->ring, &tag, held, sizeof(*held), &len); i++) {
		capture->is_held = true;
		if (!record_write(capture) || i == DRAIN_MAX)
			return true;
	}
	return false;
}

bool capture_drain(struct capture *capture)
{
	bool is_more = capture->is_held && !record_write(capture);

	for (struct outlet *o = capture->outlets; o && !is_more; o = o->sibling)
		is_more = outlet_drain(capture, o);
	if (capture->error)
		return is_more;
	int error = pcapng_flush(capture->file, false);

	if (error && error != -EAGAIN)
		error_set(capture, error);
	return is_more || error == -EAGAIN;
}

/* How many packets found a full ring, and how many the file did not take. */
static void missing(const struct capture *capture, uint64_t *too_fast, uint64_t *failed)
{
	*too_fast = 0;
	for (const struct outlet *o = capture->outlets; o; o = o->sibling)
		*too_fast += counter_get(&o->lost);
	*failed = capture->unwritten + pcapng_lost(capture->file);
}

void capture_stats(const struct capture *capture, struct text *out)
{
	uint64_t too_fast, failed;

	missing(capture, &too_fast, &failed);
	text_add(out,
		"capture: %" PRIu64 " packets in %s, missing: ring full %" PRIu64
		", not written %" PRIu64 "\n",
		capture->written - pcapng_lost(capture->file), capture->path, too_fast, failed);
}

void capture_close(struct capture *capture)
{
	uint64_t too_fast, failed;

	missing(capture, &too_fast, &failed);
	if (too_fast || failed)
		log_line(LOG_LEVEL_WARN,
			"capture: %" PRIu64 " packets are missing in %s: %" PRIu64
			" came too fast, %" PRIu64 " could not be written",
			too_fast + failed, capture->path, too_fast, failed);
	int error = capture->error ? (pcapng_close(capture->file), 0) : pcapng_close(capture->file);

	if (error)
		error_set(capture, error);
	while (capture->outlets) {
		struct outlet *outlet = capture->outlets;

		capture->outlets = outlet->sibling;
		queue_fini(&outlet->ring);
		free(outlet);
	}
	free(capture);
}
