/* SPDX-License-Identifier: MIT */
/* Reads pcapng blocks, whose every length is hostile: what is not wanted is skipped, unread. */
#include "host/port/blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/port/linktype.h"

enum { INTERFACES_MAX = 1024, BLOCK_AROUND = 12, TSRESOL_DEFAULT = 6, TSRESOL_BINARY = 0x80 };

/* The block in hand. */
struct block {
	uint64_t start;
	uint32_t type, len;
	uint32_t left; /* bytes of its body that are not read yet */
};

void blocks_init(struct blocks *blocks, FILE *file, const char *name)
{
	*blocks = (struct blocks){ .file = file, .name = name };
}

void blocks_fini(struct blocks *blocks)
{
	free(blocks->interfaces);
	blocks->interfaces = NULL;
}

static uint32_t order32(const struct blocks *blocks, uint32_t value)
{
	return blocks->is_swapped ? __builtin_bswap32(value) : value;
}

static uint16_t order16(const struct blocks *blocks, uint16_t value)
{
	return blocks->is_swapped ? __builtin_bswap16(value) : value;
}

static bool broken(const struct blocks *blocks, const struct block *block, struct refusal *why,
	const char *what)
{
	refuse(why, EINVAL, "%s: the block at byte %" PRIu64 " %s (the file is damaged)",
		blocks->name, block->start, what);
	return false;
}

/* Fewer bytes came than there should be. */
static bool ended(const struct blocks *blocks, struct refusal *why)
{
	if (ferror(blocks->file))
		refuse(why, EIO, "%s: cannot read on after byte %" PRIu64 ": %s", blocks->name,
			blocks->at, strerror(errno));
	else
		refuse(why, EINVAL,
			"%s: ends within a block, at byte %" PRIu64
			" (it was cut, or is still being written)",
			blocks->name, blocks->at);
	return false;
}

static bool take(struct blocks *blocks, void *bytes, size_t len, struct refusal *why)
{
	size_t n = fread(bytes, 1, len, blocks->file);

	blocks->at += n;
	return n == len || ended(blocks, why);
}

/* `len` bytes of the body, which must have them. */
static bool body_take(
	struct blocks *blocks, struct block *block, void *bytes, size_t len, struct refusal *why)
{
	if (len > block->left)
		return broken(blocks, block, why, "is too short for what it says it holds");
	block->left -= (uint32_t)len;
	return take(blocks, bytes, len, why);
}

static bool body_skip(struct blocks *blocks, struct block *block, size_t len, struct refusal *why)
{
	uint8_t away[4096];

	if (len > block->left)
		return broken(blocks, block, why, "is too short for what it says it holds");
	for (size_t piece; len; len -= piece) {
		piece = len < sizeof(away) ? len : sizeof(away);
		if (!body_take(blocks, block, away, piece, why))
			return false;
	}
	return true;
}

/* A section's byte order holds for its own length too. */
static bool section_start(struct blocks *blocks, struct block *block, struct refusal *why)
{
	uint32_t order;

	if (!take(blocks, &order, sizeof(order), why))
		return false;
	if (order != PCAPNG_ORDER && __builtin_bswap32(order) != PCAPNG_ORDER)
		return broken(blocks, block, why, "starts a section of no known byte order");
	blocks->is_swapped = order != PCAPNG_ORDER;
	blocks->section_first = blocks->interface_count;
	return true;
}

static bool section_take(struct blocks *blocks, struct block *block, struct refusal *why)
{
	uint16_t version[2];

	if (!body_take(blocks, block, version, sizeof(version), why))
		return false;
	return order16(blocks, version[0]) == 1 ||
	       broken(blocks, block, why, "is of a version that is not known");
}

/* The next block's type and length. false: the end (why untouched), or no block. */
static enum capfile_status block_start(
	struct blocks *blocks, struct block *block, struct refusal *why)
{
	uint32_t head[2];
	size_t taken = sizeof(head);

	block->start = blocks->at;
	size_t n = fread(head, 1, sizeof(head), blocks->file);

	blocks->at += n;
	if (n == 0 && !ferror(blocks->file))
		return CAPFILE_END;
	if (n < sizeof(head)) {
		ended(blocks, why);
		return CAPFILE_BROKEN;
	}
	if (head[0] == PCAPNG_SECTION) {
		if (!section_start(blocks, block, why))
			return CAPFILE_BROKEN;
		taken += sizeof(uint32_t);
	}
	block->type = order32(blocks, head[0]);
	block->len = order32(blocks, head[1]);
	if (block->len % 4 || block->len < taken + sizeof(uint32_t)) {
		broken(blocks, block, why, "has a length that cannot be");
		return CAPFILE_BROKEN;
	}
	block->left = block->len - (uint32_t)(taken + sizeof(uint32_t));
	return CAPFILE_PACKET;
}

/* Skips what is left of it and compares its two lengths. */
static bool block_end(struct blocks *blocks, struct block *block, struct refusal *why)
{
	uint32_t len;

	if (!body_skip(blocks, block, block->left, why) || !take(blocks, &len, sizeof(len), why))
		return false;
	return order32(blocks, len) == block->len ||
	       broken(blocks, block, why, "ends with another length than it starts with");
}

/* Where an option's value shall go. Longer ones are cut to `room`, others skipped. */
struct option_slot {
	uint16_t code;
	bool is_text; /* a 0 is put behind it: one byte of room is for that */
	void *value;
	size_t room;
};

/* Walks the options to the body's end. Only the first of each code counts; a value that is shorter
 * than its slot (which is no text) leaves the slot alone. */
static bool options_take(struct blocks *blocks, struct block *block,
	const struct option_slot *slots, unsigned count, struct refusal *why)
{
	unsigned seen = 0;

	while (block->left >= 4) {
		uint16_t head[2];

		if (!body_take(blocks, block, head, sizeof(head), why))
			return false;
		uint16_t code = order16(blocks, head[0]);
		size_t len = order16(blocks, head[1]), padding = (4 - len % 4) % 4, used = 0;

		if (!code)
			break;
		for (unsigned i = 0; i < count; i++) {
			const struct option_slot *slot = &slots[i];
			size_t room = slot->room - slot->is_text;

			if (slot->code != code || seen & 1u << i)
				continue;
			used = len < room ? len : room;
			if (!slot->is_text && used < room)
				used = 0;
			if (used > block->left)
				return broken(blocks, block, why, "has an option that is too long");
			if (!body_take(blocks, block, slot->value, used, why))
				return false;
			if (slot->is_text)
				((char *)slot->value)[used] = '\0';
			seen |= 1u << i;
			break;
		}
		if (!body_skip(blocks, block, len + padding - used, why))
			return false;
	}
	return true;
}

/* Names are shown on terminals. */
static void name_clean(char *name)
{
	for (; *name; name++) {
		if ((unsigned char)*name < ' ' || *name == 127)
			*name = '?';
	}
}

static struct blocks_interface *interface_new(struct blocks *blocks)
{
	unsigned count = blocks->interface_count;

	/* 1, 2, 4, ...: the array grows when the count is a power of two. */
	if (!(count & (count - 1))) {
		size_t room = count ? 2 * (size_t)count : 1;
		void *more = realloc(blocks->interfaces, room * sizeof(*blocks->interfaces));

		if (!more)
			return NULL;
		blocks->interfaces = more;
	}
	return &blocks->interfaces[count];
}

static bool interface_take(struct blocks *blocks, struct block *block, struct refusal *why)
{
	struct blocks_interface made = { .tsresol = TSRESOL_DEFAULT };
	struct {
		uint16_t linktype, reserved;
		uint32_t snaplen;
	} head;
	const struct option_slot slots[] = {
		{ PCAPNG_IF_NAME, true, made.shown.name, sizeof(made.shown.name) },
		{ PCAPNG_IF_TSRESOL, false, &made.tsresol, sizeof(made.tsresol) },
		{ PCAPNG_IF_TSOFFSET, false, &made.tsoffset, sizeof(made.tsoffset) },
	};

	if (blocks->interface_count == INTERFACES_MAX)
		return broken(blocks, block, why, "is one interface too many (1024 can be read)");
	if (!body_take(blocks, block, &head, sizeof(head), why) ||
		!options_take(blocks, block, slots, 3, why))
		return false;
	struct blocks_interface *interface = interface_new(blocks);

	if (!interface) {
		refuse(why, ENOMEM, "%s: out of memory", blocks->name);
		return false;
	}
	if (blocks->is_swapped)
		made.tsoffset = (int64_t)__builtin_bswap64((uint64_t)made.tsoffset);
	made.snaplen = order32(blocks, head.snaplen);
	made.shown.linktype = order16(blocks, head.linktype);
	made.shown.first = linktype_first(made.shown.linktype);
	name_clean(made.shown.name);
	*interface = made;
	blocks->interface_count++;
	return true;
}

/* Ticks of 10^-n or 2^-n seconds after tsoffset. What no clock has shown is cut to [0, 2^63). */
static int64_t time_of(const struct blocks_interface *interface, uint64_t ticks)
{
	unsigned n = interface->tsresol & ~TSRESOL_BINARY;
	unsigned __int128 ns = ticks;

	if (interface->tsresol & TSRESOL_BINARY) {
		ns = (ns * NS_PER_S) >> n;
	} else {
		for (; n < 9; n++)
			ns *= 10;
		for (; n > 9 && ns; n--)
			ns /= 10;
	}
	__int128 at = (__int128)ns + (__int128)interface->tsoffset * NS_PER_S;

	return at < 0 ? 0 : at > INT64_MAX ? INT64_MAX : (int64_t)at;
}

/* The packet's bytes: those that we can keep. */
static bool data_take(struct blocks *blocks, struct block *block, size_t len,
	struct blocks_packet *out, struct refusal *why)
{
	size_t padding = (4 - len % 4) % 4;

	if (len > block->left)
		return broken(blocks, block, why, "is shorter than its packet");
	out->len = len < BLOCKS_ROOM ? len : BLOCKS_ROOM;
	if (out->original < len)
		out->original = (uint32_t)len;
	return body_take(blocks, block, out->bytes, out->len, why) &&
	       body_skip(blocks, block, len + padding - out->len, why);
}

static bool packet_take(
	struct blocks *blocks, struct block *block, struct blocks_packet *out, struct refusal *why)
{
	struct {
		uint32_t interface, high, low, captured, original;
	} head;
	uint32_t flags = 0;
	const struct option_slot slots[] = {
		{ PCAPNG_PACKET_FLAGS, false, &flags, sizeof(flags) },
		{ PCAPNG_COMMENT, true, out->comment, sizeof(out->comment) },
	};

	if (!body_take(blocks, block, &head, sizeof(head), why))
		return false;
	/* The old block has 16 bits of interface, and a count of drops. */
	if (block->type == PCAPNG_OLD_PACKET) {
		uint16_t halves[2];

		memcpy(halves, &head.interface, sizeof(halves));
		out->interface = order16(blocks, halves[0]);
	} else {
		out->interface = order32(blocks, head.interface);
	}
	if (out->interface >= blocks->interface_count - blocks->section_first)
		return broken(blocks, block, why, "is a packet of an interface that is not there");
	out->interface += blocks->section_first;
	out->original = order32(blocks, head.original);
	out->time_ns = time_of(&blocks->interfaces[out->interface],
		(uint64_t)order32(blocks, head.high) << 32 | order32(blocks, head.low));
	if (!data_take(blocks, block, order32(blocks, head.captured), out, why) ||
		!options_take(blocks, block, slots, 2, why))
		return false;
	flags = order32(blocks, flags) & 3;
	out->dir = flags == 3 ? CAPTURE_DIR_NONE : (enum capture_dir)flags;
	return true;
}

/* Belongs to the section's first interface; has no time. */
static bool simple_packet_take(
	struct blocks *blocks, struct block *block, struct blocks_packet *out, struct refusal *why)
{
	uint32_t original;

	if (blocks->section_first == blocks->interface_count)
		return broken(blocks, block, why, "is a packet of an interface that is not there");
	if (!body_take(blocks, block, &original, sizeof(original), why))
		return false;
	uint32_t snaplen = blocks->interfaces[blocks->section_first].snaplen;

	out->interface = blocks->section_first;
	out->original = order32(blocks, original);
	return data_take(blocks, block,
		snaplen && snaplen < out->original ? snaplen : out->original, out, why);
}

enum capfile_status blocks_next(
	struct blocks *blocks, struct blocks_packet *out, struct refusal *why)
{
	enum capfile_status status;
	struct block block;

	while ((status = block_start(blocks, &block, why)) == CAPFILE_PACKET) {
		bool is_packet = true, is_read = true;

		out->time_ns = 0;
		out->dir = CAPTURE_DIR_NONE;
		out->comment[0] = '\0';
		switch (block.type) {
		case PCAPNG_PACKET:
		case PCAPNG_OLD_PACKET:
			is_read = packet_take(blocks, &block, out, why);
			break;
		case PCAPNG_SIMPLE_PACKET:
			is_read = simple_packet_take(blocks, &block, out, why);
			break;
		case PCAPNG_SECTION:
			is_read = section_take(blocks, &block, why);
			is_packet = false;
			break;
		case PCAPNG_INTERFACE:
			is_read = interface_take(blocks, &block, why);
			is_packet = false;
			break;
		default:
			is_packet = false;
		}
		if (!is_read || !block_end(blocks, &block, why))
			return CAPFILE_BROKEN;
		if (is_packet)
			return CAPFILE_PACKET;
	}
	return status;
}
