/* SPDX-License-Identifier: MIT */
/* Puts packets into blocks and blocks into a buffer, which always holds whole ones. */
#include "host/port/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/port/linktype.h"

enum {
	BUFFER = 1 << 18,
	PIECE = 4096, /* PIPE_BUF: a pipe that polls writable takes so much without blocking */
	INTERFACES_MAX = 1024, /* so many a reader of ours takes */
	TEXT_MAX = 2048,
	AROUND = 12, /* a block's type and two lengths */
};

struct interface {
	char name[64], description[64];
	enum layer_id first;
};

struct pcapng {
	int fd;
	bool is_patient; /* a file: writing to it takes no longer than it takes */
	bool is_cuttable;
	int error; /* -errno of the first write that failed */
	uint64_t lost, written;
	unsigned interface_count;
	struct interface *interfaces;
	size_t used, done; /* bytes in the buffer; of them written out */
	size_t block;	   /* where the block in hand starts */
	uint8_t buffer[BUFFER];
};

static void put(struct pcapng *file, const void *bytes, size_t len)
{
	static const uint8_t zeros[4];

	memcpy(file->buffer + file->used, bytes, len);
	memcpy(file->buffer + file->used + len, zeros, (4 - len % 4) % 4);
	file->used += len + (4 - len % 4) % 4;
}

static void put32(struct pcapng *file, uint32_t value)
{
	put(file, &value, sizeof(value));
}

static void option_put(struct pcapng *file, uint16_t code, const void *value, size_t len)
{
	uint16_t head[] = { code, (uint16_t)len };

	put(file, head, sizeof(head));
	put(file, value, len);
}

static void text_put(struct pcapng *file, uint16_t code, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len)
		option_put(file, code, text, len < TEXT_MAX ? len : TEXT_MAX);
}

/* Room for a block with `len` bytes and some text, and its start. 0, or as pcapng_write. */
static int block_start(struct pcapng *file, uint32_t type, size_t len)
{
	size_t need = len + 2 * (size_t)TEXT_MAX + 256;

	assert(need < BUFFER);
	if (!file->error && BUFFER - file->used < need) {
		int error = pcapng_flush(file, false);

		if (error == -EAGAIN)
			return error;
	}
	if (file->error)
		return file->error;
	file->block = file->used;
	put32(file, type);
	put32(file, 0); /* block_end knows */
	return 0;
}

static void block_end(struct pcapng *file)
{
	uint32_t len = (uint32_t)(file->used - file->block) + sizeof(len);

	memcpy(file->buffer + file->block + 4, &len, sizeof(len));
	put32(file, len);
}

static void section_put(struct pcapng *file)
{
	uint16_t version[] = { 1, 0 };
	int64_t len = -1; /* nobody knows yet */

	block_start(file, PCAPNG_SECTION, sizeof(len));
	put32(file, PCAPNG_ORDER);
	put(file, version, sizeof(version));
	put(file, &len, sizeof(len));
	text_put(file, PCAPNG_SHB_USERAPPL, "moontap " MOONTAP_VERSION);
	put32(file, 0);
	block_end(file);
}

int pcapng_open(struct pcapng **out, const char *path, struct refusal *why)
{
	bool is_stdout = !strcmp(path, "-");
	struct pcapng *file = calloc(1, sizeof(*file));
	struct stat stat = { 0 };

	if (!file)
		return refuse(why, ENOMEM, "%s: out of memory", path);
	file->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
			     : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file->fd < 0) {
		int error = errno;

		free(file);
		return refuse(why, error,
			"%s: cannot write: %s (give a file that may be made or written)", path,
			strerror(error));
	}
	fstat(file->fd, &stat);
	file->is_patient = S_ISREG(stat.st_mode);
	file->is_cuttable = file->is_patient && !is_stdout;
	section_put(file);
	*out = file;
	return 0;
}

static int interface_find(const struct pcapng *file, const struct interface *wanted)
{
	for (unsigned i = 0; i < file->interface_count; i++) {
		const struct interface *have = &file->interfaces[i];

		if (have->first == wanted->first && !strcmp(have->name, wanted->name) &&
			!strcmp(have->description, wanted->description))
			return (int)i;
	}
	return -ENOENT;
}

static int interface_add(struct pcapng *file, const struct interface *wanted)
{
	uint16_t linktype[] = { wanted->first == LAYER_eth ? LINKTYPE_ETHERNET : LINKTYPE_RAW_IP,
		0 };
	uint8_t nanoseconds = 9;

	if (file->interface_count == INTERFACES_MAX)
		return -E2BIG;
	void *more =
		realloc(file->interfaces, (file->interface_count + 1) * sizeof(*file->interfaces));

	if (!more)
		return -ENOMEM;
	file->interfaces = more;
	int error = block_start(file, PCAPNG_INTERFACE, sizeof(linktype));

	if (error)
		return error;
	put(file, linktype, sizeof(linktype));
	put32(file, 0); /* no snap length */
	text_put(file, PCAPNG_IF_NAME, wanted->name);
	text_put(file, PCAPNG_IF_DESCRIPTION, wanted->description);
	option_put(file, PCAPNG_IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
	put32(file, 0);
	block_end(file);
	file->interfaces[file->interface_count] = *wanted;
	return (int)file->interface_count++;
}

int pcapng_interface(
	struct pcapng *file, const char *name, const char *description, enum layer_id first)
{
	struct interface wanted = { .first = first };

	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	snprintf(wanted.description, sizeof(wanted.description), "%s", description);
	int found = interface_find(file, &wanted);

	return found >= 0 ? found : interface_add(file, &wanted);
}

int pcapng_write(struct pcapng *file, const struct pcapng_packet *packet)
{
	uint64_t time = packet->time_ns < 0 ? 0 : (uint64_t)packet->time_ns;
	size_t len = packet->len < PACKET_BYTES_MAX ? packet->len : PACKET_BYTES_MAX;
	size_t original = packet->original > packet->len ? packet->original : packet->len;
	uint32_t flags = packet->dir;

	assert(packet->interface < file->interface_count);
	int error = block_start(file, PCAPNG_PACKET, len);

	if (error)
		return error;
	put32(file, packet->interface);
	put32(file, (uint32_t)(time >> 32));
	put32(file, (uint32_t)time);
	put32(file, (uint32_t)len);
	put32(file, (uint32_t)original);
	put(file, packet->bytes, len);
	text_put(file, PCAPNG_COMMENT, packet->comment);
	if (flags)
		option_put(file, PCAPNG_PACKET_FLAGS, &flags, sizeof(flags));
	if (flags || (packet->comment && *packet->comment))
		put32(file, 0);
	block_end(file);
	return 0;
}

static bool takes_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1;
}

/* Writing has failed: the file is cut to the whole blocks that are in it, the rest is lost. */
static int fail(struct pcapng *file, int error)
{
	size_t at = 0, whole = 0;

	while (at < file->used) {
		uint32_t head[2];

		memcpy(head, file->buffer + at, sizeof(head));
		at += head[1];
		if (at <= file->done)
			whole = at;
		else
			file->lost += head[0] == PCAPNG_PACKET;
	}
	/* If that fails too, readers say that the file was cut. */
	file->is_cuttable =
		file->is_cuttable && !ftruncate(file->fd, (off_t)(file->written + whole));
	file->used = file->done = 0;
	file->error = error;
	return error;
}

int pcapng_flush(struct pcapng *file, bool wait)
{
	bool is_patient = wait || file->is_patient;

	while (file->done < file->used) {
		size_t len = file->used - file->done;

		if (!is_patient && !takes_now(file->fd))
			return -EAGAIN;
		ssize_t n = write(file->fd, file->buffer + file->done,
			is_patient || len < PIECE ? len : PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(file, n ? -errno : -EIO);
		file->done += (size_t)n;
	}
	file->written += file->used;
	file->used = file->done = 0;
	return file->error;
}

uint64_t pcapng_lost(const struct pcapng *file)
{
	return file->lost;
}

int pcapng_close(struct pcapng *file)
{
	int error = pcapng_flush(file, true);

	if (close(file->fd) && !error)
		error = -errno;
	free(file->interfaces);
	free(file);
	return error;
}
