/* SPDX-License-Identifier: MIT */
/* Hostile bytes as a capture file -> every packet read and parsed -> written -> read back as it
 * was. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "host/port/capfile.h"

enum { PACKETS_MAX = 64 };

struct seen {
	struct captured captured;
	enum layer_id first;
	char name[CAPFILE_NAME], comment[CAPFILE_COMMENT];
};

/* A file in memory, by its name. */
static const char *memory_path(void)
{
	static char path[64];

	if (!path[0])
		snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd_create("capfile", 0));
	return path;
}

/* Reads up to PACKETS_MAX packets. */
static unsigned packets_read(struct capfile *file, struct seen *seen)
{
	struct refusal why = { 0 };
	enum capfile_status status = CAPFILE_PACKET;
	unsigned count = 0;

	while (count < PACKETS_MAX) {
		struct seen *now = &seen[count];

		status = capfile_next(file, &now->captured, &why);
		if (status != CAPFILE_PACKET)
			break;
		const struct captured *c = &now->captured;

		CHECK(c->time_ns >= 0 && c->interface < capfile_interface_count(file));
		CHECK(packet_length(c->packet) <= PACKET_BYTES_MAX);
		CHECK(c->cut <= UINT32_MAX - packet_length(c->packet));
		layers_check(c->packet);
		snprintf(now->name, sizeof(now->name), "%s",
			capfile_interface(file, c->interface)->name);
		snprintf(now->comment, sizeof(now->comment), "%s", c->comment);
		CHECK(strlen(now->comment) == strlen(c->comment));
		count++;
	}
	CHECK(status != CAPFILE_BROKEN || (why.code > 0 && why.text[0] && !strchr(why.text, '\n')));
	if (status != CAPFILE_PACKET)
		CHECK(capfile_next(file, &seen[0].captured, &why) == CAPFILE_END || !count);
	return count;
}

static void packets_write(const struct seen *seen, unsigned count)
{
	struct pcapng *file = NULL;

	CHECK(!pcapng_open(&file, memory_path(), NULL));
	for (unsigned i = 0; i < count; i++) {
		const struct captured *c = &seen[i].captured;
		int id = pcapng_interface(file, seen[i].name, "", c->packet->first);

		CHECK(id >= 0);
		struct pcapng_packet packet = { .interface = (unsigned)id,
			.time_ns = c->time_ns,
			.bytes = c->packet->data,
			.len = packet_length(c->packet),
			.original = packet_length(c->packet) + c->cut,
			.dir = c->dir,
			.comment = seen[i].comment };

		CHECK(!pcapng_write(file, &packet));
	}
	CHECK(!pcapng_lost(file));
	CHECK(!pcapng_close(file));
}

static void packets_compare(const struct seen *was, unsigned count)
{
	struct capfile *file = NULL;
	struct captured c;

	CHECK(!capfile_open(&file, memory_path(), NULL));
	for (unsigned i = 0; i < count; i++) {
		CHECK(capfile_next(file, &c, NULL) == CAPFILE_PACKET);
		CHECK(same_bytes(c.packet, was[i].captured.packet));
		CHECK(c.packet->first == was[i].captured.packet->first);
		CHECK(c.time_ns == was[i].captured.time_ns && c.cut == was[i].captured.cut);
		CHECK(c.dir == was[i].captured.dir && !strcmp(c.comment, was[i].comment));
		CHECK(!strcmp(capfile_interface(file, c.interface)->name, was[i].name));
		packet_free(c.packet);
	}
	CHECK(capfile_next(file, &c, NULL) == CAPFILE_END);
	capfile_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen seen[PACKETS_MAX + 1];
	struct capfile *file = NULL;
	struct refusal why = { 0 };

	if (!size)
		return 0;
	if (capfile_open_stream(&file, fmemopen((void *)data, size, "rb"), "fuzz", &why)) {
		CHECK(!file && why.code > 0 && why.text[0] && !strchr(why.text, '\n'));
		return 0;
	}
	unsigned count = packets_read(file, seen);

	capfile_close(file);
	packets_write(seen, count);
	packets_compare(seen, count);
	for (unsigned i = 0; i < count; i++)
		packet_free(seen[i].captured.packet);
	return 0;
}
