/* SPDX-License-Identifier: MIT */
/* Takes frames out of a link's receive ring and puts frames into its transmit ring, in the slots
 * where they lie. */
#include "host/port/xdp.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "host/packet/checksum.h"

enum {
	RING = 512,	   /* entries of each ring; so many slots at most are lent for receiving */
	KICKS = 16,	   /* the kernel sends 32 frames a call */
	LOST_EVERY = 1024, /* bursts between two looks at what was lost */
	LOCK_TRIES = 50,   /* 10 ms apart */
};

/* A slot that the kernel has; all NULL: it is ours. */
struct slot {
	struct packet *p;
	bool is_sent; /* or waits for what comes */
};

struct ring {
	void *map;
	size_t bytes;
};

struct xdp {
	struct port port;
	int fd;
	uint8_t *base; /* of the pool's slots: the socket's memory */
	size_t bytes;
	struct slot *slots; /* of the memory, in order */
	unsigned lent;	    /* that receive */
	unsigned bursts;
	unsigned refused; /* of what is yet to be reaped: the device did not take them */
	uint64_t lost;	  /* of which rx_dropped knows */
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completed, rx;
	struct ring rings[4];
};

static struct xdp *xdp_of(struct port *port)
{
	return (struct xdp *)port;
}

static int option_set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_XDP, option, value, len) ? -errno : 0;
}

static int memory_register(struct xdp *xdp)
{
	const int size = RING;
	struct xdp_umem_reg memory = {
		.addr = (uintptr_t)xdp->base, .len = xdp->bytes, .chunk_size = POOL_SLOT
	};
	int error = option_set(xdp->fd, XDP_UMEM_REG, &memory, sizeof(memory));

	/* Too much is locked by the processes of this user: by one that has just ended, until the
	 * kernel gets to it. */
	for (unsigned i = 0; error == -ENOBUFS && i < LOCK_TRIES; i++) {
		usleep(10000);
		error = option_set(xdp->fd, XDP_UMEM_REG, &memory, sizeof(memory));
	}
	if (!error)
		error = option_set(xdp->fd, XDP_UMEM_FILL_RING, &size, sizeof(size));
	if (!error)
		error = option_set(xdp->fd, XDP_UMEM_COMPLETION_RING, &size, sizeof(size));
	if (!error)
		error = option_set(xdp->fd, XDP_RX_RING, &size, sizeof(size));
	if (!error)
		error = option_set(xdp->fd, XDP_TX_RING, &size, sizeof(size));
	return error;
}

/* Maps a ring and gives its parts; entry: bytes of an entry. NULL: -errno in *error. */
static uint8_t *ring_map(struct xdp *xdp, unsigned i, const struct xdp_ring_offset *at,
	size_t entry, off_t where, int *error)
{
	struct ring *ring = &xdp->rings[i];

	ring->bytes = at->desc + RING * entry;
	ring->map = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		xdp->fd, where);
	if (ring->map != MAP_FAILED)
		return ring->map;
	ring->map = NULL;
	*error = -errno;
	return NULL;
}

static struct xsk_ring_cons consumed(uint8_t *map, const struct xdp_ring_offset *at)
{
	return (struct xsk_ring_cons){ .mask = RING - 1,
		.size = RING,
		.producer = (uint32_t *)(map + at->producer),
		.consumer = (uint32_t *)(map + at->consumer),
		.flags = (uint32_t *)(map + at->flags),
		.ring = map + at->desc };
}

/* What is cached of its consumer is one ring ahead. */
static struct xsk_ring_prod produced(uint8_t *map, const struct xdp_ring_offset *at)
{
	return (struct xsk_ring_prod){ .mask = RING - 1,
		.size = RING,
		.producer = (uint32_t *)(map + at->producer),
		.consumer = (uint32_t *)(map + at->consumer),
		.flags = (uint32_t *)(map + at->flags),
		.ring = map + at->desc,
		.cached_cons = RING };
}

static int rings_map(struct xdp *xdp)
{
	struct xdp_mmap_offsets at;
	socklen_t len = sizeof(at);
	int error = 0;

	if (getsockopt(xdp->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &len))
		return -errno;
	uint8_t *fill =
		ring_map(xdp, 0, &at.fr, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING, &error);
	uint8_t *completed =
		ring_map(xdp, 1, &at.cr, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING, &error);
	uint8_t *rx = ring_map(xdp, 2, &at.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING, &error);
	uint8_t *tx = ring_map(xdp, 3, &at.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING, &error);

	if (error)
		return error;
	xdp->fill = produced(fill, &at.fr);
	xdp->completed = consumed(completed, &at.cr);
	xdp->rx = consumed(rx, &at.rx);
	xdp->tx = produced(tx, &at.tx);
	return 0;
}

static void rings_unmap(struct xdp *xdp)
{
	for (unsigned i = 0; i < 4; i++) {
		if (xdp->rings[i].map)
			munmap(xdp->rings[i].map, xdp->rings[i].bytes);
		xdp->rings[i].map = NULL;
	}
}

static uint64_t address(const struct xdp *xdp, const uint8_t *bytes)
{
	return (uint64_t)(bytes - xdp->base);
}

static bool is_in_memory(const struct xdp *xdp, const struct packet *p)
{
	return p->head >= xdp->base && p->head < xdp->base + xdp->bytes;
}

static void slot_give(struct xdp *xdp, struct packet *p, bool is_sent)
{
	xdp->slots[address(xdp, p->head) / POOL_SLOT] = (struct slot){ p, is_sent };
}

/* Gives a slot that the kernel is done with its packet back. */
static struct packet *slot_take(struct xdp *xdp, uint64_t addr)
{
	struct slot *slot = &xdp->slots[addr / POOL_SLOT];
	struct packet *p = slot->p;

	slot->p = NULL;
	return p;
}

/* Lends free slots to the kernel, which writes what comes into them. */
static void fill(struct xdp *xdp)
{
	uint32_t at;

	while (xdp->lent < RING / 2) {
		struct packet *p = pool_take(xdp->port.pool, 0);

		if (!p)
			return;
		if (!is_in_memory(xdp, p) || !xsk_ring_prod__reserve(&xdp->fill, 1, &at)) {
			packet_free(p);
			return;
		}
		*xsk_ring_prod__fill_addr(&xdp->fill, at) = address(xdp, p->head);
		slot_give(xdp, p, false);
		xsk_ring_prod__submit(&xdp->fill, 1);
		xdp->lent++;
	}
}

/* What the kernel had comes home: it has let go of the memory, or has never had it. */
static void give_back(struct xdp *xdp)
{
	rings_unmap(xdp);
	for (unsigned i = 0; xdp->slots && i < xdp->bytes / POOL_SLOT; i++) {
		if (!xdp->slots[i].p)
			continue;
		if (xdp->slots[i].is_sent)
			port_tx_drop(&xdp->port, TX_DROP_gone);
		packet_free(xdp->slots[i].p);
	}
	free(xdp->slots);
	xdp->slots = NULL;
}

static int bind_to_queue(struct xdp *xdp)
{
	struct sockaddr_xdp to = { .sxdp_family = AF_XDP,
		.sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
		.sxdp_ifindex = (uint32_t)xdp->port.ifindex };

	return bind(xdp->fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

static int xdp_open_queue(struct port *port, int fd)
{
	struct xdp *xdp = xdp_of(port);

	xdp->fd = fd;
	xdp->base = pool_slots(port->pool, &xdp->bytes);
	xdp->slots = calloc(xdp->bytes / POOL_SLOT, sizeof(*xdp->slots));
	int error = xdp->slots ? memory_register(xdp) : -ENOMEM;

	if (!error)
		error = rings_map(xdp);
	if (!error) {
		fill(xdp);
		error = bind_to_queue(xdp);
	}
	if (error) {
		give_back(xdp);
		return error;
	}
	port->is_open = true;
	port->io = IO_xdp;
	return 0;
}

/* Frames that found no slot or no room: the kernel counts them. */
static void lost_count(struct xdp *xdp)
{
	struct xdp_statistics stats = { 0 };
	socklen_t len = sizeof(stats);

	if (getsockopt(xdp->fd, SOL_XDP, XDP_STATISTICS, &stats, &len))
		return;
	/* What found no slot is in rx_dropped too, beside rx_fill_ring_empty_descs. */
	uint64_t lost = stats.rx_dropped + stats.rx_ring_full;

	counter_add(&xdp->port.counters.rx_dropped, lost - xdp->lost);
	xdp->lost = lost;
}

static unsigned xdp_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	struct xdp *xdp = xdp_of(port);
	uint32_t at;
	unsigned count = xsk_ring_cons__peek(&xdp->rx, max, &at);

	for (unsigned i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&xdp->rx, at + i);
		struct packet *p = slot_take(xdp, desc->addr);

		p->data = xdp->base + desc->addr;
		p->tail = p->data + desc->len;
		port_received(port, p, now);
		burst[i] = p;
	}
	if (count)
		xsk_ring_cons__release(&xdp->rx, count);
	xdp->lent -= count;
	fill(xdp);
	if (++xdp->bursts % LOST_EVERY == 0)
		lost_count(xdp);
	port->has_more = count == max;
	return count;
}

/* What has been sent comes home. */
static void reap(struct xdp *xdp)
{
	uint32_t at;
	unsigned count = xsk_ring_cons__peek(&xdp->completed, RING, &at);

	for (unsigned i = 0; i < count; i++) {
		uint64_t addr = *xsk_ring_cons__comp_addr(&xdp->completed, at + i);
		struct packet *p = slot_take(xdp, addr);

		if (xdp->refused && xdp->refused--)
			port_tx_drop(&xdp->port, TX_DROP_refused);
		else
			port_tx_count(&xdp->port, packet_length(p));
		packet_free(p);
	}
	if (count)
		xsk_ring_cons__release(&xdp->completed, count);
}

/* A packet that does not lie in the socket's memory is copied there. NULL: no slot is free. */
static struct packet *placed(struct xdp *xdp, struct packet *p)
{
	size_t len = packet_length(p);

	if (is_in_memory(xdp, p))
		return p;
	struct packet *copy =
		len <= POOL_SLOT - PACKET_HEADROOM ? pool_take(xdp->port.pool, len) : NULL;

	if (copy && is_in_memory(xdp, copy)) {
		memcpy(packet_put(copy, len), p->data, len);
	} else if (copy) {
		packet_free(copy);
		copy = NULL;
	}
	packet_free(p);
	return copy;
}

static void queue(struct xdp *xdp, struct packet *p)
{
	uint32_t at;

	if (p->csum.state == CSUM_PARTIAL)
		checksum_complete(p);
	p = placed(xdp, p);
	if (!p || !xsk_ring_prod__reserve(&xdp->tx, 1, &at)) {
		port_tx_drop(&xdp->port, TX_DROP_full);
		if (p)
			packet_free(p);
		return;
	}
	*xsk_ring_prod__tx_desc(&xdp->tx, at) = (struct xdp_desc){ .addr = address(xdp, p->data),
		.len = (uint32_t)packet_length(p) };
	slot_give(xdp, p, true);
	xsk_ring_prod__submit(&xdp->tx, 1);
}

/* What the kernel has not taken comes home: it looks at the ring in our own calls only. */
static void take_back(struct xdp *xdp, int error)
{
	struct xsk_ring_prod *tx = &xdp->tx;
	uint32_t at = __atomic_load_n(tx->consumer, __ATOMIC_ACQUIRE);

	for (uint32_t i = at; i != tx->cached_prod; i++) {
		packet_free(slot_take(xdp, xsk_ring_prod__tx_desc(tx, i)->addr));
		port_refused(&xdp->port, error);
	}
	tx->cached_prod = at;
	__atomic_store_n(tx->producer, at, __ATOMIC_RELEASE);
}

/* Has the kernel send what is in the ring. EAGAIN: it has sent as many as it does at a time. EBUSY:
 * the device did not take one, as without a carrier, which is gone. */
static void kick(struct xdp *xdp)
{
	for (unsigned i = 0; i < KICKS + xdp->refused; i++) {
		if (sendto(xdp->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
			return;
		if (errno == EBUSY) {
			xdp->refused++;
		} else if (errno != EAGAIN) {
			take_back(xdp, errno);
			return;
		}
	}
}

static void xdp_flush(struct port *port)
{
	struct xdp *xdp = xdp_of(port);

	if (!port->is_open)
		return;
	reap(xdp);
	for (unsigned i = 0; i < port->tx_count; i++)
		queue(xdp, port->tx[i]);
	if (port->tx_count)
		kick(xdp);
	port->tx_count = 0;
	reap(xdp);
}

static int xdp_poll_fd(const struct port *port)
{
	return ((const struct xdp *)port)->fd;
}

/* The kernel lets go of the memory with the descriptor; then what it had comes home. */
static void xdp_close(struct port *port)
{
	struct xdp *xdp = xdp_of(port);

	if (!port->is_open)
		return;
	xdp_flush(port);
	lost_count(xdp);
	port->is_open = false;
	close(xdp->fd);
	xdp->fd = -1;
	give_back(xdp);
}

static const struct port_ops xdp_ops = {
	.open_queue = xdp_open_queue,
	.recv = xdp_recv,
	.send = port_send,
	.flush = xdp_flush,
	.poll_fd = xdp_poll_fd,
	.close = xdp_close,
};

struct port *xdp_port_new(void)
{
	struct xdp *xdp = calloc(1, sizeof(*xdp));

	if (!xdp)
		return NULL;
	xdp->fd = -1;
	xdp->port.ops = &xdp_ops;
	xdp->port.kind = "socket";
	xdp->port.first = LAYER_eth;
	xdp->port.mtu = 1500;
	return &xdp->port;
}
