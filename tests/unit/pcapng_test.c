/* SPDX-License-Identifier: MIT */
/* What is written into a capture file is read back; what cannot be written is told and counted; a
 * file that is cut anywhere ends clearly. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/port/capfile.h"
#include "tests/unit/frames.h"

static char path[64];

static void setup(void)
{
	strcpy(path, "/tmp/pcapng_test.XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

static struct pcapng *file_new(const char *name)
{
	struct pcapng *file = NULL;
	struct refusal why;

	ck_assert_int_eq(pcapng_open(&file, name, &why), 0);
	return file;
}

static int write_one(struct pcapng *file, const char *name, enum layer_id first,
	const uint8_t *bytes, size_t len)
{
	int id = pcapng_interface(file, name, "", first);

	if (id < 0)
		return id;
	struct pcapng_packet packet = { .interface = (unsigned)id,
		.time_ns = 1700000000123456789,
		.bytes = bytes,
		.len = len };

	return pcapng_write(file, &packet);
}

static struct capfile *file_read(const char *name)
{
	struct capfile *file = NULL;
	struct refusal why;

	ck_assert_msg(!capfile_open(&file, name, &why), "%s", why.text);
	return file;
}

START_TEST(what_is_written_is_read_back)
{
	static const uint8_t bytes[] = "\x45\0\0\x1d some payload of ours";
	static const struct {
		const char *name, *comment;
		enum layer_id first;
		int64_t time_ns;
		size_t len, original;
		enum capture_dir dir;
	} rows[] = {
		{ "tun0", "reply by rule ping.lua:7", LAYER_ip, 1700000000123456789, 20, 0,
			CAPTURE_DIR_IN },
		{ "tun0", NULL, LAYER_ip, 1700000000123456790, 21, 1500, CAPTURE_DIR_OUT },
		{ "tun0", "", LAYER_eth, 0, 22, 0, CAPTURE_DIR_NONE },
		{ "", "\xc3\xa4", LAYER_eth, INT64_MAX, 0, 0, CAPTURE_DIR_NONE },
		{ "tun0", "x", LAYER_ip, 999999999, 23, 23, CAPTURE_DIR_NONE },
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	static const unsigned interfaces[ROWS] = { 0, 0, 1, 2, 0 };
	struct pcapng *out = file_new(path);
	struct captured captured;

	for (unsigned i = 0; i < ROWS; i++) {
		int id = pcapng_interface(out, rows[i].name, "", rows[i].first);
		struct pcapng_packet packet = { .interface = (unsigned)id,
			.time_ns = rows[i].time_ns,
			.bytes = bytes,
			.len = rows[i].len,
			.original = rows[i].original,
			.dir = rows[i].dir,
			.comment = rows[i].comment };

		ck_assert_int_eq(id, (int)interfaces[i]);
		ck_assert_int_eq(pcapng_write(out, &packet), 0);
	}
	ck_assert_int_eq(pcapng_close(out), 0);
	struct capfile *in = file_read(path);

	for (unsigned i = 0; i < ROWS; i++) {
		ck_assert_int_eq(capfile_next(in, &captured, NULL), CAPFILE_PACKET);
		ck_assert_uint_eq(captured.interface, interfaces[i]);
		ck_assert_str_eq(capfile_interface(in, interfaces[i])->name, rows[i].name);
		ck_assert_int_eq(captured.time_ns, rows[i].time_ns);
		ck_assert_int_eq(captured.dir, rows[i].dir);
		ck_assert_int_eq(captured.packet->first, rows[i].first);
		ck_assert_uint_eq(packet_length(captured.packet), rows[i].len);
		ck_assert_mem_eq(captured.packet->data, bytes, rows[i].len);
		ck_assert_uint_eq(captured.cut,
			rows[i].original > rows[i].len ? rows[i].original - rows[i].len : 0);
		ck_assert_str_eq(captured.comment, rows[i].comment ? rows[i].comment : "");
		packet_free(captured.packet);
	}
	ck_assert_int_eq(capfile_next(in, &captured, NULL), CAPFILE_END);
	ck_assert_uint_eq(capfile_interface_count(in), 3);
	capfile_close(in);
}
END_TEST

/* All packets of the stream; how it ended in *status. */
static unsigned count_of(FILE *stream, enum capfile_status *status)
{
	struct capfile *file;
	struct captured captured;
	struct refusal why = { 0 };
	unsigned count = 0;

	if (capfile_open_stream(&file, stream, "cut", &why)) {
		ck_assert_uint_gt(strlen(why.text), 0);
		*status = CAPFILE_BROKEN;
		return 0;
	}
	while ((*status = capfile_next(file, &captured, &why)) == CAPFILE_PACKET) {
		packet_free(captured.packet);
		count++;
	}
	ck_assert(*status == CAPFILE_END || strlen(why.text) > 0);
	capfile_close(file);
	return count;
}

static size_t bytes_of(uint8_t *bytes, size_t room)
{
	FILE *stream = fopen(path, "rb");
	size_t len = fread(bytes, 1, room, stream);

	fclose(stream);
	return len;
}

START_TEST(file_cut_at_any_byte_ends_clearly)
{
	static const uint8_t packet[61] = { 0x45 };
	uint8_t bytes[1024];
	enum capfile_status status;
	unsigned ends = 0, last = 0;
	struct pcapng *out = file_new(path);

	for (unsigned i = 0; i < 4; i++)
		write_one(out, i % 2 ? "a" : "b", LAYER_ip, packet, sizeof(packet) - i);
	ck_assert_int_eq(pcapng_close(out), 0);
	size_t len = bytes_of(bytes, sizeof(bytes));

	for (size_t cut = 1; cut <= len; cut++) {
		unsigned count = count_of(fmemopen(bytes, cut, "rb"), &status);

		ck_assert_uint_ge(count, last);
		ck_assert_uint_le(count, 4);
		ends += status == CAPFILE_END;
		last = count;
	}
	ck_assert_uint_eq(last, 4);
	/* After the section, two interfaces and four packets; and nowhere else. */
	ck_assert_uint_eq(ends, 7);
}
END_TEST

START_TEST(pcap_cut_at_any_byte_ends_clearly)
{
	/* Two packets of raw IP, 8 bytes each. */
	static const uint32_t words[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101, /**/
		1, 2, 8, 8, 0x45, 0, /**/ 3, 4, 8, 8, 0x45, 0 };
	uint8_t bytes[sizeof(words)];
	enum capfile_status status;

	memcpy(bytes, words, sizeof(words));
	for (size_t cut = 1; cut <= sizeof(bytes); cut++) {
		unsigned count = count_of(fmemopen(bytes, cut, "rb"), &status);

		ck_assert_uint_eq(count, cut < 48 ? 0 : cut < 72 ? 1 : 2);
		ck_assert_int_eq(
			status, cut == 24 || cut == 48 || cut == 72 ? CAPFILE_END : CAPFILE_BROKEN);
	}
}
END_TEST

START_TEST(full_disk_leaves_whole_packets_and_counts_the_rest)
{
	static const uint8_t packet[1000] = { 0x45 };
	enum { ROOM = 100000, PACKETS = 1000 };
	struct pcapng *out = file_new(path);
	struct rlimit before, limit;
	enum capfile_status status;
	unsigned taken = 0;
	int error = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = (struct rlimit){ ROOM, before.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	for (unsigned i = 0; i < PACKETS; i++) {
		int now = write_one(out, "a", LAYER_ip, packet, sizeof(packet));

		ck_assert(now == error || !error);
		error = now;
		taken += !error;
	}
	ck_assert_int_eq(error, -EFBIG);
	ck_assert_int_eq(pcapng_flush(out, true), -EFBIG);
	uint64_t lost = pcapng_lost(out);

	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(pcapng_close(out), -EFBIG);
	unsigned count = count_of(fopen(path, "rb"), &status);

	ck_assert_int_eq(status, CAPFILE_END);
	ck_assert_uint_gt(count, 90);
	ck_assert_uint_eq(count + lost, taken);
}
END_TEST

START_TEST(full_device_is_told)
{
	static const uint8_t packet[10] = { 0x45 };
	struct pcapng *out = file_new("/dev/full");

	ck_assert_int_eq(write_one(out, "a", LAYER_ip, packet, sizeof(packet)), 0);
	ck_assert_int_eq(pcapng_flush(out, false), -ENOSPC);
	ck_assert_uint_eq(pcapng_lost(out), 1);
	ck_assert_int_eq(pcapng_interface(out, "b", "", LAYER_ip), -ENOSPC);
	ck_assert_int_eq(pcapng_close(out), -ENOSPC);
}
END_TEST

/* Reads what is in the pipe into the file. */
static void pipe_empty(int pipe_fd, int file_fd)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(pipe_fd, bytes, sizeof(bytes))) > 0)
		ck_assert_int_eq(write(file_fd, bytes, (size_t)n), n);
}

START_TEST(pipe_that_nobody_empties_never_makes_us_wait)
{
	static const uint8_t packet[1000] = { 0x45 };
	enum { PACKETS = 2000 };
	int ends[2], fd = open(path, O_WRONLY), refused = 0;
	char name[32];
	enum capfile_status status;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
	struct pcapng *out = file_new(name);

	for (unsigned i = 0; i < PACKETS; i++) {
		while (write_one(out, "a", LAYER_ip, packet, sizeof(packet)) == -EAGAIN) {
			refused++;
			pipe_empty(ends[0], fd);
		}
	}
	while (pcapng_flush(out, false) == -EAGAIN)
		pipe_empty(ends[0], fd);
	pipe_empty(ends[0], fd);
	ck_assert_int_gt(refused, 0);
	ck_assert_uint_eq(pcapng_lost(out), 0);
	ck_assert_uint_eq(count_of(fopen(path, "rb"), &status), PACKETS);
	ck_assert_int_eq(status, CAPFILE_END);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	write_one(out, "a", LAYER_ip, packet, sizeof(packet));
	ck_assert_int_eq(pcapng_close(out), -EPIPE);
	close(ends[1]);
	close(fd);
}
END_TEST

START_TEST(file_that_cannot_be_made_is_refused_with_its_reason)
{
	struct pcapng *out = NULL;
	struct refusal why;

	ck_assert_int_eq(pcapng_open(&out, "/nowhere/x.pcapng", &why), -ENOENT);
	ck_assert_ptr_null(out);
	ck_assert_ptr_nonnull(strstr(why.text, "/nowhere/x.pcapng: cannot write: No such file"));
}
END_TEST

START_TEST(hostile_counts_and_times_are_cut_to_what_can_be)
{
	/* A section and an interface whose clock ticks in 2^-0 s from 2^63 - 1 s on. */
	static const uint32_t words[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28,	/**/
		1, 44, 101, 0, 9 | 1 << 16, 0x80, 14 | 8 << 16, ~0u, 0x7fffffff, 0, 44, /**/
		6, 40, 0, ~0u, ~0u, 4, 0, 0x45, 0, 40 };
	uint8_t bytes[sizeof(words)];
	struct capfile *file;
	struct captured captured;

	memcpy(bytes, words, sizeof(words));
	ck_assert_int_eq(
		capfile_open_stream(&file, fmemopen(bytes, sizeof(bytes), "rb"), "hostile", NULL),
		0);
	ck_assert_int_eq(capfile_next(file, &captured, NULL), CAPFILE_PACKET);
	ck_assert_int_eq(captured.time_ns, INT64_MAX);
	ck_assert_uint_eq(captured.cut, 0); /* fewer on the wire than in the file: no */
	packet_free(captured.packet);
	ck_assert_int_eq(capfile_next(file, &captured, NULL), CAPFILE_END);
	capfile_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcapng");
	TCase *tc = tcase_create("pcapng");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_written_is_read_back);
	tcase_add_test(tc, file_cut_at_any_byte_ends_clearly);
	tcase_add_test(tc, pcap_cut_at_any_byte_ends_clearly);
	tcase_add_test(tc, full_disk_leaves_whole_packets_and_counts_the_rest);
	tcase_add_test(tc, full_device_is_told);
	tcase_add_test(tc, pipe_that_nobody_empties_never_makes_us_wait);
	tcase_add_test(tc, file_that_cannot_be_made_is_refused_with_its_reason);
	tcase_add_test(tc, hostile_counts_and_times_are_cut_to_what_can_be);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
