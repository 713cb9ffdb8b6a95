/* SPDX-License-Identifier: MIT */
/* Prints IPv4 and IPv6 headers and what they carry, tunnelled packets included. */
#include "host/base/prefix.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

static void print_esp(struct print *print, struct piece piece)
{
	const uint8_t *esp = piece_at(piece, 0, 8);

	if (!esp)
		print_short(print, "esp");
	else
		text_add(&print->text, "ESP(spi=0x%08x,seq=0x%x), length %zu", load_be32(esp),
			load_be32(esp + 4), piece.len);
}

/* What is behind the network header and its extensions. */
static void print_transport(
	struct print *print, struct piece piece, uint8_t proto, const struct ends *ends)
{
	if (print->depth++ >= PRINT_DEPTH)
		return;
	switch (proto) {
	case PROTO_ICMP:
		print_icmp(print, piece);
		break;
	case PROTO_ICMPV6:
		print_icmpv6(print, piece);
		break;
	case PROTO_IGMP:
		print_igmp(print, piece);
		break;
	case PROTO_TCP:
		print_tcp(print, piece, ends);
		break;
	case PROTO_UDP:
		print_udp(print, piece, ends);
		break;
	case PROTO_SCTP:
		print_sctp(print, piece, ends);
		break;
	case PROTO_IP4:
		print_ip4(print, piece);
		break;
	case PROTO_IP6:
		print_ip6(print, piece);
		break;
	case PROTO_GRE:
		print_gre(print, piece);
		break;
	case PROTO_ESP:
		print_esp(print, piece);
		break;
	case PROTO_NONE:
		text_add(&print->text, "no next header");
		break;
	default:
		text_add(&print->text, " ip-proto-%u %zu", proto, piece.len);
	}
}

/* RFC 4302 2: the authentication header; what follows it, or false. */
static bool print_ah(struct print *print, struct piece *piece, uint8_t *proto)
{
	const uint8_t *ah = piece_at(*piece, 0, 12);

	if (!ah) {
		print_short(print, "ah");
		return false;
	}
	size_t length = ((size_t)ah[1] + 2) * 4;

	text_add(&print->text, "AH(");
	if (load_be16(ah + 2))
		text_add(&print->text, "reserved=0x%x[MustBeZero],", load_be16(ah + 2));
	text_add(&print->text, "spi=0x%08x,seq=0x%x,icv=0x", load_be32(ah + 4), load_be32(ah + 8));
	for (size_t i = 12; i < length; i++) {
		const uint8_t *byte = piece_at(*piece, i, 1);

		if (!byte) {
			print_short(print, "ah");
			return false;
		}
		text_add(&print->text, "%02x", *byte);
	}
	text_add(&print->text, "): ");
	*proto = ah[0];
	*piece = piece_from(*piece, length < 12 ? 12 : length);
	return true;
}

/* cut: how much there is of a header that is not all there, or 0. */
static void print_ip4_body(struct print *print, const uint8_t *ip, struct piece piece, size_t cut)
{
	struct ends ends = { ip + IP_SRC, ip + IP_DST, FAMILY_4, false,
		load_be16(ip + IP_FRAG) & IP_FRAG_MORE };
	uint8_t proto = ip[IP_PROTO];

	if (cut) {
		if (!has_ports(proto))
			print_ends(print, &ends);
		text_add(&print->text, " [remaining caplen(%zu) < header length(%zu)] [|ip]", cut,
			(size_t)(ip[0] & 0xf) * 4);
		return;
	}
	if (load_be16(ip + IP_FRAG) & IP_FRAG_OFFSET) {
		print_ends(print, &ends);
		text_add(&print->text, "ip-proto-%u", proto);
		return;
	}
	if (!has_ports(proto)) {
		print_ends(print, &ends);
		ends.is_said = true;
	}
	while (proto == PROTO_AH && !text_is_full(&print->text)) {
		if (!print_ah(print, &piece, &proto))
			return;
	}
	print_transport(print, piece, proto, &ends);
}

void print_ip4(struct print *print, struct piece piece)
{
	const uint8_t *ip = piece_at(piece, 0, 1);
	struct text *text = &print->text;

	if (!ip) {
		print_short(print, "ip");
		return;
	}
	if (ip[0] >> 4 != 4) {
		if (ip[0] >> 4 == 6)
			text_add(text, "IP6, wrong link-layer encapsulation (invalid)");
		else
			text_add(text, "IP%u (invalid)", ip[0] >> 4);
		return;
	}
	text_add(text, "IP ");
	if (piece.have < IP_HEADER) {
		print_short(print, "ip");
		return;
	}
	size_t length = (size_t)(ip[0] & 0xf) * 4;
	size_t total = load_be16(ip + IP_LEN);

	if (length < IP_HEADER) {
		text_add(text, "bad-hlen %zu", length);
		return;
	}
	if (total > piece.len)
		text_add(text, "truncated-ip - %zu bytes missing! ", total - piece.len);
	if (total < length) {
		text_add(text, "bad-len %zu", total);
		return;
	}
	print_ip4_body(print, ip, piece_from(piece_first(piece, total), length),
		piece.have < length ? piece.have : 0);
}

/* RFC 8200 4.4, RFC 6275 6.4, RFC 8754 2: the addresses of a routing header. */
static bool print_routing(struct print *print, struct piece piece, size_t *length)
{
	const uint8_t *routing = piece_at(piece, 0, 4);
	struct text *text = &print->text;

	if (!routing) {
		text_add(text, "RT6");
		print_short(print, "rt6");
		return false;
	}
	uint8_t type = routing[2];
	const uint8_t *word = piece_at(piece, 4, 4);

	*length = ((size_t)routing[1] + 1) * 8;
	text_add(text, "RT6 (len=%u, type=%u%s, segleft=%u", routing[1], type,
		type == 0 ? " [Deprecated]" : "", routing[3]);
	if (type != 0 && type != 2 && type != 4) {
		text_add(text, " (unknown type) (invalid)");
		return false;
	}
	if (!word) {
		print_short(print, "rt6");
		return false;
	}
	if (type == 4) {
		text_add(text, ", last-entry=%u", word[0]);
		if (word[1])
			text_add(text, ", flags=0x%0x", word[1]);
		text_add(text, ", tag=%x", load_be16(word + 2));
	} else if (load_be32(word)) {
		text_add(text, ", rsv=0x%0x", load_be32(word));
	}
	for (size_t i = 0; i < routing[1] / 2u; i++) {
		const uint8_t *addr = piece_at(piece, 8 + i * 16, 16);

		if (!addr) {
			print_short(print, "rt6");
			return false;
		}
		text_add(text, ", [%zu]", i);
		print_addr(print, FAMILY_6, addr);
	}
	text_add(text, ") ");
	return true;
}

/* RFC 8200 4.5; false: nothing is to follow. */
static bool print_fragment(struct print *print, struct piece piece, struct ends *ends)
{
	const uint8_t *fragment = piece_at(piece, 0, 8);

	if (!fragment) {
		print_short(print, "frag6");
		return false;
	}
	unsigned offset = load_be16(fragment + 2) & 0xfff8u;

	text_add(&print->text, "frag (%u|%zu)", offset, piece.len > 8 ? piece.len - 8 : 0);
	if (offset)
		return false;
	text_add(&print->text, " ");
	ends->is_fragment = fragment[3] & 1;
	return true;
}

/* One extension header; moves piece and proto behind it, false: nothing is to follow. */
static bool print_extension(
	struct print *print, struct piece *piece, uint8_t *proto, struct ends *ends)
{
	size_t length = 8;

	if (*proto == PROTO_AH)
		return print_ah(print, piece, proto);
	if (*proto == PROTO_ROUTING) {
		if (!print_routing(print, *piece, &length))
			return false;
	} else if (*proto == PROTO_FRAGMENT) {
		if (!print_fragment(print, *piece, ends))
			return false;
	} else {
		const uint8_t *options = piece_at(*piece, 0, 2);

		length = options ? ((size_t)options[1] + 1) * 8 : 8;
		if (!piece_at(*piece, 0, length)) {
			print_short(print, *proto == PROTO_HOPOPTS ? "hbhopt" : "dstopt");
			return false;
		}
		text_add(&print->text, *proto == PROTO_HOPOPTS ? "HBH " : "DSTOPT ");
	}
	*proto = piece->at[0];
	*piece = piece_from(*piece, length);
	return true;
}

static void print_ip6_body(struct print *print, const uint8_t *ip, struct piece piece)
{
	struct ends ends = { ip + IPV6_SRC, ip + IPV6_DST, FAMILY_6, false, false };
	uint8_t proto = ip[IPV6_NXT];

	if (!has_ports(proto)) {
		print_ends(print, &ends);
		ends.is_said = true;
	}
	for (bool is_new = true;
		(proto == PROTO_HOPOPTS || proto == PROTO_DSTOPTS || proto == PROTO_ROUTING ||
			proto == PROTO_FRAGMENT || proto == PROTO_AH) &&
		!text_is_full(&print->text);) {
		if (proto == PROTO_HOPOPTS && !is_new) {
			text_add(&print->text,
				"[The Hop-by-Hop Options header was already found] (invalid)");
			return;
		}
		is_new &= proto != PROTO_HOPOPTS;
		if (!print_extension(print, &piece, &proto, &ends))
			return;
	}
	print_transport(print, piece, proto, &ends);
}

void print_ip6(struct print *print, struct piece piece)
{
	const uint8_t *ip = piece_at(piece, 0, IPV6_HEADER);
	struct text *text = &print->text;

	if (!ip) {
		print_short(print, "ip6");
		return;
	}
	if (ip[0] >> 4 != 6) {
		text_add(text, "IP6 version error: %u != 6", ip[0] >> 4);
		return;
	}
	size_t total = (size_t)load_be16(ip + IPV6_PLEN) + IPV6_HEADER;

	text_add(text, "IP6 ");
	if (total > piece.len)
		text_add(text, "truncated-ip6 - %zu bytes missing!", total - piece.len);
	print_ip6_body(print, ip, piece_from(piece_first(piece, total), IPV6_HEADER));
}

/* RFC 2784 and 2890. */
void print_gre(struct print *print, struct piece piece)
{
	const uint8_t *gre = piece_at(piece, 0, 4);
	size_t offset = 4;

	if (!gre) {
		if (piece_at(piece, 0, 2))
			text_add(&print->text, "GREv%u", piece.at[1] & 7);
		print_short(print, "gre");
		return;
	}
	struct text *text = &print->text;
	bool has[] = { gre[0] & 0x80, gre[0] & 0x20, gre[0] & 0x10 }; /* checksum, key, sequence */

	text_add(text, "GREv%u", gre[1] & 7);
	if (gre[1] & 7) {
		text_add(text, ", length %zu", piece.len);
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *word = piece_at(piece, offset, 4);

		if (!has[i])
			continue;
		if (!word) {
			print_short(print, "gre");
			return;
		}
		switch (i) {
		case 0:
			text_add(text, ", off 0x%x", load_be16(word + 2));
			break;
		case 1:
			text_add(text, ", key=0x%x", load_be32(word));
			break;
		case 2:
			text_add(text, ", seq %u", load_be32(word));
		}
		offset += 4;
	}
	text_add(text, ", length %zu: ", piece.len);
	uint16_t type = load_be16(gre + 2);
	struct piece inner = piece_from(piece, offset);

	if (type == ETH_TYPE_TEB)
		print_eth(print, inner);
	else if (type == ETH_TYPE_ARP || !print_ethertype(print, inner, type))
		text_add(text, "gre-proto-0x%04x", type);
}
