/* SPDX-License-Identifier: MIT */
/* The memory that the kernel puts a packet socket's frames into (packet_mmap, TPACKET_V2). */
#pragma once

#include "host/port/port.h"

struct socket_ring {
	uint8_t *map; /* NULL: none */
	size_t map_bytes;
	unsigned frame_bytes, frames, next;
};

enum ring_frame {
	RING_NONE,	/* no frame has come */
	RING_PACKET,	/* *out is it */
	RING_ELSEWHERE, /* too long for the ring: the socket's own queue has it */
	RING_LOST,	/* counted as rx_dropped */
	RING_NO_SLOT,	/* the pool is empty; the frame waits */
};

/* Makes a ring whose frames hold `room` bytes, if that is not too much. 0 or -errno. */
int socket_ring_open(struct socket_ring *ring, int fd, size_t room);
void socket_ring_close(struct socket_ring *ring);

/* Takes the next frame out of the ring. */
enum ring_frame socket_ring_take(struct socket_ring *ring, struct port *port, struct packet **out);
