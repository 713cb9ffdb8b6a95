/* SPDX-License-Identifier: MIT */
/* Receives the packet that it is fed; counts what it sends, and lets it go. */
#include "host/port/memory.h"

#include <stdlib.h>

struct memory {
	struct port port;
	struct packet *next; /* NULL: nothing to receive */
};

static int memory_open_queue(struct port *port, int fd)
{
	(void)port;
	(void)fd;
	return 0;
}

static unsigned memory_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	struct memory *memory = (struct memory *)port;
	struct packet *p = memory->next;

	if (!p || !max)
		return 0;
	memory->next = NULL;
	port_received(port, p, now);
	burst[0] = p;
	return 1;
}

static void memory_send(struct port *port, struct packet *p)
{
	size_t len = packet_length(p);

	if (port_is_too_long(port, p))
		port_tx_drop(port, TX_DROP_too_long);
	else
		port_tx_count(port, len);
	packet_free(p);
}

static void memory_flush(struct port *port)
{
	(void)port;
}

static int memory_poll_fd(const struct port *port)
{
	(void)port;
	return -1;
}

static void memory_close(struct port *port)
{
	struct memory *memory = (struct memory *)port;

	if (memory->next)
		packet_free(memory->next);
	memory->next = NULL;
}

bool memory_port_is(const struct port *port)
{
	return port->ops->recv == memory_recv;
}

void memory_port_feed(struct port *port, struct packet *p)
{
	struct memory *memory = (struct memory *)port;

	assert(!memory->next);
	memory->next = p;
}

static const struct port_ops memory_ops = {
	.open_queue = memory_open_queue,
	.recv = memory_recv,
	.send = memory_send,
	.flush = memory_flush,
	.poll_fd = memory_poll_fd,
	.close = memory_close,
};

struct port *memory_port_new(const char *kind, enum layer_id first)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	memory->port.ops = &memory_ops;
	memory->port.kind = kind;
	memory->port.first = (uint8_t)first;
	memory->port.mtu = 65535;
	return &memory->port;
}
