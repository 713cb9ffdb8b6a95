/* SPDX-License-Identifier: MIT */
/* Writes packets into pcapng files: several interfaces, nanoseconds, direction, comments. */
#pragma once

#include "host/base/refusal.h"
#include "host/packet/packet.h"

/* The format's numbers; the reader (blocks.c) needs them too. */
enum {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_OLD_PACKET = 2,
	PCAPNG_SIMPLE_PACKET = 3,
	PCAPNG_PACKET = 6,
	PCAPNG_ORDER = 0x1a2b3c4d,
	PCAPNG_COMMENT = 1,	 /* an option of every block */
	PCAPNG_PACKET_FLAGS = 2, /* options of packets */
	PCAPNG_IF_NAME = 2,	 /* options of interfaces */
	PCAPNG_IF_DESCRIPTION = 3,
	PCAPNG_IF_TSRESOL = 9,
	PCAPNG_IF_TSOFFSET = 14,
	PCAPNG_SHB_USERAPPL = 4, /* options of sections */
};

/* Which way a packet went, seen from the host; the values are those of the format's flags. */
enum capture_dir { CAPTURE_DIR_NONE, CAPTURE_DIR_IN, CAPTURE_DIR_OUT };

struct pcapng;

struct pcapng_packet {
	unsigned interface; /* what pcapng_interface gave */
	int64_t time_ns;    /* since 1970 */
	const uint8_t *bytes;
	size_t len;
	size_t original; /* bytes that it had on the wire; 0: len */
	enum capture_dir dir;
	const char *comment; /* NULL: none */
};

/* A new file (what was there is lost), or standard output for "-". 0 or -errno with why. */
int pcapng_open(struct pcapng **out, const char *path, struct refusal *why);

/* The number of the interface of that name, description (both may be "") and first layer (LAYER_eth
 * or LAYER_ip); it is written where its first packet is. -errno: as pcapng_write. */
int pcapng_interface(
	struct pcapng *file, const char *name, const char *description, enum layer_id first);

/* Takes a packet into the buffer, which is written out when it is full. 0; -EAGAIN: a pipe takes
 * no more now, and the packet was not taken (pcapng_flush waits); else -errno of the first write
 * that failed: the file ends with the last whole block before it, and what comes later is lost. */
int pcapng_write(struct pcapng *file, const struct pcapng_packet *packet);

/* Writes the buffer out. Unless it shall wait, -EAGAIN says that a pipe takes no more now. */
int pcapng_flush(struct pcapng *file, bool wait);

/* How many packets were taken and then could not be written. */
uint64_t pcapng_lost(const struct pcapng *file);

/* Writes the buffer out, waiting, and frees the file. 0 or -errno as pcapng_write. */
int pcapng_close(struct pcapng *file);
