/* SPDX-License-Identifier: MIT */
/* Prints ICMP and IGMP messages: what an error says of the packet that it quotes. */
#include <inttypes.h>

#include "host/base/prefix.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

/* Where the quoted packet's fields lie from the message's start. */
enum { QUOTE = ICMP_HEADER, QUOTE_DST = QUOTE + IP_DST };

/* "net %s", "%s unreachable - need to frag" ...: what stands before and after the address. */
static const struct {
	const char *before, *after;
} unreachable[] = {
	{ "net ", " unreachable" },
	{ "host ", " unreachable" },
	{ "", "" }, /* protocol and port, see below */
	{ "", "" },
	{ "", " unreachable - need to frag" },
	{ "", " unreachable - source route failed" },
	{ "net ", " unreachable - unknown" },
	{ "host ", " unreachable - unknown" },
	{ "", " unreachable - source host isolated" },
	{ "net ", " unreachable - admin prohibited" },
	{ "host ", " unreachable - admin prohibited" },
	{ "net ", " unreachable - tos prohibited" },
	{ "host ", " unreachable - tos prohibited" },
	{ "host ", " unreachable - admin prohibited filter" },
	{ "host ", " unreachable - host precedence violation" },
	{ "host ", " unreachable - precedence cutoff" },
};

/* RFC 792: the destination port is in the 8 bytes behind the quoted header. */
static bool port_unreachable(struct print *print, struct piece piece)
{
	const uint8_t *ip = piece_at(piece, QUOTE, IP_HEADER);

	if (!ip)
		return false;
	size_t length = (size_t)(ip[0] & 0xf) * 4;
	const uint8_t *ports = piece_at(piece, QUOTE + length, 4);

	if (!ports)
		return false;
	text_add(&print->text, "ICMP ");
	print_addr(print, FAMILY_4, ip + IP_DST);
	if (ip[IP_PROTO] == PROTO_TCP || ip[IP_PROTO] == PROTO_UDP)
		text_add(&print->text, " %s", ip[IP_PROTO] == PROTO_TCP ? "tcp" : "udp");
	else
		text_add(&print->text, " protocol %u", ip[IP_PROTO]);
	text_add(&print->text, " port %u unreachable", load_be16(ports + 2));
	return true;
}

static bool print_unreachable(struct print *print, struct piece piece, uint8_t code)
{
	const uint8_t *ip = piece_at(piece, QUOTE, IP_HEADER);
	struct text *text = &print->text;

	if (code == 3)
		return port_unreachable(print, piece);
	if (!ip)
		return false;
	bool is_known = code < sizeof(unreachable) / sizeof(unreachable[0]);

	text_add(text, "ICMP %s", is_known ? unreachable[code].before : "");
	print_addr(print, FAMILY_4, ip + IP_DST);
	if (code == 2)
		text_add(text, " protocol %u unreachable", ip[IP_PROTO]);
	else if (is_known)
		text_add(text, "%s", unreachable[code].after);
	else
		text_add(text, " unreachable - #%u", code);
	if (code == 4 && load_be16(piece.at + 6)) /* RFC 1191 */
		text_add(text, " (mtu %u)", load_be16(piece.at + 6));
	return true;
}

static bool print_redirect(struct print *print, struct piece piece, uint8_t code)
{
	static const char *const what[] = { "redirect", "redirect", "redirect-tos",
		"redirect-tos" };
	static const char *const whither[] = { "net ", "host ", "net ", "host " };
	const uint8_t *dst = piece_at(piece, QUOTE_DST, 4);

	if (!dst)
		return false;
	if (code < 4)
		text_add(&print->text, "ICMP %s ", what[code]);
	else
		text_add(&print->text, "ICMP redirect-#%u ", code);
	print_addr(print, FAMILY_4, dst);
	text_add(&print->text, " to %s", code < 4 ? whither[code] : "");
	print_addr(print, FAMILY_4, piece.at + 4);
	return true;
}

/* Milliseconds since midnight UT (RFC 792). */
static void print_clock(struct print *print, const char *name, uint32_t ms)
{
	text_add(&print->text, "%s %02" PRIu32 ":%02" PRIu32 ":%02" PRIu32 ".%03" PRIu32, name,
		ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

static bool print_timestamp(struct print *print, struct piece piece, uint8_t type)
{
	bool is_reply = type == ICMP_TIMESTAMP_REPLY;
	const uint8_t *icmp = piece_at(piece, 0, is_reply ? 20 : 8);

	if (!icmp)
		return false;
	text_add(&print->text, "ICMP time stamp %s id %u seq %u", is_reply ? "reply" : "query",
		load_be16(icmp + ICMP_IDENT), load_be16(icmp + ICMP_SEQ));
	if (is_reply) {
		print_clock(print, ": org", load_be32(icmp + 8));
		print_clock(print, ", recv", load_be32(icmp + 12));
		print_clock(print, ", xmit", load_be32(icmp + 16));
	}
	return true;
}

static bool print_echo(struct print *print, struct piece piece, uint8_t type)
{
	const uint8_t *icmp = piece_at(piece, 0, ICMP_HEADER);

	if (!icmp)
		return false;
	text_add(&print->text, "ICMP echo %s, id %u, seq %u",
		type == ICMP_ECHO_REQUEST ? "request" : "reply", load_be16(icmp + ICMP_IDENT),
		load_be16(icmp + ICMP_SEQ));
	return true;
}

/* RFC 1256. */
static bool print_advertisement(struct print *print, struct piece piece)
{
	const uint8_t *icmp = piece_at(piece, 0, 8);
	struct text *text = &print->text;

	if (!icmp || (icmp[5] == 2 && !piece_at(piece, 8, (size_t)icmp[4] * 8)))
		return false;
	unsigned lifetime = load_be16(icmp + 6);

	text_add(text, "ICMP router advertisement lifetime ");
	if (lifetime < 60)
		text_add(text, "%u", lifetime);
	else if (lifetime < 3600)
		text_add(text, "%u:%02u", lifetime / 60, lifetime % 60);
	else
		text_add(text, "%u:%02u:%02u", lifetime / 3600, lifetime / 60 % 60, lifetime % 60);
	text_add(text, " %u:", icmp[4]);
	if (icmp[5] != 2) {
		text_add(text, " [size %u]", icmp[5]);
		return true;
	}
	for (unsigned i = 0; i < icmp[4] && !text_is_full(text); i++) {
		const uint8_t *entry = icmp + 8 + (size_t)i * 8;

		text_add(text, " {");
		print_addr(print, FAMILY_4, entry);
		text_add(text, " %" PRIu32 "}", load_be32(entry + 4));
	}
	return true;
}

static void print_parameter_problem(struct print *print, const uint8_t *icmp)
{
	if (icmp[1])
		text_add(&print->text, "ICMP parameter problem - code %u", icmp[1]);
	else
		text_add(&print->text, "ICMP parameter problem - octet %u", icmp[4]);
}

static void print_time_exceeded(struct print *print, uint8_t code)
{
	if (code > 1)
		text_add(&print->text, "ICMP time exceeded-#%u", code);
	else
		text_add(&print->text, "ICMP %s",
			code ? "ip reassembly time exceeded" : "time exceeded in-transit");
}

static void print_plain(struct print *print, uint8_t type)
{
	const char *name = type == 4	? "source quench"
			   : type == 10 ? "router solicitation"
			   : type == 15 ? "information request"
			   : type == 16 ? "information reply"
			   : type == 17 ? "address mask request"
					: NULL;

	if (name)
		text_add(&print->text, "ICMP %s", name);
	else
		text_add(&print->text, "ICMP type-#%u", type);
}

static bool print_message(struct print *print, struct piece piece, const uint8_t *icmp)
{
	switch (icmp[0]) {
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		return print_echo(print, piece, icmp[0]);
	case ICMP_UNREACHABLE:
		return print_unreachable(print, piece, icmp[1]);
	case ICMP_REDIRECT:
		return print_redirect(print, piece, icmp[1]);
	case ICMP_ROUTER_ADVERT:
		return print_advertisement(print, piece);
	case ICMP_TIME_EXCEEDED:
		if (!piece_at(piece, QUOTE, IP_HEADER))
			return false;
		print_time_exceeded(print, icmp[1]);
		return true;
	case ICMP_PARAMETER_PROBLEM:
		if (!icmp[1] && !piece_at(piece, 0, 5))
			return false;
		print_parameter_problem(print, icmp);
		return true;
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMP_REPLY:
		return print_timestamp(print, piece, icmp[0]);
	case ICMP_MASK_REPLY:
		if (!piece_at(piece, 0, 12))
			return false;
		text_add(&print->text, "ICMP address mask is 0x%08" PRIx32, load_be32(icmp + 8));
		return true;
	}
	print_plain(print, icmp[0]);
	return true;
}

void print_icmp(struct print *print, struct piece piece)
{
	const uint8_t *icmp = piece_at(piece, 0, 2);

	if (icmp && print_message(print, piece, icmp))
		text_add(&print->text, ", length %zu", piece.len);
	else
		print_short(print, "icmp");
}

/* RFC 3376 4.1.1: tenths of a second, large ones with an exponent. */
static unsigned max_response(uint8_t code)
{
	return code < 128 ? code : (unsigned)((code & 15) | 16) << ((code >> 4 & 7) + 3);
}

static void print_query(struct print *print, struct piece piece, const uint8_t *igmp)
{
	struct text *text = &print->text;
	bool is_v3 = piece.len >= 12;
	const uint8_t *group = piece_at(piece, 4, 4);

	text_add(text, "igmp query v%u", is_v3 ? 3 : igmp[1] ? 2 : 1);
	if (!group) {
		print_short(print, "igmp");
		return;
	}
	if (is_v3 && max_response(igmp[1]) != 100)
		text_add(text, " [max resp time %.1fs]", max_response(igmp[1]) / 10.0);
	else if (!is_v3 && igmp[1] && igmp[1] != 100)
		text_add(text, " [max resp time %u]", igmp[1]);
	if (load_be32(group)) {
		text_add(text, " [gaddr ");
		print_addr(print, FAMILY_4, group);
		text_add(text, "]");
	}
}

/* RFC 1112, 2236, 3376. */
void print_igmp(struct print *print, struct piece piece)
{
	const uint8_t *igmp = piece_at(piece, 0, 8);

	if (!igmp) {
		print_short(print, "igmp");
		return;
	}
	switch (igmp[0]) {
	case 0x11:
		print_query(print, piece, igmp);
		return;
	case 0x12:
	case 0x16:
		text_add(&print->text, "igmp v%u report ", igmp[0] == 0x12 ? 1 : 2);
		print_addr(print, FAMILY_4, igmp + 4);
		return;
	case 0x17:
		text_add(&print->text, "igmp leave ");
		print_addr(print, FAMILY_4, igmp + 4);
		return;
	case 0x22:
		text_add(&print->text, "igmp v3 report");
		if (piece.len < 16 || piece.len % 4)
			text_add(&print->text, " [invalid len %zu]", piece.len);
		else
			text_add(&print->text, ", %u group record(s)", load_be16(igmp + 6));
		return;
	}
	text_add(&print->text, "igmp-%u", igmp[0]);
}
