/* SPDX-License-Identifier: MIT */
/* Prints ICMPv6, neighbour discovery and multicast listener messages. */
#include <inttypes.h>

#include "host/base/prefix.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

enum { QUOTE = 8, QUOTE_MAX = 8 };

static const char *type_name(uint8_t type)
{
	static const char *const errors[] = { NULL, "destination unreachable", "packet too big",
		"time exceeded in-transit", "parameter problem" };
	static const char *const informational[] = { "echo request", "echo reply",
		"multicast listener query", "multicast listener report", "multicast listener done",
		"router solicitation", "router advertisement", "neighbor solicitation",
		"neighbor advertisement", "redirect", "router renumbering" };

	if (type < 5)
		return errors[type];
	if (type >= ICMPV6_ECHO_REQUEST && type <= 138)
		return informational[type - ICMPV6_ECHO_REQUEST];
	return type == 143 ? "multicast listener report v2" : NULL;
}

/* Which transport the quoted packet has, and its ports; NULL: none that is told. */
static const uint8_t *quoted_ports(struct piece piece, uint8_t *proto)
{
	const uint8_t *ip = piece_at(piece, QUOTE, IPV6_HEADER);
	size_t offset = QUOTE + IPV6_HEADER;

	*proto = ip ? ip[IPV6_NXT] : PROTO_NONE;
	for (unsigned i = 0;
		i < QUOTE_MAX && (*proto == PROTO_HOPOPTS || *proto == PROTO_DSTOPTS ||
					 *proto == PROTO_ROUTING || *proto == PROTO_FRAGMENT);
		i++) {
		const uint8_t *extension = piece_at(piece, offset, 2);

		if (!extension)
			return NULL;
		offset += *proto == PROTO_FRAGMENT ? 8 : ((size_t)extension[1] + 1) * 8;
		*proto = extension[0];
	}
	return *proto == PROTO_TCP || *proto == PROTO_UDP ? piece_at(piece, offset, 4) : NULL;
}

static bool print_port_unreachable(struct print *print, struct piece piece)
{
	uint8_t proto;
	const uint8_t *ports = quoted_ports(piece, &proto);

	text_add(&print->text, ", unreachable port");
	if (!ports)
		return false;
	text_add(&print->text, ", ");
	print_addr(print, FAMILY_6, piece.at + QUOTE + IPV6_DST);
	text_add(&print->text, " %s port %u", proto == PROTO_TCP ? "tcp" : "udp",
		load_be16(ports + 2));
	return true;
}

static bool print_unreachable(struct print *print, struct piece piece, uint8_t code)
{
	static const char *const reasons[] = { ", unreachable route", ",  unreachable prohibited",
		", beyond scope", ", unreachable address" };
	const uint8_t *ip = piece_at(piece, QUOTE, IPV6_HEADER);

	if (code == 4)
		return print_port_unreachable(print, piece);
	text_add(&print->text, "%s", reasons[code]);
	if (!ip)
		return false;
	text_add(&print->text, " ");
	print_addr(print, FAMILY_6, ip + IPV6_DST);
	if (code == 2) {
		text_add(&print->text, ", source address ");
		print_addr(print, FAMILY_6, ip + IPV6_SRC);
	}
	return true;
}

static bool print_error(struct print *print, struct piece piece, const uint8_t *icmp)
{
	static const char *const problems[] = { "erroneous", "next header", "option",
		"incomplete header chain" };
	const uint8_t *ip = piece_at(piece, QUOTE, IPV6_HEADER);
	const uint8_t *word = piece_at(piece, 4, 4);
	struct text *text = &print->text;

	if (icmp[0] == 1)
		return print_unreachable(print, piece, icmp[1]);
	if (icmp[0] == 2 ? !word : !ip && (icmp[0] == 4 || !icmp[1]))
		return false;
	if (icmp[0] == 2) {
		text_add(text, ", mtu %" PRIu32, load_be32(word));
	} else if (icmp[0] == 4) {
		if (icmp[1] < 4)
			text_add(text, ", %s - octet %" PRIu32, problems[icmp[1]], load_be32(word));
		else
			text_add(text, ", code-#%u", icmp[1]);
	} else if (icmp[1] == 0) {
		text_add(text, " for ");
		print_addr(print, FAMILY_6, ip + IPV6_DST);
	} else if (icmp[1] == 1) {
		text_add(text, " (reassembly)");
	} else {
		text_add(text, ", unknown code (%u)", icmp[1]);
	}
	return true;
}

/* RFC 4861: whom it is about. */
static bool print_discovery(struct print *print, struct piece piece, uint8_t type)
{
	const uint8_t *target = piece_at(piece, ND_TARGET, 16);
	struct text *text = &print->text;

	if (type == ICMPV6_RS || type == ICMPV6_RA)
		return true;
	if (!target)
		return false;
	if (type == ICMPV6_REDIRECT) {
		const uint8_t *destination = piece_at(piece, ND_TARGET + 16, 16);

		if (!destination)
			return false;
		text_add(text, ", ");
		print_addr(print, FAMILY_6, destination);
		text_add(text, " to ");
	} else {
		text_add(text, type == ICMPV6_NS ? ", who has " : ", tgt is ");
	}
	print_addr(print, FAMILY_6, target);
	return true;
}

/* RFC 2710 and 3810. */
static bool print_listener(struct print *print, struct piece piece, uint8_t type)
{
	const uint8_t *group = piece_at(piece, 8, 16);
	struct text *text = &print->text;

	if (type == 143) {
		const uint8_t *count = piece_at(piece, 6, 2);

		if (piece.len < 8) {
			text_add(text, " [invalid len %zu]", piece.len);
			return true;
		}
		if (!count)
			return false;
		text_add(text, ", %u group record(s)", load_be16(count));
		return true;
	}
	if (!group && type != 130)
		return true;
	if (type == 130 && piece.len != 24) {
		if (piece.len < 28) {
			text_add(text, " unknown-version (len %zu) ", piece.len);
			return true;
		}
		text_add(text, " v2");
		if (!group)
			return false;
		text_add(text, " [gaddr ");
		print_addr(print, FAMILY_6, group);
		if (!piece_at(piece, 0, 28))
			return false;
		text_add(text, "]");
		return true;
	}
	if (!group)
		return false;
	text_add(text, "max resp delay: %u addr: ", load_be16(piece.at + 4));
	print_addr(print, FAMILY_6, group);
	return true;
}

static bool print_details(struct print *print, struct piece piece, const uint8_t *icmp)
{
	const uint8_t *echo;

	switch (icmp[0]) {
	case 1:
	case 2:
	case 3:
	case 4:
		return print_error(print, piece, icmp);
	case ICMPV6_ECHO_REQUEST:
	case ICMPV6_ECHO_REPLY:
		echo = piece_at(piece, 4, 4);
		if (echo)
			text_add(&print->text, ", id %u, seq %u", load_be16(echo),
				load_be16(echo + 2));
		return echo != NULL;
	case 130:
	case 131:
	case 132:
	case 143:
		return print_listener(print, piece, icmp[0]);
	case 138:
		return true;
	}
	return print_discovery(print, piece, icmp[0]);
}

void print_icmpv6(struct print *print, struct piece piece)
{
	const uint8_t *icmp = piece_at(piece, 0, 1);
	struct text *text = &print->text;

	if (!piece.len) {
		text_add(text, "ICMP6, length 0 (invalid)");
		return;
	}
	if (!icmp) {
		print_short(print, "icmp6");
		return;
	}
	const char *name = type_name(icmp[0]);

	if (name)
		text_add(text, "ICMP6, %s", name);
	else
		text_add(text, "ICMP6, unknown icmp6 type (%u)", icmp[0]);
	if (!piece_at(piece, 0, 2)) {
		print_short(print, "icmp6");
		return;
	}
	if (!name) {
		text_add(text, ", length %zu", piece.len);
		return;
	}
	if (icmp[0] == 1 && icmp[1] > 4) {
		text_add(text, ", unknown unreach code (%u)", icmp[1]);
		return;
	}
	if (print_details(print, piece, icmp))
		text_add(text, ", length %zu", piece.len);
	else
		print_short(print, "icmp6");
}
