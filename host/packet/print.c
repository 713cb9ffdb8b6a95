/* SPDX-License-Identifier: MIT */
/* Describes a packet as tcpdump -n -S would, from its bytes alone. */
#include "host/packet/print.h"

#include "host/base/prefix.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

void print_addr(struct print *print, uint8_t family, const uint8_t *bytes)
{
	struct addr addr = { .family = family };
	char out[ADDR_TEXT];

	memcpy(addr.bytes, bytes, family_bytes(family));
	text_add(&print->text, "%s", addr_text(&addr, out));
}

void print_mac(struct print *print, const uint8_t *mac)
{
	text_add(&print->text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
}

void print_char(struct print *print, uint8_t byte)
{
	if (byte & 0x80) {
		text_add(&print->text, "M-");
		byte &= 0x7f;
	}
	if (byte < ' ' || byte == 0x7f)
		text_add(&print->text, "^%c", byte ^ 0x40);
	else
		text_add(&print->text, "%c", byte);
}

void print_short(struct print *print, const char *proto)
{
	text_add(&print->text, " [|%s]", proto);
}

void print_ends(struct print *print, const struct ends *ends)
{
	if (ends->is_said)
		return;
	print_addr(print, ends->family, ends->src);
	text_add(&print->text, " > ");
	print_addr(print, ends->family, ends->dst);
	text_add(&print->text, ": ");
}

void print_ports(struct print *print, const struct ends *ends, const uint8_t *ports)
{
	if (!ends->is_said) {
		print_addr(print, ends->family, ends->src);
		text_add(&print->text, ".");
	}
	text_add(&print->text, "%u > ", load_be16(ports));
	if (!ends->is_said) {
		print_addr(print, ends->family, ends->dst);
		text_add(&print->text, ".");
	}
	text_add(&print->text, "%u: ", load_be16(ports + 2));
}

static void print_tags(
	struct print *print, struct piece piece, const uint8_t *macs, uint16_t type, size_t frame)
{
	while (type == ETH_TYPE_8021Q || type == ETH_TYPE_8021AD) {
		const uint8_t *tag = piece_at(piece, 0, VLAN_HEADER);

		if (!tag) {
			print_short(print, "vlan");
			return;
		}
		type = load_be16(tag + 2);
		piece = piece_from(piece, VLAN_HEADER);
	}
	if (print_ethertype(print, piece, type))
		return;
	print_mac(print, macs + MAC_BYTES);
	text_add(&print->text, " > ");
	print_mac(print, macs);
	if (type < 0x600) /* IEEE 802.3: a length */
		text_add(&print->text, ", 802.3, length %zu", frame);
	else
		text_add(&print->text, ", ethertype Unknown (0x%04x), length %zu: ", type, frame);
}

void print_eth(struct print *print, struct piece piece)
{
	const uint8_t *eth = piece_at(piece, 0, ETH_HEADER);

	if (!eth) {
		print_short(print, "ether");
		return;
	}
	print_tags(print, piece_from(piece, ETH_HEADER), eth, load_be16(eth + 12), piece.len);
}

bool print_ethertype(struct print *print, struct piece piece, uint16_t type)
{
	if (print->depth == PRINT_DEPTH)
		return true;
	print->depth++;
	switch (type) {
	case ETH_TYPE_IP4:
		print_ip4(print, piece);
		return true;
	case ETH_TYPE_IP6:
		print_ip6(print, piece);
		return true;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		print_arp(print, piece);
		return true;
	}
	return false;
}

size_t print_line(const struct packet *p, char *out, size_t room)
{
	struct piece piece = { p->data, packet_length(p), packet_length(p) };
	struct print print = { 0 };

	text_init(&print.text, out, room);
	if (p->first == LAYER_eth)
		print_eth(&print, piece);
	else if (piece.have && p->data[0] >> 4 == 6)
		print_ip6(&print, piece);
	else
		print_ip4(&print, piece);
	return print.text.len;
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
