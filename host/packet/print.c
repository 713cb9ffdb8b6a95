/* SPDX-License-Identifier: MIT */
/* Describes a packet as tcpdump -n would. */
#include "host/packet/print.h"

#include <inttypes.h>

#include "host/base/prefix.h"
#include "host/base/text.h"
#include "host/packet/wire.h"

static void addr_add(struct text *text, uint8_t family, const uint8_t *bytes)
{
	struct addr addr = { .family = family };
	char out[ADDR_TEXT];

	memcpy(addr.bytes, bytes, family_bytes(family));
	text_add(text, "%s", addr_text(&addr, out));
}

static void mac_add(struct text *text, const uint8_t *mac)
{
	text_add(text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

static void icmp_add(struct text *text, const struct packet *p, const struct layer *icmp)
{
	const uint8_t *bytes = layer_bytes(p, icmp);
	size_t len = p->datagram_end - icmp->offset;

	text_add(text, "ICMP ");
	switch (bytes[0]) {
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		text_add(text, "echo %s, id %u, seq %u",
			bytes[0] == ICMP_ECHO_REQUEST ? "request" : "reply",
			load_be16(bytes + ICMP_IDENT), load_be16(bytes + ICMP_SEQ));
		break;
	case ICMP_UNREACHABLE:
		text_add(text, "unreachable, code %u", bytes[1]);
		break;
	case ICMP_TIME_EXCEEDED:
		text_add(text, "time exceeded %s", bytes[1] ? "in reassembly" : "in-transit");
		break;
	default:
		text_add(text, "type %u, code %u", bytes[0], bytes[1]);
	}
	text_add(text, ", length %zu", len);
}

static const char *icmpv6_type(uint8_t type)
{
	switch (type) {
	case 1:
		return "destination unreachable";
	case 2:
		return "packet too big";
	case 3:
		return "time exceeded";
	case 4:
		return "parameter problem";
	case 130:
		return "multicast listener query";
	case 131:
		return "multicast listener report";
	case 132:
		return "multicast listener done";
	case ICMPV6_RS:
		return "router solicitation";
	case ICMPV6_RA:
		return "router advertisement";
	case ICMPV6_NS:
		return "neighbor solicitation";
	case ICMPV6_NA:
		return "neighbor advertisement";
	case ICMPV6_REDIRECT:
		return "redirect";
	case 143:
		return "multicast listener report v2";
	}
	return NULL;
}

static void target_add(struct text *text, const struct packet *p, const struct layer *icmp)
{
	const uint8_t *target = packet_at(p, icmp->offset + ND_TARGET, 16);
	uint8_t type = *layer_bytes(p, icmp);

	if (!target || icmp->offset + ND_HEADER > p->datagram_end)
		return;
	if (type == ICMPV6_NS)
		text_add(text, ", who has ");
	else if (type == ICMPV6_NA)
		text_add(text, ", tgt is ");
	else
		return;
	addr_add(text, FAMILY_6, target);
}

static void icmpv6_add(struct text *text, const struct packet *p, const struct layer *icmp)
{
	const uint8_t *bytes = layer_bytes(p, icmp);
	const char *type = icmpv6_type(bytes[0]);

	text_add(text, "ICMP6, ");
	if (icmp->length >= 8 && (bytes[0] == ICMPV6_ECHO_REQUEST || bytes[0] == ICMPV6_ECHO_REPLY))
		text_add(text, "echo %s, id %u, seq %u",
			bytes[0] == ICMPV6_ECHO_REQUEST ? "request" : "reply",
			load_be16(bytes + ICMP_IDENT), load_be16(bytes + ICMP_SEQ));
	else if (type)
		text_add(text, "%s", type);
	else
		text_add(text, "type %u, code %u", bytes[0], bytes[1]);
	target_add(text, p, icmp);
	text_add(text, ", length %zu", p->datagram_end - (size_t)icmp->offset);
}

static void tcp_add(struct text *text, const struct packet *p, const struct layer *tcp)
{
	static const char letters[] = "FSRP.UEW";
	const uint8_t *bytes = layer_bytes(p, tcp);
	size_t payload = p->datagram_end - tcp->offset - tcp->length;
	uint32_t seq = load_be32(bytes + 4);
	uint8_t flags = bytes[TCP_FLAGS];

	text_add(text, "Flags [");
	for (unsigned i = 0; i < 8; i++) {
		if (flags & 1 << i)
			text_add(text, "%c", letters[i]);
	}
	text_add(text, flags ? "]" : "none]");
	if (payload)
		text_add(text, ", seq %" PRIu32 ":%" PRIu32, seq, seq + (uint32_t)payload);
	else if (flags & 7)
		text_add(text, ", seq %" PRIu32, seq);
	if (flags & 0x10)
		text_add(text, ", ack %" PRIu32, load_be32(bytes + 8));
	text_add(text, ", win %u, length %zu", load_be16(bytes + 14), payload);
}

static void transport_add(struct text *text, const struct packet *p, const struct layer *network)
{
	const struct layer *next = network + 1;
	size_t payload = p->datagram_end - network->offset - network->length;

	if (next >= p->layer + p->layer_count) {
		if (p->malformed)
			text_add(text, "[%s]", malformed_text(p->malformed));
		else if (p->traits & TRAIT_LATER)
			text_add(text, "ip-proto-%u", p->proto);
		else
			text_add(text, "ip-proto-%u %zu", p->proto, payload);
		return;
	}
	switch (next->id) {
	case LAYER_icmp:
		icmp_add(text, p, next);
		break;
	case LAYER_icmpv6:
		icmpv6_add(text, p, next);
		break;
	case LAYER_udp:
		text_add(text, "UDP, length %zu",
			(size_t)load_be16(layer_bytes(p, next) + UDP_LENGTH) - UDP_HEADER);
		break;
	case LAYER_tcp:
		tcp_add(text, p, next);
		break;
	}
}

static void port_add(
	struct text *text, const struct packet *p, const struct layer *network, unsigned offset)
{
	const struct layer *next = network + 1;

	if (next < p->layer + p->layer_count && (next->id == LAYER_udp || next->id == LAYER_tcp))
		text_add(text, ".%u", load_be16(layer_bytes(p, next) + offset));
}

static void network_add(struct text *text, const struct packet *p, const struct layer *network)
{
	bool is_4 = network->id == LAYER_ip;
	const uint8_t *bytes = layer_bytes(p, network);
	uint8_t family = is_4 ? FAMILY_4 : FAMILY_6;

	text_add(text, is_4 ? "IP " : "IP6 ");
	addr_add(text, family, bytes + (is_4 ? IP_SRC : IPV6_SRC));
	port_add(text, p, network, 0);
	text_add(text, " > ");
	addr_add(text, family, bytes + (is_4 ? IP_DST : IPV6_DST));
	port_add(text, p, network, 2);
	text_add(text, ": ");
	if (!is_4 && bytes[IPV6_NXT] == PROTO_HOPOPTS)
		text_add(text, "HBH ");
	transport_add(text, p, network);
}

static void arp_add(struct text *text, const struct packet *p, const struct layer *arp)
{
	const uint8_t *bytes = layer_bytes(p, arp);
	uint16_t opcode = load_be16(bytes + 6);

	text_add(text, "ARP, ");
	if (opcode == 1) {
		text_add(text, "Request who-has ");
		addr_add(text, FAMILY_4, bytes + 24);
		text_add(text, " tell ");
		addr_add(text, FAMILY_4, bytes + 14);
	} else if (opcode == 2) {
		text_add(text, "Reply ");
		addr_add(text, FAMILY_4, bytes + 14);
		text_add(text, " is-at ");
		mac_add(text, bytes + 8);
	} else {
		text_add(text, "opcode %u", opcode);
	}
	text_add(text, ", length %zu", packet_length(p) - arp->offset);
}

static void unknown_add(struct text *text, const struct packet *p)
{
	const struct layer *eth = packet_layer(p, LAYER_eth);

	if (eth) {
		mac_add(text, layer_bytes(p, eth) + 6);
		text_add(text, " > ");
		mac_add(text, layer_bytes(p, eth));
		text_add(text, ", ethertype 0x%04x", load_be16(layer_bytes(p, eth) + 12));
	} else {
		text_add(text, "IP?");
	}
	if (p->malformed)
		text_add(text, " [%s]", malformed_text(p->malformed));
	text_add(text, ", length %zu", packet_length(p));
}

size_t print_line(const struct packet *p, char *out, size_t room)
{
	const struct layer *vlan = packet_layer(p, LAYER_vlan);
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *network = ip ? ip : packet_layer(p, LAYER_ipv6);
	const struct layer *arp = packet_layer(p, LAYER_arp);
	struct text text;

	text_init(&text, out, room);
	if (vlan)
		text_add(&text, "vlan %u, ", load_be16(layer_bytes(p, vlan)) & 0xfff);
	if (network)
		network_add(&text, p, network);
	else if (arp)
		arp_add(&text, p, arp);
	else
		unknown_add(&text, p);
	return text.len;
}

size_t print_hex(const struct packet *p, char *out, size_t room)
{
	size_t len = packet_length(p);
	struct text text;

	text_init(&text, out, room);
	for (size_t i = 0; i < len; i++) {
		if (i % 16 == 0)
			text_add(&text, "%s0x%04zx: ", i ? "\n" : "", i);
		text_add(&text, "%s%02x", i % 2 ? "" : " ", p->data[i]);
	}
	return text.len;
}
