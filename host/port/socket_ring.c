/* SPDX-License-Identifier: MIT */
/* Copies frames out of a ring that the kernel fills, without a system call. */
#include "host/port/socket_ring.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/port/mmsg.h"
#include "host/port/vnet.h"

enum {
	RING_BYTES = 2 * 1024 * 1024,
	BLOCK_BYTES = 64 * 1024,
	FRAME_MIN = 2048,
	FRAME_MAX = 16384, /* what is longer goes through the socket's queue */
	OVERHEAD = 128,	   /* of a frame: the kernel's header, an address, a virtio header, tags */
};

static int option_set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) ? -errno : 0;
}

int socket_ring_open(struct socket_ring *ring, int fd, size_t room)
{
	struct tpacket_req req = { .tp_block_size = BLOCK_BYTES,
		.tp_block_nr = RING_BYTES / BLOCK_BYTES,
		.tp_frame_size = FRAME_MIN };

	while (req.tp_frame_size < room + OVERHEAD && req.tp_frame_size < FRAME_MAX)
		req.tp_frame_size *= 2;
	req.tp_frame_nr = RING_BYTES / req.tp_frame_size;
	int error = option_set(fd, PACKET_VERSION, TPACKET_V2);

	if (!error)
		error = option_set(fd, PACKET_COPY_THRESH, 1);
	if (!error && setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)))
		error = -errno;
	if (error)
		return error;
	void *map = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED) {
		error = -errno;
		req = (struct tpacket_req){ 0 };
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req));
		return error;
	}
	*ring = (struct socket_ring){ map, RING_BYTES, req.tp_frame_size, req.tp_frame_nr, 0 };
	return 0;
}

void socket_ring_close(struct socket_ring *ring)
{
	if (ring->map)
		munmap(ring->map, ring->map_bytes);
	ring->map = NULL;
}

static bool frame_copy(struct packet *p, const struct tpacket2_hdr *hdr)
{
	const uint8_t *bytes = (const uint8_t *)hdr + hdr->tp_mac;
	uint8_t *room = hdr->tp_snaplen < hdr->tp_len ? NULL : packet_put(p, hdr->tp_snaplen);
	struct virtio_net_hdr vnet;

	if (!room)
		return false;
	memcpy(room, bytes, hdr->tp_snaplen);
	memcpy(&vnet, bytes - sizeof(vnet), sizeof(vnet));
	vnet_to_packet(p, &vnet);
	mmsg_tag_restore(p, hdr->tp_status, hdr->tp_vlan_tpid, hdr->tp_vlan_tci);
	return true;
}

static void frame_give_back(struct socket_ring *ring, struct tpacket2_hdr *hdr)
{
	__atomic_store_n(&hdr->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ring->next = ring->next + 1 == ring->frames ? 0 : ring->next + 1;
}

enum ring_frame socket_ring_take(struct socket_ring *ring, struct port *port, struct packet **out)
{
	struct tpacket2_hdr *hdr =
		(struct tpacket2_hdr *)(ring->map + (size_t)ring->next * ring->frame_bytes);
	uint32_t status = __atomic_load_n(&hdr->tp_status, __ATOMIC_ACQUIRE);
	enum ring_frame got = RING_PACKET;

	if (!(status & TP_STATUS_USER))
		return RING_NONE;
	struct packet *p = pool_take(port->pool, status & TP_STATUS_COPY ? 0 : hdr->tp_snaplen);

	if (!p)
		return RING_NO_SLOT;
	*out = p;
	if (status & TP_STATUS_COPY) {
		packet_free(p); /* whoever asks the queue finds one */
		got = RING_ELSEWHERE;
	} else if (!frame_copy(p, hdr)) {
		packet_free(p);
		counter_add(&port->counters.rx_dropped, 1);
		got = RING_LOST;
	}
	frame_give_back(ring, hdr);
	return got;
}
