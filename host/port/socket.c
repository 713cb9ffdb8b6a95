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
#include <sys/uio.h>
#include <unistd.h>

#include "host/packet/wire.h"
#include "host/port/vnet.h"

enum { SPILL = POOL_BIG_SLOT - PACKET_HEADROOM };

struct packet_socket {
	struct port port;
	int fd;
	uint8_t *spill;
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

static int socket_open_queue(struct port *port, int fd)
{
	uint8_t *spill = malloc(SPILL);

	if (!spill)
		return -ENOMEM;
	socket_of(port)->spill = spill;
	socket_of(port)->fd = fd;
	port->is_open = true;
	return 0;
}

/* The tag that the kernel took off goes back in: fields are read where they lie. */
static void tag_restore(struct packet *p, const struct tpacket_auxdata *aux)
{
	uint16_t tpid =
		aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_TYPE_8021Q;

	if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || !packet_push(p, VLAN_HEADER))
		return;
	const size_t macs = 2 * (size_t)MAC_BYTES;

	memmove(p->data, p->data + VLAN_HEADER, macs);
	store_be16(p->data + macs, tpid);
	store_be16(p->data + macs + 2, aux->tp_vlan_tci);
	if (p->csum.state == CSUM_PARTIAL)
		p->csum.start += VLAN_HEADER;
}

static void aux_take(struct packet *p, struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		struct tpacket_auxdata aux;

		if (cmsg->cmsg_level != SOL_PACKET || cmsg->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(cmsg), sizeof(aux));
		tag_restore(p, &aux);
	}
}

static struct packet *socket_read(struct packet_socket *socket)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct packet *p = pool_take(socket->port.pool, 0);
	struct virtio_net_hdr vnet;

	if (!p)
		return NULL;
	struct iovec parts[] = { { &vnet, sizeof(vnet) }, { p->data, packet_tailroom(p) },
		{ socket->spill, SPILL } };
	struct msghdr msg = { .msg_iov = parts,
		.msg_iovlen = 3,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(socket->fd, &msg, 0);

	if (n < (ssize_t)sizeof(vnet)) {
		packet_free(p);
		return NULL;
	}
	size_t len = (size_t)n - sizeof(vnet);

	if (len > packet_tailroom(p))
		p = port_unspill(&socket->port, p, socket->spill, len);
	else
		packet_put(p, len);
	if (p) {
		vnet_to_packet(p, &vnet);
		aux_take(p, &msg);
	}
	return p;
}

static unsigned socket_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	unsigned count = 0;

	while (count < max) {
		struct packet *p = socket_read(socket_of(port));

		if (!p)
			break;
		port_received(port, p, now);
		burst[count++] = p;
	}
	port->has_more = count == max;
	return count;
}

static int socket_write(struct port *port, struct packet *p)
{
	struct virtio_net_hdr vnet;
	struct iovec parts[] = { { &vnet, sizeof(vnet) }, { p->data, packet_length(p) } };

	vnet_from_packet(p, &vnet);
	return writev(socket_of(port)->fd, parts, 2) < 0 ? errno : 0;
}

static void socket_flush(struct port *port)
{
	port_flush(port, socket_write);
}

static int socket_poll_fd(const struct port *port)
{
	return ((const struct packet_socket *)port)->fd;
}

static void socket_close(struct port *port)
{
	struct packet_socket *socket = socket_of(port);

	socket_flush(port);
	port->is_open = false;
	free(socket->spill);
	socket->spill = NULL;
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
