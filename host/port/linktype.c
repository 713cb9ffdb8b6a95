/* SPDX-License-Identifier: MIT */
/* Takes the headers of cooked and loopback captures off a packet. */
#include "host/port/linktype.h"

#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <string.h>

#include "host/packet/wire.h"

/* www.tcpdump.org/linktypes.html */
enum {
	TYPE_NULL = 0,
	TYPE_RAW_DLT = 12, /* what some systems wrote for raw IP */
	TYPE_RAW_BSD = 14,
	TYPE_LOOP = 108,
	TYPE_SLL = 113,
	TYPE_IPV4 = 228,
	TYPE_IPV6 = 229,
	TYPE_SLL2 = 276,
};

enum { SLL_LEN = 16, SLL2_LEN = 20, NULL_LEN = 4, TYPE_MIN = 0x600 };

enum layer_id linktype_first(unsigned linktype)
{
	switch (linktype) {
	case LINKTYPE_ETHERNET:
		return LAYER_eth;
	case TYPE_NULL:
	case TYPE_LOOP:
	case TYPE_RAW_DLT:
	case TYPE_RAW_BSD:
	case LINKTYPE_RAW_IP:
	case TYPE_SLL:
	case TYPE_IPV4:
	case TYPE_IPV6:
	case TYPE_SLL2:
		return LAYER_ip;
	default:
		return LAYER_none;
	}
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24, 28 and 30 on BSDs. */
static bool is_ip_family(uint32_t family)
{
	return family == 2 || family == 10 || family == 23 || family == 24 || family == 28 ||
	       family == 30;
}

/* The family is in the byte order of the machine that captured (NULL) or in ours (LOOP). */
static bool loopback_view(const uint8_t *bytes, struct linktype_view *out)
{
	uint32_t family = load_be32(bytes);

	out->skip = NULL_LEN;
	return is_ip_family(family) || is_ip_family(__builtin_bswap32(family));
}

/* What Linux's two cooked headers have in common. */
struct cooked {
	uint16_t protocol, hatype, pkttype, addr_len;
	const uint8_t *addr;
};

static bool cooked_view(const struct cooked *cooked, struct linktype_view *out)
{
	out->dir = cooked->pkttype == PACKET_OUTGOING ? CAPTURE_DIR_OUT : CAPTURE_DIR_IN;
	/* There the protocol is no EtherType. */
	if (cooked->hatype == ARPHRD_NETLINK || cooked->hatype == ARPHRD_IEEE80211_RADIOTAP ||
		cooked->protocol < TYPE_MIN)
		return false;
	if (cooked->protocol == ETH_TYPE_IP4 || cooked->protocol == ETH_TYPE_IP6)
		return true;
	out->first = LAYER_eth;
	out->is_made = true;
	if (cooked->pkttype == PACKET_BROADCAST)
		memset(out->eth, 0xff, 6);
	if (cooked->addr_len == 6)
		memcpy(out->eth + 6, cooked->addr, 6);
	store_be16(out->eth + 12, cooked->protocol);
	return true;
}

static bool sll_view(const uint8_t *b, struct linktype_view *out)
{
	struct cooked cooked = { load_be16(b + 14), load_be16(b + 2), load_be16(b),
		load_be16(b + 4), b + 6 };

	out->skip = SLL_LEN;
	return cooked_view(&cooked, out);
}

static bool sll2_view(const uint8_t *b, struct linktype_view *out)
{
	struct cooked cooked = { load_be16(b), load_be16(b + 8), b[10], b[11], b + 12 };

	out->skip = SLL2_LEN;
	return cooked_view(&cooked, out);
}

bool linktype_view(unsigned linktype, const uint8_t *bytes, size_t len, struct linktype_view *out)
{
	static const struct {
		unsigned linktype;
		size_t len;
		bool (*view)(const uint8_t *bytes, struct linktype_view *out);
	} headers[] = { { TYPE_NULL, NULL_LEN, loopback_view },
		{ TYPE_LOOP, NULL_LEN, loopback_view }, { TYPE_SLL, SLL_LEN, sll_view },
		{ TYPE_SLL2, SLL2_LEN, sll2_view } };

	*out = (struct linktype_view){ .first = linktype_first(linktype) };
	for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (headers[i].linktype != linktype)
			continue;
		/* Cut within the header: a packet of which nothing is left. */
		if (len < headers[i].len) {
			out->skip = len;
			return true;
		}
		return headers[i].view(bytes, out);
	}
	return out->first != LAYER_none;
}
