/* SPDX-License-Identifier: MIT */
/* Prints ARP (RFC 826), RARP (RFC 903) and inverse ARP (RFC 2390) for IPv4. */
#include "host/base/prefix.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

/* Where the addresses lie, which depends on how long they are. */
struct arp {
	const uint8_t *src_mac, *src_ip, *dst_mac, *dst_ip;
	uint8_t mac_bytes;
};

static void print_hardware(struct print *print, const struct arp *arp, const uint8_t *mac)
{
	for (unsigned i = 0; i < arp->mac_bytes; i++)
		text_add(&print->text, "%s%02x", i ? ":" : "", mac[i]);
}

static bool is_known(const struct arp *arp, const uint8_t *mac)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < arp->mac_bytes; i++)
		bits |= mac[i];
	return bits;
}

static void print_question(struct print *print, const struct arp *arp)
{
	text_add(&print->text, "Request who-has ");
	print_addr(print, FAMILY_4, arp->dst_ip);
	if (is_known(arp, arp->dst_mac)) {
		text_add(&print->text, " (");
		print_hardware(print, arp, arp->dst_mac);
		text_add(&print->text, ")");
	}
	text_add(&print->text, " tell ");
	print_addr(print, FAMILY_4, arp->src_ip);
}

/* false: the operation has no form of its own. */
static bool print_operation(struct print *print, const struct arp *arp, uint16_t opcode)
{
	struct text *text = &print->text;

	switch (opcode) {
	case 1:
		print_question(print, arp);
		return true;
	case 2:
		text_add(text, "Reply ");
		print_addr(print, FAMILY_4, arp->src_ip);
		text_add(text, " is-at ");
		print_hardware(print, arp, arp->src_mac);
		return true;
	case 3:
	case 8:
		text_add(text, "%s Request who-is ", opcode == 3 ? "Reverse" : "Inverse");
		print_hardware(print, arp, arp->dst_mac);
		text_add(text, " tell ");
		print_hardware(print, arp, arp->src_mac);
		return true;
	case 4:
	case 9:
		text_add(text, "%s Reply ", opcode == 4 ? "Reverse" : "Inverse");
		print_hardware(print, arp, opcode == 4 ? arp->dst_mac : arp->src_mac);
		text_add(text, " at ");
		print_addr(print, FAMILY_4, opcode == 4 ? arp->dst_ip : arp->src_ip);
		return true;
	case 10:
		text_add(text, "NACK Reply ");
		return false;
	}
	text_add(text, "Unknown (%u) ", opcode);
	return false;
}

/* Addresses of kinds that are not followed. */
static void print_kinds(struct print *print, const uint8_t *header)
{
	struct text *text = &print->text;
	uint16_t type = load_be16(header + 2);

	if (load_be16(header) == 1)
		text_add(text, "Ethernet");
	else
		text_add(text, "Unknown Hardware (%u)", load_be16(header));
	text_add(text, " (len %u), ", header[4]);
	if (type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6 || type == ETH_TYPE_ARP)
		text_add(text, "%s",
			type == ETH_TYPE_IP4   ? "IPv4"
			: type == ETH_TYPE_IP6 ? "IPv6"
					       : "ARP");
	else
		text_add(text, "Unknown Protocol (0x%04x)", type);
	text_add(text, " (len %u)", header[5]);
}

void print_arp(struct print *print, struct piece piece)
{
	const uint8_t *header = piece_at(piece, 0, ARP_SRC_MAC);
	size_t macs = header ? header[4] : 0, ips = header ? header[5] : 0;

	if (!header || !piece_at(piece, 0, ARP_SRC_MAC + 2 * (macs + ips))) {
		print_short(print, "arp");
		return;
	}
	struct arp arp = { .mac_bytes = (uint8_t)macs };

	arp.src_mac = header + ARP_SRC_MAC;
	arp.src_ip = arp.src_mac + macs;
	arp.dst_mac = arp.src_ip + ips;
	arp.dst_ip = arp.dst_mac + macs;
	text_add(&print->text, "ARP, ");
	if (load_be16(header + 2) != ETH_TYPE_IP4 || ips != 4 || macs == 0)
		print_kinds(print, header);
	else if (!print_operation(print, &arp, load_be16(header + ARP_OPCODE)))
		return;
	text_add(&print->text, ", length %zu", piece.len);
}
