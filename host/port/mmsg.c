/* SPDX-License-Identifier: MIT */
/* Receives and sends bursts of frames. */
#include "host/port/mmsg.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/packet/wire.h"
#include "host/port/vnet.h"

enum { SPILL = POOL_BIG_SLOT - PACKET_HEADROOM };

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

struct mmsg {
	unsigned batch; /* frames that the next recv asks for: follows what comes */
	uint8_t *spill; /* of each message, what is longer than a small slot; touched as used */
	struct packet *packets[PORT_BURST];
	struct mmsghdr messages[PORT_BURST];
	struct iovec parts[PORT_BURST][3];
	struct virtio_net_hdr vnets[PORT_BURST];
	union control controls[PORT_BURST];
};

struct mmsg *mmsg_new(void)
{
	struct mmsg *mmsg = calloc(1, sizeof(*mmsg));

	if (!mmsg)
		return NULL;
	mmsg->batch = 1;
	mmsg->spill = mmap(NULL, (size_t)PORT_BURST * SPILL, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mmsg->spill != MAP_FAILED)
		return mmsg;
	free(mmsg);
	return NULL;
}

void mmsg_free(struct mmsg *mmsg)
{
	if (mmsg)
		munmap(mmsg->spill, (size_t)PORT_BURST * SPILL);
	free(mmsg);
}

void mmsg_tag_restore(struct packet *p, uint32_t status, uint16_t tpid, uint16_t tci)
{
	const size_t macs = 2 * (size_t)MAC_BYTES;

	if (!(status & TP_STATUS_VLAN_VALID) || !packet_push(p, VLAN_HEADER))
		return;
	memmove(p->data, p->data + VLAN_HEADER, macs);
	store_be16(p->data + macs, status & TP_STATUS_VLAN_TPID_VALID ? tpid : ETH_TYPE_8021Q);
	store_be16(p->data + macs + 2, tci);
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
		mmsg_tag_restore(p, aux.tp_status, aux.tp_vlan_tpid, aux.tp_vlan_tci);
	}
}

static uint8_t *spill_of(const struct mmsg *mmsg, unsigned i)
{
	return mmsg->spill + (size_t)i * SPILL;
}

static void message_prepare(struct mmsg *mmsg, unsigned i, struct packet *p)
{
	struct iovec *parts = mmsg->parts[i];

	parts[0] = (struct iovec){ &mmsg->vnets[i], sizeof(mmsg->vnets[i]) };
	parts[1] = (struct iovec){ p->data, packet_tailroom(p) };
	parts[2] = (struct iovec){ spill_of(mmsg, i), SPILL };
	mmsg->packets[i] = p;
	mmsg->messages[i].msg_hdr = (struct msghdr){ .msg_iov = parts,
		.msg_iovlen = 3,
		.msg_control = mmsg->controls[i].bytes,
		.msg_controllen = sizeof(mmsg->controls[i].bytes) };
}

/* NULL: lost, and counted. */
static struct packet *message_take(struct mmsg *mmsg, unsigned i, struct port *port)
{
	struct packet *p = mmsg->packets[i];
	const struct virtio_net_hdr *vnet = &mmsg->vnets[i];
	size_t len = mmsg->messages[i].msg_len;

	if (len < sizeof(*vnet)) {
		packet_free(p);
		return NULL;
	}
	len -= sizeof(*vnet);
	if (len > packet_tailroom(p))
		p = port_unspill(port, p, spill_of(mmsg, i), len);
	else
		packet_put(p, len);
	if (!p)
		return NULL;
	vnet_to_packet(p, vnet);
	aux_take(p, &mmsg->messages[i].msg_hdr);
	return p;
}

unsigned mmsg_recv(
	struct mmsg *mmsg, struct port *port, int fd, struct packet **burst, unsigned max)
{
	unsigned wanted = mmsg->batch < max ? mmsg->batch : max, asked = 0, count = 0;
	struct packet *p;

	while (asked < wanted && (p = pool_take(port->pool, 0)))
		message_prepare(mmsg, asked++, p);
	if (!asked)
		port->is_starved = true;
	int came = asked ? recvmmsg(fd, mmsg->messages, asked, MSG_DONTWAIT, NULL) : 0;

	for (unsigned i = asked; i > 0 && (int)i > came; i--)
		packet_free(mmsg->packets[i - 1]);
	for (int i = 0; i < came; i++) {
		p = message_take(mmsg, (unsigned)i, port);
		if (p)
			burst[count++] = p;
	}
	port->has_more = asked && came == (int)asked;
	mmsg->batch = port_batch(mmsg->batch, came > 0 ? (unsigned)came : 0, port->has_more);
	return count;
}

static void frame_prepare(struct mmsg *mmsg, unsigned i, struct packet *p)
{
	struct iovec *parts = mmsg->parts[i];

	vnet_from_packet(p, &mmsg->vnets[i]);
	parts[0] = (struct iovec){ &mmsg->vnets[i], sizeof(mmsg->vnets[i]) };
	parts[1] = (struct iovec){ p->data, packet_length(p) };
	mmsg->messages[i].msg_hdr = (struct msghdr){ .msg_iov = parts, .msg_iovlen = 2 };
}

void mmsg_flush(struct mmsg *mmsg, struct port *port, int fd)
{
	unsigned count = port->tx_count, done = 0;

	for (unsigned i = 0; i < count; i++)
		frame_prepare(mmsg, i, port->tx[i]);
	while (done < count) {
		int sent = sendmmsg(fd, mmsg->messages + done, count - done, MSG_DONTWAIT);

		/* It stops before a frame that it cannot send; the next call says why. */
		if (sent <= 0)
			port_refused(port, sent ? errno : EAGAIN);
		for (int i = 0; i < sent; i++)
			port_tx_count(port, packet_length(port->tx[done + (unsigned)i]));
		done += sent > 0 ? (unsigned)sent : 1;
	}
	for (unsigned i = 0; i < count; i++)
		packet_free(port->tx[i]);
	port->tx_count = 0;
}
