/* SPDX-License-Identifier: MIT */
/* Carries printed lines from a worker to the thread that may wait for a terminal. */
#include "host/base/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct record {
	uint32_t len;
	uint8_t tag;
};

int queue_init(struct queue *queue, size_t size)
{
	uint8_t *bytes = malloc(size);

	if (!bytes)
		return -ENOMEM;
	queue->bytes = bytes;
	queue->size = size;
	atomic_init(&queue->written, 0);
	atomic_init(&queue->taken, 0);
	return 0;
}

void queue_fini(struct queue *queue)
{
	free(queue->bytes);
	queue->bytes = NULL;
}

static void copy_in(struct queue *queue, size_t at, const void *bytes, size_t len)
{
	size_t start = at & (queue->size - 1);
	size_t first = len < queue->size - start ? len : queue->size - start;

	memcpy(queue->bytes + start, bytes, first);
	memcpy(queue->bytes, (const uint8_t *)bytes + first, len - first);
}

static void copy_out(const struct queue *queue, size_t at, void *bytes, size_t len)
{
	size_t start = at & (queue->size - 1);
	size_t first = len < queue->size - start ? len : queue->size - start;

	memcpy(bytes, queue->bytes + start, first);
	memcpy((uint8_t *)bytes + first, queue->bytes, len - first);
}

bool queue_put(struct queue *queue, uint8_t tag, const void *bytes, size_t len, bool *was_empty)
{
	size_t written = atomic_load_explicit(&queue->written, memory_order_relaxed);
	size_t taken = atomic_load_explicit(&queue->taken, memory_order_acquire);
	struct record record;

	if (len > queue->size / 4 || queue->size - (written - taken) < sizeof(record) + len)
		return false;
	memset(&record, 0, sizeof(record));
	record.len = (uint32_t)len;
	record.tag = tag;
	copy_in(queue, written, &record, sizeof(record));
	copy_in(queue, written + sizeof(record), bytes, len);
	atomic_store_explicit(
		&queue->written, written + sizeof(record) + len, memory_order_seq_cst);
	*was_empty = atomic_load_explicit(&queue->taken, memory_order_seq_cst) == written;
	return true;
}

bool queue_take(struct queue *queue, uint8_t *tag, void *bytes, size_t room, size_t *len)
{
	size_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
	struct record record;

	if (atomic_load_explicit(&queue->written, memory_order_seq_cst) == taken)
		return false;
	copy_out(queue, taken, &record, sizeof(record));
	*tag = record.tag;
	*len = record.len < room ? record.len : room;
	copy_out(queue, taken + sizeof(record), bytes, *len);
	atomic_store_explicit(
		&queue->taken, taken + sizeof(record) + record.len, memory_order_seq_cst);
	return true;
}

bool queue_is_empty(const struct queue *queue)
{
	return atomic_load_explicit(&queue->written, memory_order_seq_cst) ==
	       atomic_load_explicit(&queue->taken, memory_order_seq_cst);
}
