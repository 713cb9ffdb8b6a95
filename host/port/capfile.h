/* SPDX-License-Identifier: MIT */
/* Reads packets from capture files: pcap by libpcap, pcapng block by block. */
#pragma once

#include <stdio.h>

#include "host/port/pcapng.h"

struct capfile;

enum capfile_status {
	CAPFILE_PACKET,
	CAPFILE_END,
	CAPFILE_BROKEN, /* the file is damaged or cut off here; why says where */
};

enum { CAPFILE_NAME = 64, CAPFILE_COMMENT = 512 };

struct capfile_interface {
	char name[CAPFILE_NAME]; /* "": none is known (all of pcap) */
	unsigned linktype;	 /* as www.tcpdump.org/linktypes.html has it */
	enum layer_id first;	 /* of its packets; LAYER_none: unreadable, they are skipped */
};

struct captured {
	struct packet *packet; /* a slab of its own, parsed, time 0; the caller's */
	int64_t time_ns;       /* since 1970; never negative */
	unsigned interface;    /* see capfile_interface */
	uint32_t cut;	       /* bytes at its end that the file lacks: the snap length */
	enum capture_dir dir;
	const char *comment; /* valid until the next call; "": none */
};

/* Opens a pcap or pcapng file; "-" is standard input. 0 or -errno: what, why, what to do. */
int capfile_open(struct capfile **out, const char *path, struct refusal *why);

/* The same from an open stream, which is its own from now on, also on failure. `name` is for
 * messages. */
int capfile_open_stream(struct capfile **out, FILE *stream, const char *name, struct refusal *why);

/* The next packet, whose first layer is Ethernet or IP: packet->first says which, also where it
 * differs from its interface's (ARP of a Linux cooked capture). */
enum capfile_status capfile_next(struct capfile *file, struct captured *out, struct refusal *why);

/* The interfaces that are known by now: after opening all those before the first packet. */
unsigned capfile_interface_count(const struct capfile *file);
const struct capfile_interface *capfile_interface(const struct capfile *file, unsigned index);

/* How many packets were passed over, because their link type is none of ours. */
uint64_t capfile_skipped(const struct capfile *file);

void capfile_close(struct capfile *file);
