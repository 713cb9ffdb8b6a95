/* SPDX-License-Identifier: MIT */
/* Reads the frames that come in by a link, and sends frames out by it. */
#include "host/port/socket.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/port/mmsg.h"
#include "host/port/socket_ring.h"

enum {
	RECEIVE_BYTES = 4 * 1024 * 1024, /* a queue that holds some segments of 64 KiB */
	LOSSES_EVERY = 16,		 /* bursts */
	IN_VAIN = 64,
};

struct packet_socket {
	struct port port;
	int fd;
	struct mmsg *mmsg;	 /* NULL: closed */
	struct socket_ring ring; /* without map: not over a ring */
	unsigned bursts;	 /* large ones, since losses were asked for */
	unsigned in_vain;	 /* recv found nothing */
};

static int option_set(int fd, int option)
{
	int one = 1;

	return setsockopt(fd, SOL_PACKET, option, &one, sizeof(one));
}

/* From bind to its group a socket would be given frames that another member has too. */
static int filter_all(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &nothing };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int group_join(int fd, int group)
{
	int type =
		PACKET_FANOUT_HASH | (group == SOCKET_NEW_GROUP ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
	int value = type << 16 | (group == SOCKET_NEW_GROUP ? 0 : group);

	if (group == SOCKET_ALONE)
		return 0;
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)))
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof(value));
}

int socket_group(int fd)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, &len) ? -errno : value & 0xffff;
}

/* The limit of the machine does not bind who may change the network. */
static void queue_widen(int fd)
{
	int bytes = RECEIVE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int socket_open(int ifindex, const char *name, int group, struct refusal *why)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL), .sll_ifindex = ifindex
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 && (errno == EPERM || errno == EACCES))
		return refuse(why, errno,
			"%s: cannot open a packet socket: it needs CAP_NET_RAW (run it as root, or "
			"with --sandbox)",
			name);
	if (fd >= 0)
		queue_widen(fd);
	/* The options first: what is bound receives at once. */
	if (fd < 0 || option_set(fd, PACKET_VNET_HDR) || option_set(fd, PACKET_AUXDATA) ||
		option_set(fd, PACKET_IGNORE_OUTGOING) ||
		(group != SOCKET_ALONE && filter_all(fd)) ||
		bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || group_join(fd, group)) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return refuse(
			why, error, "%s: cannot open a packet socket: %s", name, strerror(error));
	}
	return fd;
}

int socket_promisc(int fd, int ifindex)
{
	struct packet_mreq mreq = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) ? -errno : 0;
}

static struct packet_socket *socket_of(struct port *port)
{
	return (struct packet_socket *)port;
}

static int ring_try(struct packet_socket *socket, int fd)
{
	struct port *port = &socket->port;
	int error = socket_ring_open(&socket->ring, fd, port_room(port));

	if (error)
		log_line(LOG_LEVEL_DEBUG, "%s: ring: %s; it goes without", port->name,
			strerror(-error));
	return error;
}

static int socket_open_queue(struct port *port, int fd)
{
	struct io_list order = io_order(&port->io_wanted, IO_SOCKET);
	struct packet_socket *socket = socket_of(port);

	socket->mmsg = mmsg_new();
	if (!socket->mmsg)
		return -ENOMEM;
	for (unsigned i = 0; i < order.count && !port->io; i++) {
		if (order.io[i] == IO_xdp)
			continue; /* it was tried before, and is no packet socket */
		if (order.io[i] != IO_ring || !ring_try(socket, fd))
			port->io = order.io[i];
	}
	socket->fd = fd;
	port->is_open = true;
	return 0;
}

/* Takes what has come, from the ring; frames that are too long for it from the queue, in order. */
static unsigned ring_recv(struct packet_socket *socket, struct packet **burst, unsigned max)
{
	struct port *port = &socket->port;
	unsigned count = 0;

	while (count < max) {
		switch (socket_ring_take(&socket->ring, port, &burst[count])) {
		case RING_PACKET:
			count++;
			break;
		case RING_ELSEWHERE:
			count += mmsg_recv(socket->mmsg, port, socket->fd, burst + count, 1);
			break;
		case RING_LOST:
			break;
		case RING_NO_SLOT:
			port->is_starved = true;
			port->has_more = false;
			return count;
		case RING_NONE:
			port->has_more = false;
			return count;
		}
	}
	port->has_more = true;
	return count;
}

/* Asking takes the count back to 0. */
static void losses_count(struct packet_socket *socket)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	if (!getsockopt(socket->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
		counter_add(&socket->port.counters.rx_dropped, stats.tp_drops);
}

/* What overruns a socket does so while we are behind: so we ask when we have caught up, and now and
 * then in between. */
static void losses_look(struct packet_socket *socket, unsigned count)
{
	if (count >= PORT_BURST / 2)
		socket->bursts++;
	if (!socket->bursts || (socket->port.has_more && socket->bursts < LOSSES_EVERY))
		return;
	losses_count(socket);
	socket->bursts = 0;
}

/* Woken, but not by a frame: an error, like that of a link that went down, is told for ever until
 * somebody asks for it. A ring has nobody else who does. */
static void error_forget(struct packet_socket *socket)
{
	socklen_t len = sizeof(int);
	int error;

	if (++socket->in_vain % IN_VAIN == 0)
		getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

static unsigned socket_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	struct packet_socket *socket = socket_of(port);
	unsigned count = socket->ring.map ? ring_recv(socket, burst, max)
					  : mmsg_recv(socket->mmsg, port, socket->fd, burst, max);

	for (unsigned i = 0; i < count; i++)
		port_received(port, burst[i], now);
	losses_look(socket, count);
	if (!count && socket->ring.map)
		error_forget(socket);
	return count;
}

static void socket_flush(struct port *port)
{
	if (port->tx_count)
		mmsg_flush(socket_of(port)->mmsg, port, socket_of(port)->fd);
}

static int socket_poll_fd(const struct port *port)
{
	return ((const struct packet_socket *)port)->fd;
}

static void socket_close(struct port *port)
{
	struct packet_socket *socket = socket_of(port);

	socket_flush(port);
	if (port->is_open)
		losses_count(socket);
	port->is_open = false;
	socket_ring_close(&socket->ring);
	mmsg_free(socket->mmsg);
	socket->mmsg = NULL;
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
}

static const struct port_ops socket_ops = {
	.open_queue = socket_open_queue,
	.recv = socket_recv,
	.send = port_send,
	.flush = socket_flush,
	.poll_fd = socket_poll_fd,
	.close = socket_close,
};

struct port *socket_port_new(void)
{
	struct packet_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	socket->fd = -1;
	socket->port.ops = &socket_ops;
	socket->port.kind = "socket";
	socket->port.takes_gso = true;
	socket->port.first = LAYER_eth;
	socket->port.mtu = 1500;
	return &socket->port;
}
