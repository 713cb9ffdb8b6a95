/* SPDX-License-Identifier: MIT */
/* What all kinds of ports share. */
#include "host/port/port.h"

#include <errno.h>
#include <string.h>

#include "host/packet/segment.h"
#include "host/packet/wire.h"

struct packet *port_unspill(struct port *port, struct packet *p, const uint8_t *spill, size_t len)
{
	size_t first = packet_tailroom(p);
	struct packet *big = pool_take(port->pool, len);

	if (big) {
		memcpy(packet_put(big, first), p->data, first);
		memcpy(packet_put(big, len - first), spill, len - first);
	} else {
		counter_add(&port->counters.rx_dropped, 1);
	}
	packet_free(p);
	return big;
}

/* Bytes of a frame's link header: tags do not count against the MTU, two of them at most. */
static size_t link_header(const struct packet *p)
{
	size_t len = ETH_HEADER;
	const uint8_t *type;

	for (unsigned tags = 0; tags < 2; tags++) {
		type = packet_at(p, len - 2, 2);
		if (!type ||
			(load_be16(type) != ETH_TYPE_8021Q && load_be16(type) != ETH_TYPE_8021AD))
			break;
		len += VLAN_HEADER;
	}
	return len;
}

/* Of a packet that is many the longest of them; of what only the kernel can judge nothing. */
static size_t length_of(const struct port *port, const struct packet *p)
{
	struct segments segments;

	if (!port->takes_gso || !p->gso.type)
		return packet_length(p);
	if (!segments_start(&segments, p))
		return 0;
	size_t longest = segments_longest(&segments);

	return longest < packet_length(p) ? longest : packet_length(p);
}

/* The kernel would take more by a tun or tap, and over AF_XDP. */
bool port_is_too_long(const struct port *port, const struct packet *p)
{
	size_t len = length_of(port, p);

	if (len <= port->mtu)
		return false;
	return len - (port->first == LAYER_eth ? link_header(p) : 0) > port->mtu;
}

bool port_can_send(struct port *port, struct packet *p)
{
	bool fits = !port_is_too_long(port, p);

	if (port->is_open && fits)
		return true;
	port_tx_drop(port, port->is_open ? TX_DROP_too_long : TX_DROP_gone);
	packet_free(p);
	return false;
}

void port_enqueue(struct port *port, struct packet *p)
{
	port->tx[port->tx_count++] = p;
	if (port->tx_count == PORT_BURST)
		port->ops->flush(port);
}

void port_send(struct port *port, struct packet *p)
{
	if (port_can_send(port, p))
		port_enqueue(port, p);
}

void port_refused(struct port *port, int error)
{
	switch (error) {
	case EAGAIN:
	case ENOBUFS: /* also: the peer of a veth is down */
	case ENOMEM:
		port_tx_drop(port, TX_DROP_full);
		return;
	case EIO:
	case ENETDOWN:
		port_tx_drop(port, TX_DROP_down);
		return;
	case EMSGSIZE:
		port_tx_drop(port, TX_DROP_too_long);
		return;
	case EBADFD: /* a tun whose device or namespace is gone */
		port->is_gone = true;
		port_tx_drop(port, TX_DROP_gone);
		return;
	case ENXIO:
	case ENODEV:
		port_tx_drop(port, TX_DROP_gone);
		return;
	default:
		port_tx_drop(port, TX_DROP_refused);
	}
}

void port_flush(struct port *port, int (*write_one)(struct port *port, struct packet *p))
{
	for (unsigned i = 0; i < port->tx_count; i++) {
		struct packet *p = port->tx[i];
		size_t len = packet_length(p);
		int error = write_one(port, p);

		if (error)
			port_refused(port, error);
		else
			port_tx_count(port, len);
		packet_free(p);
	}
	port->tx_count = 0;
}

const char *tx_drop_name(enum tx_drop_reason reason)
{
	static const char *const names[] = {
#define TX_DROP(name, doc) [TX_DROP_##name] = #name,
#include "host/port/tx_drops.def"
#undef TX_DROP
	};

	return names[reason];
}

uint64_t port_tx_dropped(const struct port *port)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TX_DROP_COUNT; i++)
		sum += counter_get(&port->counters.tx_drop[i]);
	return sum;
}
