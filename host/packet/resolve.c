/* SPDX-License-Identifier: MIT */
/* Answers for an address: turns a question about it into "it is at this MAC", in place. */
#include "host/packet/resolve.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/scope.h"
#include "host/packet/wire.h"

enum {
	ND_HOP_LIMIT = 255,
	ND_SOURCE_LLA = 1,
	ND_TARGET_LLA = 2,
	ND_LLA_BYTES = 8,
	NA_SOLICITED = 0x40,
	NA_OVERRIDE = 0x20,
};

static const uint8_t unspecified[16];
static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };

static bool eth_is_from_host(const struct packet *p)
{
	return p->first == LAYER_eth && !(p->data[MAC_BYTES] & 1);
}

bool resolve_is_arp_question(const struct packet *p, const uint8_t **target)
{
	const struct layer *layer = packet_layer(p, LAYER_arp);

	if (!layer || !eth_is_from_host(p))
		return false;
	const uint8_t *arp = layer_bytes(p, layer);

	if (load_be16(arp + ARP_OPCODE) != 1 || (arp[ARP_SRC_MAC] & 1))
		return false;
	/* RFC 5227 1.1: a probe has sender 0. Sender = target is an announcement. */
	if (!memcmp(arp + ARP_SRC_IP, arp + ARP_DST_IP, 4))
		return false;
	if (memcmp(arp + ARP_SRC_IP, unspecified, 4) && !scope_is_unicast4(arp + ARP_SRC_IP))
		return false;
	*target = arp + ARP_DST_IP;
	return true;
}

/* RFC 4291 2.7.1: ff02::1:ffXX:XXXX with the target's last 24 bits. */
static bool is_solicited_node(const uint8_t *addr, const uint8_t *target)
{
	static const uint8_t head[13] = { 0xff, 0x02, [11] = 1, [12] = 0xff };

	return !memcmp(addr, head, 13) && !memcmp(addr + 13, target + 13, 3);
}

/* RFC 4861 7.1.1: no option of length 0; has_source_lla: one that a probe must not carry. */
static bool nd_options_fit(const uint8_t *options, size_t len, bool *has_source_lla)
{
	while (len) {
		size_t size = len < 2 ? 0 : (size_t)options[1] * 8;

		if (!size || size > len)
			return false;
		if (options[0] == ND_SOURCE_LLA)
			*has_source_lla = true;
		options += size;
		len -= size;
	}
	return true;
}

bool resolve_is_dad(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ipv6);

	return !memcmp(layer_bytes(p, ip) + IPV6_SRC, unspecified, 16);
}

bool resolve_is_nd_question(const struct packet *p, const uint8_t **target)
{
	const struct layer *network = packet_layer(p, LAYER_ipv6);
	const struct layer *icmp = packet_layer(p, LAYER_icmpv6);

	if (!icmp || !eth_is_from_host(p) || p->malformed || (p->traits & TRAIT_OPTIONS))
		return false;
	const uint8_t *ip = layer_bytes(p, network);
	const uint8_t *ns = layer_bytes(p, icmp);
	size_t len = p->datagram_end - icmp->offset;
	bool has_source_lla = false;

	if (ns[0] != ICMPV6_NS || ns[1] != 0 || ip[IPV6_HLIM] != ND_HOP_LIMIT || len < ND_HEADER)
		return false;
	const uint8_t *asked = ns + ND_TARGET;
	bool is_group = ip[IPV6_DST] == 0xff;

	if (!scope_is_unicast6(asked) ||
		!nd_options_fit(ns + ND_HEADER, len - ND_HEADER, &has_source_lla))
		return false;
	if (is_group ? !is_solicited_node(ip + IPV6_DST, asked)
		     : memcmp(ip + IPV6_DST, asked, 16) != 0)
		return false;
	if (resolve_is_dad(p)) {
		if (!is_group || has_source_lla)
			return false;
	} else if (!scope_is_unicast6(ip + IPV6_SRC) || !memcmp(ip + IPV6_SRC, asked, 16)) {
		return false;
	}
	if (!checksum_transport_is_right(p, network, icmp))
		return false;
	if (icmp->offset + ND_HEADER + ND_LLA_BYTES > packet_length(p) + packet_tailroom(p))
		return false;
	*target = asked;
	return true;
}

void resolve_arp_turn(struct packet *p, const uint8_t *mac)
{
	const struct layer *layer = packet_layer(p, LAYER_arp);
	uint8_t *arp = layer_bytes(p, layer);
	uint8_t target[4];

	packet_trim(p, layer->offset + ARP_HEADER);
	memcpy(p->data, arp + ARP_SRC_MAC, MAC_BYTES);
	memcpy(p->data + MAC_BYTES, mac, MAC_BYTES);
	store_be16(arp + ARP_OPCODE, 2);
	memcpy(target, arp + ARP_DST_IP, 4);
	memcpy(arp + ARP_DST_MAC, arp + ARP_SRC_MAC, MAC_BYTES + 4);
	memcpy(arp + ARP_SRC_MAC, mac, MAC_BYTES);
	memcpy(arp + ARP_SRC_IP, target, 4);
}

/* RFC 4861 7.2.4: to all nodes and unsolicited if a probe asked, else solicited to who asked. */
static void advertisement_addresses(struct packet *p, uint8_t *ip, uint8_t *na)
{
	if (resolve_is_dad(p)) {
		memcpy(p->data, all_nodes_mac, MAC_BYTES);
		memcpy(ip + IPV6_DST, all_nodes, 16);
		na[4] = NA_OVERRIDE;
	} else {
		memcpy(p->data, p->data + MAC_BYTES, MAC_BYTES);
		memcpy(ip + IPV6_DST, ip + IPV6_SRC, 16);
		na[4] = NA_SOLICITED | NA_OVERRIDE;
	}
	memcpy(ip + IPV6_SRC, na + ND_TARGET, 16);
}

void resolve_nd_turn(struct packet *p, const uint8_t *mac)
{
	const struct layer *icmp = packet_layer(p, LAYER_icmpv6);

	p->tail = p->data + icmp->offset + ND_HEADER + ND_LLA_BYTES;
	uint8_t *ip = layer_bytes(p, packet_layer(p, LAYER_ipv6));
	uint8_t *na = layer_bytes(p, icmp);

	memset(na, 0, 8);
	na[0] = ICMPV6_NA;
	advertisement_addresses(p, ip, na);
	memcpy(p->data + MAC_BYTES, mac, MAC_BYTES);
	na[ND_HEADER] = ND_TARGET_LLA;
	na[ND_HEADER + 1] = 1;
	memcpy(na + ND_HEADER + 2, mac, MAC_BYTES);
	store_be16(ip + IPV6_PLEN, ND_HEADER + ND_LLA_BYTES);
	p->datagram_end = (uint32_t)packet_length(p);
	checksum_transport_fill(p, packet_layer(p, LAYER_ipv6), packet_layer(p, LAYER_icmpv6));
}
