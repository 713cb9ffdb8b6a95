/* SPDX-License-Identifier: MIT */
/* Hands packets from one port to another without a kernel in between. */
#include "host/port/pair.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PAIR_QUEUE = 256 }; /* a power of two */

struct pair {
	struct port port;
	struct pair *far; /* NULL once the other end is closed */
	int fd;		  /* an eventfd that is readable while the queue holds packets */
	unsigned head, tail;
	struct packet *queue[PAIR_QUEUE]; /* what waits to be received here */
};

static struct pair *pair_of(struct port *port)
{
	return (struct pair *)port;
}

/* Neither end knows of the other any more: this one may be freed. */
static void part(struct pair *pair)
{
	if (pair->far)
		pair->far->far = NULL;
	pair->far = NULL;
}

static int pair_open_queue(struct port *port, int fd)
{
	struct pair *pair = pair_of(port);

	(void)fd;
	pair->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pair->fd >= 0)
		return 0;
	int error = -errno;

	part(pair);
	return error;
}

static unsigned pair_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	struct pair *pair = pair_of(port);
	unsigned count = 0;
	uint64_t woken;

	while (count < max && pair->head != pair->tail) {
		struct packet *p = pair->queue[pair->head++ % PAIR_QUEUE];

		p->written = 0;
		p->wish = 0;
		port_received(port, p, now);
		burst[count++] = p;
	}
	port->has_more = pair->head != pair->tail;
	if (!port->has_more && read(pair->fd, &woken, sizeof(woken)) < 0)
		return count; /* nobody had rung */
	return count;
}

static void wake(const struct pair *pair)
{
	uint64_t one = 1;

	if (write(pair->fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: it is awake */
}

static void pair_send(struct port *port, struct packet *p)
{
	struct pair *far = pair_of(port)->far;
	size_t len = packet_length(p);

	if (!far) {
		port_tx_drop(port, TX_DROP_gone);
	} else if (port_is_too_long(port, p)) {
		port_tx_drop(port, TX_DROP_too_long);
	} else if (far->tail - far->head == PAIR_QUEUE) {
		port_tx_drop(port, TX_DROP_full);
	} else {
		if (far->head == far->tail)
			wake(far);
		far->queue[far->tail++ % PAIR_QUEUE] = p;
		port_tx_count(port, len);
		return;
	}
	packet_free(p);
}

static void pair_flush(struct port *port)
{
	(void)port;
}

static int pair_poll_fd(const struct port *port)
{
	return ((const struct pair *)port)->fd;
}

static void pair_close(struct port *port)
{
	struct pair *pair = pair_of(port);

	while (pair->head != pair->tail)
		packet_free(pair->queue[pair->head++ % PAIR_QUEUE]);
	part(pair);
	if (pair->fd >= 0)
		close(pair->fd);
	pair->fd = -1;
}

static const struct port_ops pair_ops = {
	.open_queue = pair_open_queue,
	.recv = pair_recv,
	.send = pair_send,
	.flush = pair_flush,
	.poll_fd = pair_poll_fd,
	.close = pair_close,
};

bool pair_new(enum layer_id first, struct port **left, struct port **right)
{
	struct pair *ends[2] = { calloc(1, sizeof(struct pair)), calloc(1, sizeof(struct pair)) };

	if (!ends[0] || !ends[1]) {
		free(ends[0]);
		free(ends[1]);
		return false;
	}
	for (unsigned i = 0; i < 2; i++) {
		ends[i]->port.ops = &pair_ops;
		ends[i]->port.kind = "pair";
		ends[i]->port.first = (uint8_t)first;
		ends[i]->port.mtu = 65535;
		ends[i]->port.takes_gso = true;
		ends[i]->fd = -1;
		ends[i]->far = ends[1 - i];
	}
	*left = &ends[0]->port;
	*right = &ends[1]->port;
	return true;
}
