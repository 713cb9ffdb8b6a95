/* SPDX-License-Identifier: MIT */
/* The ways to move packets between a port and the kernel, and which of them is wanted. */
#pragma once

#include <stdint.h>

#include "host/base/refusal.h"

enum io {
	IO_none,
#define IO(name, kind, doc) IO_##name,
#include "host/port/io.def"
#undef IO
	IO_COUNT
};

enum io_kind { IO_DEVICE, IO_SOCKET, IO_ANY };

/* What somebody asked for, in the order of his preference. Empty: nothing. */
struct io_list {
	uint8_t count;
	uint8_t io[IO_COUNT]; /* enum io */
};

const char *io_name(enum io io);

/* Reads "uring,epoll": ways of that kind of port. 0, or -EINVAL with why, and out is untouched. */
int io_list_parse(const char *text, enum io_kind kind, struct io_list *out, struct refusal *why);

/* What a port of that kind tries, one after the other: those of the list, or, if it names none for
 * the kind, all; and at the end the one that always works. */
struct io_list io_order(const struct io_list *list, enum io_kind kind);
