/* SPDX-License-Identifier: MIT */
/* Lets one worker at a time put its packets into a file. */
#include "host/engine/outfile.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct outfile {
	pthread_mutex_t lock; /* of all below: interfaces are numbered by who comes first */
	struct pcapng *file;  /* NULL: closed, or emptied */
	unsigned writers;     /* that have not closed it */
	bool is_shared;
	dev_t dev;
	ino_t ino; /* 0: nothing that can be emptied */
};

int outfile_open(struct outfile **out, const char *path, struct refusal *why)
{
	struct outfile *file = calloc(1, sizeof(*file));
	struct stat now;

	if (!file)
		return refuse(why, ENOMEM, "%s: out of memory", path);
	int error = pcapng_open(&file->file, path, why);

	if (error) {
		free(file);
		return error;
	}
	if (!stat(path, &now) && S_ISREG(now.st_mode)) {
		file->dev = now.st_dev;
		file->ino = now.st_ino;
	}
	pthread_mutex_init(&file->lock, NULL);
	file->writers = 1;
	*out = file;
	return 0;
}

void outfile_share(struct outfile *file, unsigned others)
{
	pthread_mutex_lock(&file->lock);
	file->writers += others;
	file->is_shared = true;
	pthread_mutex_unlock(&file->lock);
}

static int packet_append(struct pcapng *file, const char *interface, enum layer_id first,
	const struct pcapng_packet *packet)
{
	struct pcapng_packet numbered = *packet;
	int id, error;

	while ((id = pcapng_interface(file, interface, "", first)) == -EAGAIN)
		pcapng_flush(file, true);
	if (id < 0)
		return id;
	numbered.interface = (unsigned)id;
	while ((error = pcapng_write(file, &numbered)) == -EAGAIN)
		pcapng_flush(file, true);
	return error;
}

int outfile_write(struct outfile *file, const char *interface, enum layer_id first,
	const struct pcapng_packet *packet)
{
	pthread_mutex_lock(&file->lock);
	int error = file->file ? packet_append(file->file, interface, first, packet) : 0;

	pthread_mutex_unlock(&file->lock);
	return error;
}

int outfile_flush(struct outfile *file)
{
	pthread_mutex_lock(&file->lock);
	int error = file->file ? pcapng_flush(file->file, true) : 0;

	pthread_mutex_unlock(&file->lock);
	return error;
}

/* Under the lock. */
static int shut(struct outfile *file)
{
	int error = file->file ? pcapng_close(file->file) : 0;

	file->file = NULL;
	return error;
}

static void outfile_delete(struct outfile *file)
{
	pthread_mutex_destroy(&file->lock);
	free(file);
}

int outfile_close(struct outfile *file)
{
	int error = outfile_flush(file);

	pthread_mutex_lock(&file->lock);
	assert(file->writers);
	bool is_last = --file->writers == 0, is_ours = is_last && !file->is_shared;

	if (is_last)
		error = shut(file);
	pthread_mutex_unlock(&file->lock);
	if (is_ours)
		outfile_delete(file);
	return error;
}

void outfile_empty(struct outfile *file, const struct stat *emptied)
{
	pthread_mutex_lock(&file->lock);
	if (file->ino && file->ino == emptied->st_ino && file->dev == emptied->st_dev)
		shut(file);
	pthread_mutex_unlock(&file->lock);
}

void outfile_free(struct outfile *file)
{
	shut(file);
	outfile_delete(file);
}
