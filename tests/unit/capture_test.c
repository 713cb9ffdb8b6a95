/* SPDX-License-Identifier: MIT */
/* A capture loses no packet without counting it, whatever its file and its ring do. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/engine/capture.h"
#include "host/engine/worker.h"
#include "host/port/capfile.h"
#include "host/port/pair.h"
#include "tests/unit/frames.h"

static char path[64];
static struct capture *capture;
static struct trace *trace;
static struct worker worker;
static struct lane *lane, *far;
static int wake_fd;

static void setup(void)
{
	struct port *left, *right;
	struct refusal why;

	strcpy(path, "/tmp/capture_test.XXXXXX");
	close(mkstemp(path));
	wake_fd = eventfd(0, EFD_NONBLOCK);
	ck_assert(pair_new(LAYER_ip, &left, &right));
	strcpy(left->name, "left");
	strcpy(right->name, "right");
	lane = lane_new(left);
	far = lane_new(right);
	worker.clock.epoch_ns = 1700000000ll * NS_PER_S;
	lane->worker = far->worker = &worker;
	ck_assert_int_eq(capture_open(&capture, path, &why), 0);
	trace = capture_join(capture, wake_fd, NULL);
	ck_assert_ptr_nonnull(trace);
}

static void teardown(void)
{
	lane_free(lane);
	lane_free(far);
	close(wake_fd);
	unlink(path);
}

static struct packet *packet_of(size_t len)
{
	static uint8_t bytes[PACKET_BYTES_MAX] = { 0x45 };
	struct packet *p = packet_from_bytes(bytes, len, LAYER_ip);

	p->time.ns = 5;
	return p;
}

static void see(struct packet *p)
{
	trace->ops->rx(trace, lane, p);
	trace->ops->verdict(trace, lane, NULL, VERDICT_PASS, DROP_policy, p);
	trace->ops->tx(trace, far, p);
}

/* Reads the file back: how many, and the comments of the first few in one line each. */
static unsigned file_count(char *lines, size_t room)
{
	struct capfile *file;
	struct captured captured;
	struct refusal why;
	struct text out;
	unsigned count = 0;

	text_init(&out, lines, room);
	ck_assert_int_eq(capfile_open(&file, path, &why), 0);
	while (capfile_next(file, &captured, &why) == CAPFILE_PACKET) {
		text_add(&out, "%s %d %s\n", capfile_interface(file, captured.interface)->name,
			captured.dir, captured.comment);
		packet_free(captured.packet);
		count++;
	}
	capfile_close(file);
	return count;
}

static bool is_rung(void)
{
	uint64_t count;

	return read(wake_fd, &count, sizeof(count)) == sizeof(count);
}

START_TEST(packets_before_the_verdict_stand_behind_the_one_that_came)
{
	char lines[512];
	struct packet *p = packet_of(100), *made = packet_of(50);

	trace->ops->rx(trace, lane, p);
	trace->ops->tx(trace, far, made);
	trace->ops->verdict(trace, lane, NULL, VERDICT_REPLY, DROP_policy, p);
	trace->ops->tx(trace, lane, p);
	trace->ops->tx(trace, far, made);
	ck_assert(!capture_drain(capture));
	capture_close(capture);
	ck_assert_uint_eq(file_count(lines, sizeof(lines)), 4);
	ck_assert_str_eq(lines, "left 1 reply by default\nright 2 sent by the script\n"
				"left 2 reply by default\nright 2 sent by the script\n");
	packet_free(p);
	packet_free(made);
}
END_TEST

START_TEST(reader_is_woken_at_the_end_of_a_burst_and_not_before)
{
	struct packet *p = packet_of(100);

	see(p);
	ck_assert(!is_rung());
	trace->ops->flush(trace);
	ck_assert(is_rung());
	see(p);
	trace->ops->flush(trace);
	ck_assert(!is_rung()); /* it has not taken the first ones: it is awake */
	ck_assert(!capture_drain(capture));
	see(p);
	trace->ops->flush(trace);
	ck_assert(is_rung());
	capture_close(capture);
	packet_free(p);
}
END_TEST

START_TEST(full_ring_drops_and_counts)
{
	enum { PACKETS = 10000 };
	char lines[1024], stats[256];
	uint64_t written, lost;
	struct text out;
	struct packet *p = packet_of(1000);

	for (unsigned i = 0; i < PACKETS; i++)
		see(p);
	while (capture_drain(capture))
		continue;
	text_init(&out, stats, sizeof(stats));
	capture_stats(capture, &out);
	ck_assert_int_eq(
		sscanf(stats, "capture: %" SCNu64 " packets in %*s missing: ring full %" SCNu64,
			&written, &lost),
		2);
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_eq(written + lost, 2 * PACKETS);
	capture_close(capture);
	ck_assert_uint_eq(file_count(lines, sizeof(lines)), written);
	packet_free(p);
}
END_TEST

START_TEST(what_a_script_sends_without_end_before_its_verdict_is_counted)
{
	enum { PACKETS = 50 };
	char lines[8192], stats[256];
	uint64_t written, lost;
	struct text out;
	struct packet *p = packet_of(PACKET_BYTES_MAX);

	trace->ops->rx(trace, lane, p);
	for (unsigned i = 0; i < PACKETS; i++)
		trace->ops->tx(trace, far, p);
	trace->ops->verdict(trace, lane, NULL, VERDICT_DROP, DROP_malformed, p);
	ck_assert(!capture_drain(capture));
	text_init(&out, stats, sizeof(stats));
	capture_stats(capture, &out);
	sscanf(stats, "capture: %" SCNu64 " packets in %*s missing: ring full %" SCNu64, &written,
		&lost);
	ck_assert_uint_eq(written + lost, PACKETS + 1);
	capture_close(capture);
	ck_assert_uint_eq(file_count(lines, sizeof(lines)), written);
	ck_assert_int_eq(strncmp(lines, "left 1 drop (malformed) by default\n", 35), 0);
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("capture");
	TCase *tc = tcase_create("capture");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, packets_before_the_verdict_stand_behind_the_one_that_came);
	tcase_add_test(tc, reader_is_woken_at_the_end_of_a_burst_and_not_before);
	tcase_add_test(tc, full_ring_drops_and_counts);
	tcase_add_test(tc, what_a_script_sends_without_end_before_its_verdict_is_counted);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
