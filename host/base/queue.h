/* SPDX-License-Identifier: MIT */
/* A bounded queue of tagged byte records from one thread to one other (SPSC). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue {
	uint8_t *bytes;
	size_t size; /* a power of two */
	_Alignas(64) _Atomic size_t written;
	_Alignas(64) _Atomic size_t taken;
};

/* size is in bytes and a power of two. 0 or -ENOMEM; queue is untouched on failure. */
int queue_init(struct queue *queue, size_t size);
void queue_fini(struct queue *queue);

/* Writer's side. false if there is no room now: nothing was put. *was_empty says
 * whether the reader may be asleep. A record longer than a quarter of the queue never fits. */
bool queue_put(struct queue *queue, uint8_t tag, const void *bytes, size_t len, bool *was_empty);

/* Reader's side. Copies the oldest record (cut to room) and removes it; false if there is none. */
bool queue_take(struct queue *queue, uint8_t *tag, void *bytes, size_t room, size_t *len);

bool queue_is_empty(const struct queue *queue);
