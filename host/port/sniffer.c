/* SPDX-License-Identifier: MIT */
/* Copies the frames that pass on links, with their time, link and direction. */
#include "host/port/sniffer.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "host/packet/parse.h"
#include "host/port/vnet.h"

enum { FRAME_ROOM = 65535 + 64, RECEIVE_BUFFER = 4 << 20 };

int sniffer_prepare(int fd)
{
	int zero = 0, one = 1, room = RECEIVE_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &zero, sizeof(zero)) ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))
		return -errno;
	return 0;
}

static int64_t stamp_of(struct msghdr *msg)
{
	struct timespec ts = { 0 };

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&ts, CMSG_DATA(cmsg), sizeof(ts));
	}
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static struct packet *packet_make(const struct sockaddr_ll *from, const uint8_t *bytes, size_t len,
	const struct virtio_net_hdr *vnet)
{
	bool is_eth = from->sll_hatype == ARPHRD_ETHER || from->sll_hatype == ARPHRD_LOOPBACK;
	struct packet *p = packet_from_bytes(bytes, len, is_eth ? LAYER_eth : LAYER_ip);

	if (!p)
		return NULL;
	vnet_to_packet(p, vnet);
	parse(p);
	return p;
}

bool sniffer_next(int fd, int64_t epoch_ns, bool (*is_ours)(void *arg, int ifindex), void *arg,
	struct sniffed *out)
{
	static _Thread_local uint8_t frame[FRAME_ROOM];
	_Alignas(struct cmsghdr) char control[256];
	struct sockaddr_ll from;
	struct virtio_net_hdr vnet;
	struct iovec parts[] = { { &vnet, sizeof(vnet) }, { frame, sizeof(frame) } };

	for (;;) {
		struct msghdr msg = { .msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = parts,
			.msg_iovlen = 2,
			.msg_control = control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

		if (n < (ssize_t)sizeof(vnet))
			return false;
		bool is_out = from.sll_pkttype == PACKET_OUTGOING;

		if (!is_ours(arg, from.sll_ifindex) ||
			(is_out && from.sll_hatype == ARPHRD_LOOPBACK))
			continue;
		out->packet = packet_make(&from, frame, (size_t)n - sizeof(vnet), &vnet);
		if (!out->packet)
			return false;
		out->packet->time = (struct mono){ stamp_of(&msg) - epoch_ns };
		out->ifindex = from.sll_ifindex;
		out->dir = is_out ? SNIFF_OUT : SNIFF_IN;
		return true;
	}
}

unsigned sniffer_lost(int fd)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) ? 0 : stats.tp_drops;
}
