/* SPDX-License-Identifier: MIT */
/* A port: our open handle that carries packets, one queue of it, owned by one worker. */
#pragma once

#include <stdbool.h>

#include "host/base/counters.h"
#include "host/packet/packet.h"
#include "host/packet/pool.h"
#include "host/port/io.h"

enum {
	PORT_BURST = 64,
	PORT_NAME = 32,
	PORT_PAUSE_MS =
		10, /* until one that found the pool empty, or was refused, is asked again */
};

enum tx_drop_reason {
#define TX_DROP(name, doc) TX_DROP_##name,
#include "host/port/tx_drops.def"
#undef TX_DROP
	TX_DROP_COUNT
};

/* What passed, in rtnl_link_stats64's words. tx attempts = tx_packets + all of tx_drop. */
struct port_counters {
	struct counter rx_packets, rx_bytes;
	struct counter rx_dropped; /* known to be lost before they could be read whole */
	struct counter tx_packets, tx_bytes;
	struct counter tx_drop[TX_DROP_COUNT];
};

struct port;
struct uring;
struct uring_file;
struct lane; /* the engine's: the port's rules and what was decided */

struct port_ops {
	/* Takes `fd` over, on the thread that will use the port. 0 or -errno (fd not taken). */
	int (*open_queue)(struct port *port, int fd);

	/* Up to `max` packets that have come, with first, time, port set; unparsed. The caller owns
	 * them. 0: nothing now, or the device is gone (is_gone). has_more says whether to ask again
	 * before sleeping, is_starved (which stays until the caller clears it) that the pool had no
	 * slot for what may have come. */
	unsigned (*recv)(struct port *port, struct packet **burst, unsigned max, struct mono now);

	/* Takes the packet, always: it is sent at the latest by flush, or counted as dropped, and
	 * freed to its home. */
	void (*send)(struct port *port, struct packet *p);
	void (*flush)(struct port *port);

	/* What to watch for reading; -1: nothing. */
	int (*poll_fd)(const struct port *port);

	/* Releases all but the struct port's own memory, which is the opener's. */
	void (*close)(struct port *port);
};

struct port {
	const struct port_ops *ops;
	const char *kind;	  /* "tun", "tap", "pair", ... */
	struct pool *pool;	  /* of the worker */
	struct uring *uring;	  /* of the worker; NULL: none */
	struct uring_file *file;  /* the port's place in it */
	struct io_list io_wanted; /* ways to move packets, before it is opened; empty: any */
	enum io io;		  /* the way that was taken */
	struct lane *lane;
	uint32_t mtu;	    /* bytes of the largest IP packet (L3) or frame payload (L2) */
	int ifindex;	    /* 0: no link */
	uint8_t first;	    /* enum layer_id of its packets: LAYER_ip or LAYER_eth */
	uint8_t mac[6];	    /* ours, on L2 ports */
	bool is_gone;	    /* the device was deleted under us */
	bool is_open;	    /* between open_queue and close */
	bool takes_gso;	    /* many segments go out as one packet, if each would fit the MTU */
	uint8_t vnet_bytes; /* of the virtio header before each packet that is read or written */
	bool has_more;	    /* the last recv has left something */
	bool is_starved;    /* a recv found no free slot */
	bool is_ready;	    /* recv has something without asking the kernel */
	unsigned tx_count;
	struct packet *tx[PORT_BURST];
	struct port_counters counters;
	char name[PORT_NAME];
};

/* The longest packet it can send: MTU, and on L2 ports the link header with two tags. */
static inline size_t port_room(const struct port *port)
{
	return port->mtu + (port->first == LAYER_eth ? 14 + 8 : 0);
}

/* Does all that it carries fit a small slot, as far as its MTU says? */
static inline bool port_fits_slot(const struct port *port)
{
	return port_room(port) < POOL_SLOT - PACKET_HEADROOM && !port->vnet_bytes;
}

static inline void port_tx_count(struct port *port, size_t bytes)
{
	counter_add(&port->counters.tx_packets, 1);
	counter_add(&port->counters.tx_bytes, bytes);
}

static inline void port_tx_drop(struct port *port, enum tx_drop_reason reason)
{
	counter_add(&port->counters.tx_drop[reason], 1);
}

/* What recv does with each packet that it has read. */
static inline void port_received(struct port *port, struct packet *p, struct mono now)
{
	p->port = port;
	p->first = port->first;
	p->time = now;
	counter_add(&port->counters.rx_packets, 1);
	counter_add(&port->counters.rx_bytes, packet_length(p));
}

/* How many packets a recv should ask for that comes after one which asked for `asked`, and got
 * `came`: one after a pause, so that a lone packet is not kept waiting, up to a burst. */
static inline unsigned port_batch(unsigned asked, unsigned came, bool has_more)
{
	if (has_more)
		return asked < PORT_BURST / 2 ? 2 * asked : PORT_BURST;
	return came ? came : (asked + 3) / 4;
}

/* A packet longer than p's slot has come, `len` bytes, the rest of it in `spill`: its two parts
 * move together into a big slot. NULL: none is free, it is lost and counted. p is used up. */
struct packet *port_unspill(struct port *port, struct packet *p, const uint8_t *spill, size_t len);

/* Longer than the link's MTU; up to two VLAN tags do not count, nor what takes_gso lets through. */
bool port_is_too_long(const struct port *port, const struct packet *p);

/* Is the port open, and the packet not too long? If not, it is counted and freed. */
bool port_can_send(struct port *port, struct packet *p);

/* Puts a packet that can be sent where flush finds it: in tx. */
void port_enqueue(struct port *port, struct packet *p);

/* `send` of ports that write at the end of a burst. */
void port_send(struct port *port, struct packet *p);

/* `flush` of those: `write_one` gives 0 or a positive errno; it is all counted here. */
void port_flush(struct port *port, int (*write_one)(struct port *port, struct packet *p));

/* Counts a packet that the kernel refused with that errno. */
void port_refused(struct port *port, int error);

const char *tx_drop_name(enum tx_drop_reason reason);

/* All tx drops together. */
uint64_t port_tx_dropped(const struct port *port);
