/* SPDX-License-Identifier: MIT */
/* Understands which way to move packets is wanted. */
#include "host/port/io.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/base/nearest.h"
#include "host/base/text.h"

struct way {
	const char *name;
	enum io_kind kind;
};

static const struct way ways[IO_COUNT] = {
#define IO(name, kind, doc) [IO_##name] = { #name, IO_##kind },
#include "host/port/io.def"
#undef IO
};

const char *io_name(enum io io)
{
	return ways[io].name;
}

static bool io_list_has(const struct io_list *list, enum io io)
{
	return memchr(list->io, (int)io, list->count);
}

static void append(struct io_list *list, enum io io)
{
	if (!io_list_has(list, io))
		list->io[list->count++] = (uint8_t)io;
}

static bool is_of(enum io io, enum io_kind kind)
{
	return kind == IO_ANY || ways[io].kind == kind;
}

static int unknown(const char *word, enum io_kind kind, struct refusal *why)
{
	const char *words[IO_COUNT] = { NULL };
	unsigned count = 0;
	char known[128];
	struct text out;

	text_init(&out, known, sizeof(known));
	for (enum io io = IO_none + 1; io < IO_COUNT; io++) {
		if (!is_of(io, kind))
			continue;
		text_add(&out, "%s%s", count ? ", " : "", ways[io].name);
		words[count++] = ways[io].name;
	}
	const char *meant = nearest(word, words);

	return refuse(why, EINVAL, "unknown way \"%s\" (%s%s%sit knows %s)", word,
		meant ? "did you mean " : "", meant ? meant : "", meant ? "? " : "", known);
}

static enum io io_find(const char *word, size_t len, enum io_kind kind)
{
	for (enum io io = IO_none + 1; io < IO_COUNT; io++) {
		if (is_of(io, kind) && strlen(ways[io].name) == len &&
			!memcmp(word, ways[io].name, len))
			return io;
	}
	return IO_none;
}

int io_list_parse(const char *text, enum io_kind kind, struct io_list *out, struct refusal *why)
{
	struct io_list list = { 0 };
	char word[32];

	for (;; text++) {
		size_t len = strcspn(text, ",");
		enum io io = io_find(text, len, kind);

		if (!io) {
			snprintf(word, sizeof(word), "%.*s", (int)len, text);
			return unknown(word, kind, why);
		}
		append(&list, io);
		text += len;
		if (!*text)
			break;
	}
	*out = list;
	return 0;
}

struct io_list io_order(const struct io_list *list, enum io_kind kind)
{
	struct io_list order = { 0 };
	enum io last = IO_none;

	for (unsigned i = 0; i < list->count; i++) {
		if (ways[list->io[i]].kind == kind)
			append(&order, list->io[i]);
	}
	bool is_asked = order.count;

	for (enum io io = IO_none + 1; io < IO_COUNT; io++) {
		if (ways[io].kind != kind)
			continue;
		last = io;
		/* AF_XDP takes the frames away from the kernel: nobody gets that unasked. */
		if (!is_asked && io != IO_xdp)
			append(&order, io);
	}
	append(&order, last);
	return order;
}
