/* SPDX-License-Identifier: MIT */
/* Prints TCP: flags, numbers as on the wire (no flow is remembered), options, lengths. */
#include <inttypes.h>

#include "host/packet/print_part.h"
#include "host/packet/wire.h"

/* IANA tcp-parameters: the options that have a form of their own. */
enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_SACK = 5,
	OPTION_ECHO = 6,
	OPTION_ECHO_REPLY = 7,
	OPTION_TIMESTAMP = 8,
	OPTION_CC = 11,
	OPTION_CC_NEW = 12,
	OPTION_CC_ECHO = 13,
	OPTION_MD5 = 19,
	OPTION_USER_TIMEOUT = 28,
	OPTION_AO = 29,
	OPTION_FAST_OPEN = 34,
};

static void print_bytes(struct print *print, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_add(&print->text, "%02x", bytes[i]);
}

/* RFC 2018: the blocks; any length that is no number of blocks lies. */
static bool print_sack(struct print *print, const uint8_t *data, size_t len)
{
	if (len % 8)
		return false;
	text_add(&print->text, "sack %zu ", len / 8);
	for (size_t i = 0; i < len; i += 8)
		text_add(&print->text, "{%" PRIu32 ":%" PRIu32 "}", load_be32(data + i),
			load_be32(data + i + 4));
	return true;
}

/* Options whose length is always the same: how long their data is, or -1. */
static int option_length(uint8_t kind)
{
	switch (kind) {
	case OPTION_MSS:
	case OPTION_USER_TIMEOUT:
		return 2;
	case OPTION_WSCALE:
		return 1;
	case OPTION_SACK_OK:
		return 0;
	case OPTION_ECHO:
	case OPTION_ECHO_REPLY:
	case OPTION_CC:
	case OPTION_CC_NEW:
	case OPTION_CC_ECHO:
		return 4;
	case OPTION_TIMESTAMP:
		return 8;
	case OPTION_MD5:
		return 16;
	}
	return -1;
}

/* data holds what option_length says. */
static void print_fixed(struct print *print, uint8_t kind, const uint8_t *data)
{
	static const char *const words[] = { [OPTION_ECHO] = "echo",
		[OPTION_ECHO_REPLY] = "echoreply",
		[OPTION_CC] = "cc",
		[OPTION_CC_NEW] = "ccnew",
		[OPTION_CC_ECHO] = "" };
	struct text *text = &print->text;

	switch (kind) {
	case OPTION_MSS:
		text_add(text, "mss %u", load_be16(data));
		break;
	case OPTION_WSCALE:
		text_add(text, "wscale %u", data[0]);
		break;
	case OPTION_SACK_OK:
		text_add(text, "sackOK");
		break;
	case OPTION_TIMESTAMP:
		text_add(text, "TS val %" PRIu32 " ecr %" PRIu32, load_be32(data),
			load_be32(data + 4));
		break;
	case OPTION_USER_TIMEOUT: {
		unsigned timeout = load_be16(data) >> 1;

		text_add(text, "uto 0x%x %u", load_be16(data),
			load_be16(data) & 1 ? timeout * 60 : timeout);
		break;
	}
	case OPTION_MD5:
		text_add(text, "md5 shared secret not supplied with -M, can't check - ");
		print_bytes(print, data, 16);
		break;
	default:
		text_add(text, "%s %" PRIu32, words[kind], load_be32(data));
	}
}

static bool print_other(struct print *print, uint8_t kind, const uint8_t *data, size_t len)
{
	struct text *text = &print->text;

	switch (kind) {
	case OPTION_SACK:
		return print_sack(print, data, len);
	case OPTION_AO:
		if (len < 2)
			return false;
		text_add(text, "tcp-ao keyid %u rnextkeyid %u mac 0x", data[0], data[1]);
		print_bytes(print, data + 2, len - 2);
		return true;
	case OPTION_FAST_OPEN:
		text_add(text, "tfo ");
		text_add(text, len ? " cookie " : " cookiereq");
		print_bytes(print, data, len);
		return true;
	}
	text_add(text, "unknown-%u 0x", kind);
	print_bytes(print, data, len);
	return true;
}

/* The option at the start of `left` bytes, of the size it says. How many bytes it took, 0: it lies.
 * Those of one length take that, whatever they say. */
static size_t print_option(struct print *print, const uint8_t *option, size_t left)
{
	size_t size = left > 1 ? option[1] : 0;
	int length = option_length(option[0]);

	if (size < 2 || size > left)
		return 0;
	if (length < 0)
		return print_other(print, option[0], option + 2, size - 2) ? size : 0;
	if (left < (size_t)length + 2)
		return 0;
	print_fixed(print, option[0], option + 2);
	if (size != (size_t)length + 2)
		text_add(&print->text, "[len %zu]", size);
	return (size_t)length + 2;
}

static bool print_options(struct print *print, const uint8_t *options, size_t len)
{
	struct text *text = &print->text;
	bool is_first = true;

	text_add(text, ", options [");
	while (len) {
		size_t size = 1;

		if (!is_first)
			text_add(text, ",");
		if (options[0] == OPTION_END) {
			text_add(text, "eol");
			break;
		}
		if (options[0] == OPTION_NOP)
			text_add(text, "nop");
		else
			size = print_option(print, options, len);
		if (!size) {
			text_add(text, is_first ? "[bad opt]" : "[bad opt]]");
			return false;
		}
		is_first = false;
		options += size;
		len -= size;
	}
	text_add(text, "]");
	return true;
}

static void print_flags(struct print *print, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";
	char found[sizeof(letters)] = { 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < 8; i++) {
		if (flags & 1 << i)
			found[count++] = letters[i];
	}
	text_add(&print->text, "Flags [%s]", count ? found : "none");
}

static bool is_http(uint16_t port)
{
	return port == 80 || port == 8080 || port == 3128;
}

/* How long the first line is, if it is a whole one of text; else 0. */
static size_t line_length(struct piece data)
{
	for (size_t i = 0; i < data.have; i++) {
		if (data.at[i] == '\r' || data.at[i] == '\n')
			return i;
		if (data.at[i] < ' ' || data.at[i] > '~')
			return 0;
	}
	return 0;
}

/* A request or status line, or that there is more of what came before. */
static void print_http(struct print *print, struct piece data)
{
	static const char *const starts[] = { "GET ", "PUT ", "HEAD ", "POST ", "DELETE ",
		"CONNECT ", "OPTIONS ", "TRACE ", "HTTP/" };
	size_t length = line_length(data);

	text_add(&print->text, ": HTTP");
	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t start = strlen(starts[i]);

		if (length < start || memcmp(data.at, starts[i], start) != 0)
			continue;
		text_add(&print->text, ": %.*s", (int)length, (const char *)data.at);
		return;
	}
}

static void print_data(struct print *print, const uint8_t *ports, struct piece data)
{
	uint16_t src = load_be16(ports), dst = load_be16(ports + 2);

	if (!data.len)
		return;
	if (is_http(src) || is_http(dst)) {
		print_http(print, data);
	} else if ((src == 53 || dst == 53) && data.have > 2) {
		text_add(&print->text, " ");
		print_dns(print, piece_from(data, 2), false);
	}
}

static void print_numbers(struct print *print, const uint8_t *tcp, size_t payload)
{
	uint32_t seq = load_be32(tcp + 4);
	uint8_t flags = tcp[TCP_FLAGS];
	struct text *text = &print->text;

	if (payload)
		text_add(text, ", seq %" PRIu32 ":%" PRIu32, seq, (uint32_t)(seq + payload));
	else if (flags & 7)
		text_add(text, ", seq %" PRIu32, seq);
	if (flags & 0x10)
		text_add(text, ", ack %" PRIu32, load_be32(tcp + 8));
	text_add(text, ", win %u", load_be16(tcp + 14));
	if (flags & 0x20)
		text_add(text, ", urg %u", load_be16(tcp + 18));
}

void print_tcp(struct print *print, struct piece piece, const struct ends *ends)
{
	const uint8_t *ports = piece_at(piece, 0, 4);
	const uint8_t *tcp = piece_at(piece, 0, TCP_HEADER);
	struct text *text = &print->text;

	if (!ports) {
		print_ends(print, ends);
		text_add(text, "[|tcp]");
		return;
	}
	print_ports(print, ends, ports);
	if (!tcp) {
		print_short(print, "tcp");
		return;
	}
	size_t length = (size_t)(tcp[TCP_OFFSET] >> 4) * 4;

	if (length < TCP_HEADER) {
		text_add(text, " tcp %zu [bad hdr length %zu - too short, < 20]",
			piece.len - length, length);
		return;
	}
	print_flags(print, tcp[TCP_FLAGS]);
	if (length > piece.len) {
		text_add(text, " [bad hdr length %zu - too long, > %zu]", length, piece.len);
		return;
	}
	print_numbers(print, tcp, piece.len - length);
	if (!piece_at(piece, 0, length)) {
		text_add(text, ", options [|tcp]");
		return;
	}
	if (length > TCP_HEADER && !print_options(print, tcp + TCP_HEADER, length - TCP_HEADER))
		return;
	text_add(text, ", length %zu", piece.len - length);
	print_data(print, ports, piece_from(piece, length));
}
