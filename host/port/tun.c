/* SPDX-License-Identifier: MIT */
/* Reads packets that the kernel routes into a tun or tap device, and writes packets into it. */
#include "host/port/tun.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/port/uring.h"
#include "host/port/vnet.h"

enum {
	SPILL = POOL_BIG_SLOT - PACKET_HEADROOM, /* what does not fit a small slot lands here */
	/* Teardown of the last owner is asynchronous. Of one that was killed it was seen to take
	 * 0.34 seconds on a busy machine: wait up to two. */
	BUSY_TRIES = 200,
};

struct tun {
	struct port port;
	int fd;
	uint8_t *spill;
};

static int device_refused(const char *name, int error, bool has_queues, struct refusal *why)
{
	switch (error) {
	case EPERM:
		return refuse(why, error,
			"%s: not permitted: it needs CAP_NET_ADMIN (run it as root, or with "
			"--sandbox)",
			name);
	case EBUSY:
		return refuse(why, error,
			"%s: the name is in use by another device or process (choose another name, "
			"or "
			"see who has it: ip -d link show %s)",
			name, name);
	case EINVAL:
		return refuse(why, error,
			"%s: exists and is a device of another kind%s (choose another name)", name,
			has_queues ? ", or has one queue only" : "");
	default:
		return refuse(why, error, "%s: cannot make the device: %s", name, strerror(error));
	}
}

static int node_refused(int error, struct refusal *why)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return refuse(why, error,
			"/dev/net/tun: %s (as root: modprobe tun; mkdir -p /dev/net; "
			"mknod -m 0666 /dev/net/tun c 10 200)",
			strerror(error));
	case EACCES:
	case EPERM:
		return refuse(why, error,
			"/dev/net/tun: %s (as root: chmod 0666 /dev/net/tun; what it may do is "
			"still "
			"decided by CAP_NET_ADMIN)",
			strerror(error));
	default:
		return refuse(why, error, "/dev/net/tun: %s", strerror(error));
	}
}

static bool is_tun_or_tap(const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(ifr.ifr_name, name, strlen(name));
	bool is_tun = fd >= 0 && !ioctl(fd, SIOCETHTOOL, &ifr) && !strcmp(info.driver, "tun");

	if (fd >= 0)
		close(fd);
	return is_tun;
}

/* May the name become free by itself? EINVAL: it has a tun or tap of another kind, or with another
 * number of queues. */
static bool may_go(const char *name, int error)
{
	return error == EBUSY || (error == EINVAL && is_tun_or_tap(name));
}

int tun_device_open(const char *name, enum layer_id first, int flags, struct refusal *why)
{
	bool has_queues = flags & TUN_QUEUES;
	struct ifreq ifr = { 0 };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return node_refused(errno, why);
	assert(strlen(name) < IFNAMSIZ);
	memcpy(ifr.ifr_name, name, strlen(name));
	ifr.ifr_flags = (short)(IFF_NO_PI | (first == LAYER_eth ? IFF_TAP : IFF_TUN) |
				(has_queues ? IFF_MULTI_QUEUE : 0) |
				(flags & TUN_OFFLOAD ? IFF_VNET_HDR : 0));
	for (unsigned i = 0; ioctl(fd, TUNSETIFF, &ifr); i++) {
		int error = errno;

		if (!may_go(name, error) || i == BUSY_TRIES) {
			close(fd);
			return device_refused(name, error, has_queues, why);
		}
		usleep(10000);
	}
	return fd;
}

int tun_device_persist(int fd, int owner, int group)
{
	if (ioctl(fd, TUNSETPERSIST, 1) || (owner >= 0 && ioctl(fd, TUNSETOWNER, owner)) ||
		(group >= 0 && ioctl(fd, TUNSETGROUP, group)))
		return -errno;
	return 0;
}

void tun_device_forget(int fd)
{
	ioctl(fd, TUNSETPERSIST, 0);
}

static struct tun *tun_of(struct port *port)
{
	return (struct tun *)port;
}

static int epoll_open(struct port *port, int fd)
{
	struct tun *tun = tun_of(port);
	uint8_t *spill = malloc(SPILL);

	if (!spill)
		return -ENOMEM;
	tun->spill = spill;
	tun->fd = fd;
	port->is_open = true;
	return 0;
}

/* Has the device virtio headers? As it was opened; a further queue of one that another program has
 * is as that one said. */
static int header_find(struct port *port, int fd)
{
	struct ifreq ifr;
	int bytes = 0, is_little = __BYTE_ORDER == __LITTLE_ENDIAN;

	if (ioctl(fd, TUNGETIFF, &ifr)) /* in tests something else stands in for the device */
		return 0;
	if (ifr.ifr_flags & IFF_VNET_HDR) {
		if (ioctl(fd, TUNGETVNETHDRSZ, &bytes) || ioctl(fd, TUNSETVNETLE, &is_little))
			return -errno;
		if (bytes < (int)sizeof(struct virtio_net_hdr) || bytes > PACKET_HEADROOM)
			return -EMSGSIZE;
	}
	/* A persistent device may still be as somebody who was killed has left it. */
	if (ioctl(fd, TUNSETOFFLOAD, bytes ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0))
		return -errno;
	port->vnet_bytes = (uint8_t)bytes;
	port->takes_gso = bytes;
	return 0;
}

void tun_port_close(struct port *port, int fd)
{
	/* Who opens a persistent device next may know of no headers, and would get huge packets. */
	if (port->vnet_bytes)
		ioctl(fd, TUNSETOFFLOAD, 0);
	close(fd);
}

static int tun_open_queue(struct port *port, int fd)
{
	struct io_list order = io_order(&port->io_wanted, IO_DEVICE);
	struct refusal why;
	int error = header_find(port, fd);

	if (error)
		return error;
	for (unsigned i = 0; i < order.count && order.io[i] == IO_uring; i++) {
		if (!uring_port_open(port->uring, port, fd, &why)) {
			port->io = IO_uring;
			return 0;
		}
		log_line(
			LOG_LEVEL_DEBUG, "%s: %s; it goes without, by epoll", port->name, why.text);
	}
	port->io = IO_epoll;
	return epoll_open(port, fd);
}

/* `len` bytes have come, the header before them included. */
static struct packet *tun_take(struct tun *tun, struct packet *p, size_t len)
{
	size_t header = tun->port.vnet_bytes;
	struct virtio_net_hdr hdr;

	memcpy(&hdr, p->data - header, header ? sizeof(hdr) : 0);
	len -= header;
	if (len > packet_tailroom(p))
		p = port_unspill(&tun->port, p, tun->spill, len);
	else
		packet_put(p, len);
	if (p && header)
		vnet_to_packet(p, &hdr);
	return p;
}

/* Reads into the packet's slot, and what does not fit into the spill. Where none can come that does
 * not fit the shorter call does; one that fills the slot is then cut off: the MTU was raised, and
 * word of it has not come yet. */
static ssize_t packet_read(const struct tun *tun, const struct packet *p, bool *is_cut)
{
	size_t header = tun->port.vnet_bytes, room = header + packet_tailroom(p);
	struct iovec parts[] = { { p->data - header, room }, { tun->spill, SPILL } };

	if (!port_fits_slot(&tun->port))
		return readv(tun->fd, parts, 2);
	/* No point of cancellation, as in tun_device_write. */
	ssize_t n = syscall(SYS_read, tun->fd, p->data, room);

	*is_cut = n == (ssize_t)room;
	return n;
}

static struct packet *tun_read(struct tun *tun, bool *is_drained)
{
	size_t header = tun->port.vnet_bytes;
	struct packet *p = pool_take(tun->port.pool, 0);

	if (!p) {
		tun->port.is_starved = *is_drained = true;
		return NULL;
	}
	bool is_cut = false;
	ssize_t n = packet_read(tun, p, &is_cut);

	if (n <= (ssize_t)header) {
		/* EBADFD: the device or its namespace is gone; EPOLLERR would come for ever. */
		tun->port.is_gone = n < 0 && errno == EBADFD;
		*is_drained = true;
		packet_free(p);
		return NULL;
	}
	if (!is_cut)
		return tun_take(tun, p, (size_t)n);
	counter_add(&tun->port.counters.rx_dropped, 1);
	packet_free(p);
	return NULL;
}

static unsigned tun_recv(struct port *port, struct packet **burst, unsigned max, struct mono now)
{
	bool is_drained = false;
	unsigned count = 0;

	while (count < max && !is_drained) {
		struct packet *p = tun_read(tun_of(port), &is_drained);

		if (!p)
			continue;
		port_received(port, p, now);
		burst[count++] = p;
	}
	port->has_more = !is_drained;
	return count;
}

int tun_device_write(int fd, const struct port *port, const struct packet *p)
{
	size_t header = port->vnet_bytes;
	long n = syscall(SYS_write, fd, p->data - header, header + packet_length(p));

	return n < 0 ? -errno : (int)n;
}

/* A write(2) of part of a packet does not happen: the device takes it whole or not at all. */
static int tun_write(struct port *port, struct packet *p)
{
	int n = tun_device_write(tun_of(port)->fd, port, p);

	return n < 0 ? -n : 0;
}

static void tun_send(struct port *port, struct packet *p)
{
	p = vnet_ready(port, p);
	if (p)
		port_enqueue(port, p);
}

static void tun_flush(struct port *port)
{
	port_flush(port, tun_write);
}

static int tun_poll_fd(const struct port *port)
{
	return ((const struct tun *)port)->fd;
}

static void tun_close(struct port *port)
{
	struct tun *tun = tun_of(port);

	tun_flush(port);
	port->is_open = false;
	free(tun->spill);
	tun->spill = NULL;
	if (tun->fd >= 0)
		tun_port_close(port, tun->fd);
	tun->fd = -1;
}

static const struct port_ops tun_ops = {
	.open_queue = tun_open_queue,
	.recv = tun_recv,
	.send = tun_send,
	.flush = tun_flush,
	.poll_fd = tun_poll_fd,
	.close = tun_close,
};

struct port *tun_port_new(enum layer_id first)
{
	struct tun *tun = calloc(1, sizeof(*tun));

	if (!tun)
		return NULL;
	tun->fd = -1;
	tun->port.ops = &tun_ops;
	tun->port.kind = first == LAYER_eth ? "tap" : "tun";
	tun->port.first = (uint8_t)first;
	tun->port.mtu = 1500;
	return &tun->port;
}
