/* SPDX-License-Identifier: MIT */
/* What several threads write into one file is whole and in its interfaces; who closes it closes it
 * for nobody else. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/engine/outfile.h"
#include "host/port/capfile.h"

enum { THREADS = 4, NAMES = 50, PACKETS = 4000 };

static char path[64];

static void setup(void)
{
	strcpy(path, "/tmp/outfile_test.XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

/* Of `writers`, if more than one shared. */
static struct outfile *file_new(const char *name, unsigned writers)
{
	struct outfile *file = NULL;
	struct refusal why;

	ck_assert_int_eq(outfile_open(&file, name, &why), 0);
	if (writers > 1)
		outfile_share(file, writers - 1);
	return file;
}

/* A packet of interface "i<number>", which says its number too. */
static int write_one(struct outfile *file, unsigned number)
{
	uint8_t bytes[200] = { 0x45 };
	char name[16];
	struct pcapng_packet packet = { .time_ns = 1, .bytes = bytes, .len = 100 + number };

	memset(bytes + 1, (int)number, sizeof(bytes) - 1);
	snprintf(name, sizeof(name), "i%u", number);
	return outfile_write(file, name, LAYER_ip, &packet);
}

/* How many packets are in the file; each is as write_one made it. */
static unsigned file_check(void)
{
	struct capfile *file;
	struct captured captured;
	struct refusal why;
	enum capfile_status status;
	unsigned count = 0;

	ck_assert_msg(!capfile_open(&file, path, &why), "%s", why.text);
	while ((status = capfile_next(file, &captured, &why)) == CAPFILE_PACKET) {
		const struct packet *p = captured.packet;
		char name[16];

		snprintf(name, sizeof(name), "i%u", p->data[1]);
		ck_assert_str_eq(capfile_interface(file, captured.interface)->name, name);
		ck_assert_uint_eq(packet_length(p), 100u + p->data[1]);
		ck_assert_uint_eq(p->data[packet_length(p) - 1], p->data[1]);
		packet_free(captured.packet);
		count++;
	}
	ck_assert_int_eq(status, CAPFILE_END);
	capfile_close(file);
	return count;
}

static void *packets_write(void *arg)
{
	struct outfile *file = arg;

	for (unsigned i = 0; i < PACKETS; i++)
		ck_assert_int_eq(write_one(file, i / 10 % NAMES), 0);
	ck_assert_int_eq(outfile_close(file), 0);
	return NULL;
}

START_TEST(what_threads_write_at_once_is_whole)
{
	struct outfile *file = file_new(path, THREADS);
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, packets_write, file);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(file_check(), THREADS * PACKETS);
	outfile_free(file);
}
END_TEST

START_TEST(who_closes_has_flushed_and_the_last_one_has_closed)
{
	char bytes[4096], name[32];
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
	struct outfile *file = file_new(name, 2);

	close(ends[1]);
	ck_assert_int_eq(write_one(file, 1), 0);
	ck_assert_int_eq(outfile_close(file), 0);
	ck_assert_int_gt(read(ends[0], bytes, sizeof(bytes)), 100);
	ck_assert_int_eq(read(ends[0], bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(write_one(file, 2), 0);
	ck_assert_int_eq(outfile_close(file), 0);
	ck_assert_int_gt(read(ends[0], bytes, sizeof(bytes)), 100);
	ck_assert_int_eq(read(ends[0], bytes, sizeof(bytes)), 0);
	outfile_free(file);
	close(ends[0]);
}
END_TEST

START_TEST(what_cannot_be_written_each_one_is_told)
{
	struct outfile *file = file_new("/dev/full", 2);

	ck_assert_int_eq(write_one(file, 1), 0);
	ck_assert_int_eq(outfile_flush(file), -ENOSPC);
	ck_assert_int_eq(write_one(file, 1), -ENOSPC);
	ck_assert_int_eq(outfile_close(file), -ENOSPC);
	ck_assert_int_eq(outfile_close(file), -ENOSPC);
	outfile_free(file);
}
END_TEST

START_TEST(nothing_gets_into_a_file_that_was_emptied)
{
	struct outfile *old = file_new(path, 2), *other = file_new("/dev/null", 2);
	struct stat emptied;

	ck_assert_int_eq(write_one(old, 1), 0);
	ck_assert_int_eq(stat(path, &emptied), 0);
	outfile_empty(old, &emptied);
	outfile_empty(other, &emptied);
	struct outfile *new = file_new(path, 1);

	ck_assert_int_eq(write_one(new, 2), 0);
	ck_assert_int_eq(write_one(old, 3), 0);
	ck_assert_int_eq(outfile_close(old), 0);
	ck_assert_int_eq(outfile_close(new), 0);
	ck_assert_int_eq(outfile_close(old), 0);
	ck_assert_uint_eq(file_check(), 1);
	outfile_free(old);
	outfile_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outfile");
	TCase *tc = tcase_create("outfile");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_threads_write_at_once_is_whole);
	tcase_add_test(tc, who_closes_has_flushed_and_the_last_one_has_closed);
	tcase_add_test(tc, what_cannot_be_written_each_one_is_told);
	tcase_add_test(tc, nothing_gets_into_a_file_that_was_emptied);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
