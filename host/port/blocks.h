/* SPDX-License-Identifier: MIT */
/* Walks through the blocks of a pcapng file: sections of either byte order, interfaces, packets. */
#pragma once

#include "host/port/capfile.h"

enum { BLOCKS_ROOM = PACKET_BYTES_MAX + 20 }; /* the longest packet and its link's header */

struct blocks_interface {
	struct capfile_interface shown;
	uint32_t snaplen; /* 0: none */
	uint8_t tsresol;
	int64_t tsoffset;
};

struct blocks_packet {
	unsigned interface;
	int64_t time_ns;
	size_t len;	   /* of bytes: at most BLOCKS_ROOM */
	uint32_t original; /* bytes on the wire, at least len */
	enum capture_dir dir;
	char comment[CAPFILE_COMMENT];
	uint8_t bytes[BLOCKS_ROOM];
};

struct blocks {
	FILE *file;
	const char *name; /* for messages */
	uint64_t at;	  /* bytes read */
	bool is_swapped;
	unsigned section_first; /* index of the section's first interface */
	unsigned interface_count;
	struct blocks_interface *interfaces;
};

/* Starts at the file's first byte. The file stays the caller's. */
void blocks_init(struct blocks *blocks, FILE *file, const char *name);
void blocks_fini(struct blocks *blocks);

/* Reads on to the next packet. */
enum capfile_status blocks_next(
	struct blocks *blocks, struct blocks_packet *out, struct refusal *why);
