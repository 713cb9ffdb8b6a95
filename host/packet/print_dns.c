/* SPDX-License-Identifier: MIT */
/* Prints DNS messages: questions, and the answers of the common types (RFC 1035, 6762). */
#include "host/base/prefix.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

enum {
	/* Of the header's second word. */
	DNS_RESPONSE = 0x8000,
	DNS_AUTHORITATIVE = 0x0400,
	DNS_TRUNCATED = 0x0200,
	DNS_RECURSION_DESIRED = 0x0100,
	DNS_RECURSION_AVAILABLE = 0x0080,
	DNS_AUTHENTIC = 0x0020,
	DNS_CHECKING_DISABLED = 0x0010,

	NAME_MAX_BYTES = 255,
	QUERY_ZERO = 0x06cf, /* what is 0 in a query */
	OPCODE_INVERSE = 1,
};

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_OPT = 41
};

struct dns {
	struct print *print;
	struct piece message;
	size_t at; /* where the next question or record starts */
	bool is_multicast;
};

/* Moves *at behind the name there, which may end in a pointer; false: it does not fit. */
static bool name_skip(struct piece message, size_t *at)
{
	for (size_t here = *at;;) {
		const uint8_t *length = piece_at(message, here, 1);

		if (!length || *length & 0xc0) {
			*at = here + 2;
			return length && (*length & 0xc0) == 0xc0;
		}
		here += 1 + (size_t)*length;
		if (!*length) {
			*at = here;
			return true;
		}
	}
}

static bool print_label(struct print *print, struct piece message, size_t at, uint8_t length)
{
	const uint8_t *label = piece_at(message, at, length);

	for (unsigned i = 0; label && i < length; i++)
		print_char(print, label[i]);
	if (label)
		text_add(&print->text, ".");
	return label;
}

/* The name at `at`; false: it does not fit. A pointer may only point before what led to it. */
static bool print_name(struct print *print, struct piece message, size_t at)
{
	size_t limit = at, count = 0;

	for (;;) {
		const uint8_t *length = piece_at(message, at, 1);

		if (!length)
			return false;
		if ((*length & 0xc0) == 0xc0) {
			const uint8_t *pointer = piece_at(message, at, 2);

			if (!pointer)
				return false;
			at = load_be16(pointer) & 0x3fff;
			if (at >= limit) {
				text_add(&print->text, "<BAD PTR>");
				return false;
			}
			limit = at;
			continue;
		}
		if (!*length) {
			if (!count)
				text_add(&print->text, ".");
			return true;
		}
		if (count >= NAME_MAX_BYTES) {
			text_add(&print->text, "<DOMAIN NAME TOO LONG>");
			return true;
		}
		if (*length & 0xc0 || !print_label(print, message, at + 1, *length))
			return false;
		count += 1 + (size_t)*length;
		at += 1 + (size_t)*length;
	}
}

static void print_type(struct print *print, uint16_t type)
{
	static const char *const first[] = { NULL, "A", "NS", "MD", "MF", "CNAME", "SOA", "MB",
		"MG", "MR", "NULL", "WKS", "PTR", "HINFO", "MINFO", "MX", "TXT", "RP", "AFSDB",
		"X25", "ISDN", "RT", "NSAP", "NSAP_PTR", "SIG", "KEY", "PX", "GPOS", "AAAA", "LOC",
		"NXT", "EID", "NIMLOC", "SRV", "ATMA", "NAPTR", "KX", "CERT", "A6", "DNAME", "SINK",
		"OPT", "APL", "DS", "SSHFP", "IPSECKEY", "RRSIG", "NSEC", "DNSKEY" };
	static const char *const middle[] = { "SPF", "UINFO", "UID", "GID", "UNSPEC", "UNSPECA" };
	static const char *const last[] = { "TKEY", "TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY",
		"URI" };
	const char *name = NULL;

	if (type < sizeof(first) / sizeof(first[0]))
		name = first[type];
	else if (type >= 99 && type < 99 + sizeof(middle) / sizeof(middle[0]))
		name = middle[type - 99];
	else if (type >= 249 && type < 249 + sizeof(last) / sizeof(last[0]))
		name = last[type - 249];
	if (name) {
		text_add(&print->text, " %s", name);
		return;
	}
	text_add(&print->text, " Type%u", type);
}

static void print_class(struct print *print, uint16_t class)
{
	if (class == 3)
		text_add(&print->text, " CHAOS");
	else if (class == 4)
		text_add(&print->text, " HS");
	else if (class == 255)
		text_add(&print->text, " ANY");
	else if (class != 1)
		text_add(&print->text, " (Class %u)", class);
}

static bool print_question(struct dns *dns)
{
	size_t start = dns->at;
	struct print *print = dns->print;

	if (!name_skip(dns->message, &dns->at))
		return false;
	const uint8_t *question = piece_at(dns->message, dns->at, 4);

	if (!question)
		return false;
	uint16_t class = load_be16(question + 2);

	print_type(print, load_be16(question));
	if (dns->is_multicast) {
		text_add(&print->text, class & 0x8000 ? " (QU)" : " (QM)");
		class &= 0x7fff;
	}
	print_class(print, class);
	text_add(&print->text, "? ");
	dns->at += 4;
	return print_name(print, dns->message, start);
}

static bool print_strings(struct dns *dns, size_t at, size_t end)
{
	struct text *text = &dns->print->text;

	while (at < end && !text_is_full(text)) {
		const uint8_t *length = piece_at(dns->message, at, 1);
		const uint8_t *string = length ? piece_at(dns->message, at + 1, *length) : NULL;

		if (!string)
			return false;
		text_add(text, " \"");
		for (unsigned i = 0; i < *length; i++)
			print_char(dns->print, string[i]);
		text_add(text, "\"");
		at += 1 + (size_t)*length;
	}
	return true;
}

/* What a record says, from `at` to `end`, which are there. */
static bool print_data(struct dns *dns, uint16_t type, size_t at, size_t end)
{
	struct print *print = dns->print;
	const uint8_t *data = dns->message.at + at;

	switch (type) {
	case TYPE_A:
	case TYPE_AAAA: {
		uint8_t family = type == TYPE_A ? FAMILY_4 : FAMILY_6;

		if (end - at < family_bytes(family))
			return false;
		text_add(&print->text, " ");
		print_addr(print, family, data);
		return true;
	}
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case 39: /* DNAME */
		text_add(&print->text, " ");
		return print_name(print, dns->message, at);
	case TYPE_MX:
		text_add(&print->text, " ");
		if (end - at < 2 || !print_name(print, dns->message, at + 2))
			return false;
		text_add(&print->text, " %u", load_be16(data));
		return true;
	case TYPE_SRV:
		text_add(&print->text, " ");
		if (end - at < 6 || !print_name(print, dns->message, at + 6))
			return false;
		text_add(&print->text, ":%u %u %u", load_be16(data + 4), load_be16(data),
			load_be16(data + 2));
		return true;
	case TYPE_TXT:
		return print_strings(dns, at, end);
	}
	return true;
}

/* A record that ends before its data is passed over. */
static bool print_record(struct dns *dns)
{
	struct print *print = dns->print;

	const uint8_t *record =
		name_skip(dns->message, &dns->at) ? piece_at(dns->message, dns->at, 10) : NULL;

	if (!record) {
		dns->at = dns->message.have;
		return true;
	}
	uint16_t type = load_be16(record), class = load_be16(record + 2);
	size_t start = dns->at + 10, end = start + load_be16(record + 8);

	if (type != TYPE_OPT) {
		if (dns->is_multicast && class & 0x8000)
			text_add(&print->text, " (Cache flush)");
		print_class(print, dns->is_multicast ? class & 0x7fff : class);
	}
	print_type(print, type);
	if (!piece_at(dns->message, start, end - start))
		return false;
	dns->at = end;
	return print_data(dns, type, start, end);
}

static const char *opcode_text(unsigned opcode)
{
	static const char *const names[16] = { "", " inv_q", " stat", " op3", " notify", " update",
		" op6", " op7", " op8", " updateA", " updateD", " updateDA", " updateM",
		" updateMA", " zoneInit", " zoneRef" };

	return names[opcode & 15];
}

static const char *rcode_text(unsigned rcode)
{
	static const char *const names[16] = { "", " FormErr", " ServFail", " NXDomain", " NotImp",
		" Refused", " YXDomain", " YXRRSet", " NXRRSet", " NotAuth", " NotZone", " Resp11",
		" Resp12", " Resp13", " Resp14", " NoChange" };

	return names[rcode & 15];
}

static bool print_response(struct dns *dns, const uint8_t *header)
{
	uint16_t flags = load_be16(header + 2);
	unsigned questions = load_be16(header + 4), answers = load_be16(header + 6);
	struct text *text = &dns->print->text;

	text_add(text, "%u%s%s%s%s%s%s", load_be16(header), opcode_text(flags >> 11),
		rcode_text(flags), flags & DNS_AUTHORITATIVE ? "*" : "",
		flags & DNS_RECURSION_AVAILABLE ? "" : "-", flags & DNS_TRUNCATED ? "|" : "",
		flags & DNS_AUTHENTIC ? "$" : "");
	if (questions != 1)
		text_add(text, " [%uq]", questions);
	for (unsigned i = 0; i < questions && !text_is_full(text); i++) {
		if (i)
			text_add(text, ",");
		if (!name_skip(dns->message, &dns->at))
			return false;
		dns->at += 4;
	}
	text_add(text, " %u/%u/%u", answers, load_be16(header + 8), load_be16(header + 10));
	for (unsigned i = 0; i < answers && !text_is_full(text); i++) {
		if (i && dns->at >= dns->message.have)
			return false;
		if (i)
			text_add(text, ",");
		if (!print_record(dns))
			return false;
	}
	return true;
}

static bool print_request(struct dns *dns, const uint8_t *header)
{
	static const char *const sections[] = { "q", "a", "n", "au" };
	uint16_t flags = load_be16(header + 2);
	unsigned is_inverse = (flags >> 11) == OPCODE_INVERSE;
	struct text *text = &dns->print->text;

	text_add(text, "%u%s%s%s", load_be16(header), opcode_text(flags >> 11),
		flags & DNS_RECURSION_DESIRED ? "+" : "", flags & DNS_CHECKING_DISABLED ? "%" : "");
	if (flags & QUERY_ZERO)
		text_add(text, " [b2&3=0x%x]", flags);
	for (unsigned i = 0; i < 4; i++) {
		unsigned count = load_be16(header + 4 + (size_t)i * 2);

		/* An inverse query asks with an answer (RFC 1035 6.4). */
		if (count != (i == is_inverse))
			text_add(text, " [%u%s]", count, sections[i]);
	}
	for (unsigned i = 0; i < load_be16(header + 4) && !text_is_full(text); i++) {
		if (!print_question(dns))
			return false;
	}
	return true;
}

void print_dns(struct print *print, struct piece piece, bool is_multicast)
{
	struct dns dns = { print, piece, DNS_HEADER, is_multicast };
	const uint8_t *header = piece_at(piece, 0, DNS_HEADER);

	if (piece.len < DNS_HEADER) {
		text_add(&print->text, "domain [length %zu < 12] (invalid)", piece.len);
		return;
	}
	if (!header) {
		print_short(print, "domain");
		return;
	}
	bool is_whole = load_be16(header + 2) & DNS_RESPONSE ? print_response(&dns, header)
							     : print_request(&dns, header);

	if (is_whole)
		text_add(&print->text, " (%zu)", piece.len);
	else
		print_short(print, "domain");
}
