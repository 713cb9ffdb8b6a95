/* SPDX-License-Identifier: MIT */
/* The inside of a worker's io_uring, for the files that open it, move packets and sleep in it. */
#pragma once

#include <liburing.h>

#include "host/port/uring.h"

enum {
	URING_OPERATIONS = 256, /* at once: a burst of reads, and writes to all ports */
	URING_FILES = 64,	/* ports of one worker */
};

/* What an entry's user_data says: the index of an operation, or one of these. */
enum {
	URING_PARKED = URING_OPERATIONS, /* + the file's index: of operations too */
	URING_WATCH = URING_PARKED + URING_FILES,
	URING_CANCEL,
};

struct uring_file {
	struct uring *ring;
	struct port *port;
	int fd;		       /* -1: the place is free */
	unsigned batch;	       /* reads of the next recv: follows what comes */
	unsigned came;	       /* packets of this recv */
	struct packet **burst; /* where they go; NULL: no recv runs */
	struct packet *found;  /* what the parked read has read while none ran */
	bool has_failed;       /* the device refused it: not again at once */
};

struct uring_operation {
	struct packet *p;
	struct port *port;
	bool is_write;
};

struct uring {
	struct io_uring io;
	struct pool *pool;
	bool is_open;
	bool is_owed;	  /* a recv, a wait or uring_settle comes next and takes the writes along */
	bool is_watching; /* a poll of the loop is under way */
	bool is_woken;	  /* it has said that the loop has something */
	bool is_short;	  /* the last wait did not sleep */
	bool is_lone;	  /* the last recv brought one packet, by a call of its own */
	struct refusal refused;
	const uint8_t *fixed; /* the registered bytes */
	size_t fixed_len;
	int loop_fd;	 /* that is polled; 0: none yet */
	unsigned ports;	 /* that are open */
	unsigned queued; /* operations that carry_out has to do, */
	unsigned done;	 /* and those of them that are done */
	struct uring_operation operations[URING_WATCH];
	struct uring_file files[URING_FILES];
};

/* Opens the ring, restricted to packets, if it is not open. 0, or -errno with why in `refused`. */
int uring_ring_open(struct uring *ring);

/* An entry for a registered file, named `user_data`. The caller knows that there is room. */
struct io_uring_sqe *uring_entry(struct uring *ring, int opcode, unsigned file, unsigned user_data);

/* The entry that reads into a packet or writes it; it is operations[index] until it is done. */
struct io_uring_sqe *uring_operation_start(
	struct uring *ring, unsigned index, struct uring_operation operation);

/* What a read of the port asks the pool for, in bytes: 0 is a small slot. */
size_t uring_read_room(const struct port *port);

/* Did the ring itself fail, and not just this call? Then it gives up. */
bool uring_is_fatal(int error);

/* A ring that takes nothing any more: what was queued comes home, its ports are gone. */
void uring_give_up(struct uring *ring, int error);

/* Takes note of all that is done. */
void uring_reap(struct uring *ring);

/* All that is queued is done when this returns. */
void uring_carry_out(struct uring *ring);

static inline unsigned uring_parked_index(const struct uring_file *file)
{
	return URING_PARKED + (unsigned)(file - file->ring->files);
}

/* What the parked read reads into; NULL: none is parked. */
static inline const struct packet *uring_parked(const struct uring_file *file)
{
	return file->ring->operations[uring_parked_index(file)].p;
}

/* Takes the parked read back; what it has read until then is found. */
void uring_unpark(struct uring_file *file);
