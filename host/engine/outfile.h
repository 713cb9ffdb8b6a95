/* SPDX-License-Identifier: MIT */
/* A file of packets that the scripts of several workers write: each puts whole packets at its end,
 * one worker at a time. Any function may be called from any worker. */
#pragma once

#include <sys/stat.h>

#include "host/port/pcapng.h"

struct outfile;

/* As pcapng_open. One writes it: the caller, who closes it. */
int outfile_open(struct outfile **out, const char *path, struct refusal *why);

/* Before anybody else has it: `others` more will write it and close it, or may be gone without. It
 * stays in memory until outfile_free. */
void outfile_share(struct outfile *file, unsigned others);

/* Appends the packet, of the interface of that name (the packet's own number is not looked at).
 * Waits for who writes, and for a pipe that is full. 0 or -errno as pcapng_write. */
int outfile_write(struct outfile *file, const char *interface, enum layer_id first,
	const struct pcapng_packet *packet);

/* What was written, by all, is in the file. 0 or -errno as pcapng_write. */
int outfile_flush(struct outfile *file);

/* One writes it no more: flushes it. After the last one it is closed, and freed unless shared. */
int outfile_close(struct outfile *file);

/* Before the file that is `emptied` loses what is in it, to be written anew: if it is this one,
 * what some still write into it is lost with the rest, or it would be amid the new. */
void outfile_empty(struct outfile *file, const struct stat *emptied);

/* Of a shared one: when nobody can write it any more. */
void outfile_free(struct outfile *file);
