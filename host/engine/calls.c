/* SPDX-License-Identifier: MIT */
/* Remembers what worker 1's script did to the world. */
#include "host/engine/calls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/outfile.h"

struct calls {
	pthread_mutex_t lock; /* of the list; an entry never changes */
	struct call **list;
	size_t count, room;
	unsigned others;
};

struct calls *calls_new(unsigned others)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return NULL;
	pthread_mutex_init(&calls->lock, NULL);
	calls->others = others;
	return calls;
}

static void call_free(struct call *call)
{
	if (!call)
		return;
	free(call->what);
	free(call->results);
	free(call);
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	for (size_t i = 0; i < calls->count; i++) {
		if (calls->list[i]->file)
			outfile_free(calls->list[i]->file);
		call_free(calls->list[i]);
	}
	free(calls->list);
	pthread_mutex_destroy(&calls->lock);
	free(calls);
}

static char *bytes_copy(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, bytes, len);
		copy[len] = '\0';
	}
	return copy;
}

static struct call *call_copy(const struct call *from)
{
	struct call *call = malloc(sizeof(*call));

	if (!call)
		return NULL;
	*call = *from;
	call->what = bytes_copy(from->what, from->what_len);
	call->results = bytes_copy(from->results, from->results_len);
	if (call->what && call->results)
		return call;
	call_free(call);
	return NULL;
}

static int room_make(struct calls *calls)
{
	size_t room = calls->room ? calls->room * 2 : 16;

	if (calls->count < calls->room)
		return 0;
	struct call **list = realloc(calls->list, room * sizeof(struct call *));

	if (!list)
		return -ENOMEM;
	calls->list = list;
	calls->room = room;
	return 0;
}

int calls_add(struct calls *calls, const struct call *call)
{
	struct call *copy = call_copy(call);

	if (!copy)
		return -ENOMEM;
	pthread_mutex_lock(&calls->lock);
	int error = room_make(calls);

	if (!error && copy->file)
		outfile_share(copy->file, calls->others);
	if (!error)
		calls->list[calls->count++] = copy;
	pthread_mutex_unlock(&calls->lock);
	if (error)
		call_free(copy);
	return error;
}

const struct call *calls_get(struct calls *calls, size_t n)
{
	const struct call *call = NULL;

	pthread_mutex_lock(&calls->lock);
	if (n < calls->count)
		call = calls->list[n];
	pthread_mutex_unlock(&calls->lock);
	return call;
}

void calls_empty(struct calls *calls, const char *path)
{
	struct stat emptied;

	if (stat(path, &emptied))
		return;
	pthread_mutex_lock(&calls->lock);
	for (size_t i = 0; i < calls->count; i++) {
		if (calls->list[i]->file)
			outfile_empty(calls->list[i]->file, &emptied);
	}
	pthread_mutex_unlock(&calls->lock);
}
