/* SPDX-License-Identifier: MIT */
/* Prints UDP and SCTP, and what is told by UDP's ports: DNS, DHCP, VXLAN. */
#include <inttypes.h>

#include "host/packet/print_part.h"
#include "host/packet/wire.h"

/* RFC 951: who asks, if it is an Ethernet. */
static void print_dhcp(struct print *print, struct piece piece)
{
	const uint8_t *dhcp = piece_at(piece, 0, 3);
	struct text *text = &print->text;

	if (!piece_at(piece, 0, 1)) {
		print_short(print, "bootp");
		return;
	}
	text_add(text, "BOOTP/DHCP, ");
	if (piece.at[0] == 1)
		text_add(text, "Request");
	else if (piece.at[0] == 2)
		text_add(text, "Reply");
	else
		text_add(text, "unknown (0x%02x)", piece.at[0]);
	if (!dhcp) {
		print_short(print, "bootp");
		return;
	}
	if (dhcp[0] == 1 && dhcp[1] == 1 && dhcp[2] == MAC_BYTES) {
		const uint8_t *mac = piece_at(piece, 28, MAC_BYTES);

		if (!mac) {
			print_short(print, "bootp");
			return;
		}
		text_add(text, " from ");
		print_mac(print, mac);
	}
	text_add(text, ", length %zu", piece.len);
}

/* RFC 7348 5. The inner frame follows on the same line. */
static void print_vxlan(struct print *print, struct piece piece)
{
	const uint8_t *vxlan = piece_at(piece, 0, 8);
	struct text *text = &print->text;

	text_add(text, "VXLAN");
	if (piece.len < 8) {
		text_add(text, " (invalid)");
		return;
	}
	if (!vxlan) {
		print_short(print, "vxlan");
		return;
	}
	text_add(text, ", flags [%s] (0x%02x), vni %" PRIu32 ": ",
		vxlan[0] & 0x08 ? "I" : "invalid", vxlan[0], load_be32(vxlan + 4) >> 8);
	if (print->depth++ < PRINT_DEPTH)
		print_eth(print, piece_from(piece, 8));
}

static bool has_port(const uint8_t *udp, uint16_t port)
{
	return load_be16(udp) == port || load_be16(udp + 2) == port;
}

void print_udp(struct print *print, struct piece piece, const struct ends *ends)
{
	const uint8_t *ports = piece_at(piece, 0, 4);
	struct text *text = &print->text;

	if (!ports) {
		print_ends(print, ends);
		print_short(print, "udp");
		return;
	}
	print_ports(print, ends, ports);
	if (piece.len < UDP_HEADER) {
		text_add(text, "truncated-udp %zu", piece.len);
		return;
	}
	if (!piece_at(piece, 0, UDP_HEADER)) {
		print_short(print, "udp");
		return;
	}
	size_t length = load_be16(ports + UDP_LENGTH);

	if (length < UDP_HEADER) {
		text_add(text, "truncated-udplength %zu", length);
		return;
	}
	struct piece data = piece_from(piece, UDP_HEADER);
	size_t payload = length - UDP_HEADER;

	if (payload < data.len)
		data = piece_first(data, payload);
	if (has_port(ports, PORT_DNS))
		print_dns(print, data, false);
	else if (has_port(ports, PORT_MDNS))
		print_dns(print, data, true);
	else if (has_port(ports, PORT_DHCP_SERVER) || has_port(ports, PORT_DHCP_CLIENT))
		print_dhcp(print, data);
	else if (load_be16(ports + 2) == PORT_VXLAN)
		print_vxlan(print, data);
	else if (payload > data.len && !ends->is_fragment)
		text_add(text, "UDP, bad length %zu > %zu", payload, data.len);
	else
		text_add(text, "UDP, length %zu", payload);
}

static const char *chunk_name(uint8_t type)
{
	static const char *const names[] = { "DATA", "INIT", "INIT ACK", "SACK", "HB REQ", "HB ACK",
		"ABORT", "SHUTDOWN", "SHUTDOWN ACK", "OP ERR", "COOKIE ECHO", "COOKIE ACK",
		"ECN ECHO", "CWR", "SHUTDOWN COMPLETE" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

/* RFC 9260 3.3.1. */
static void print_chunk_data(struct print *print, const uint8_t *chunk)
{
	text_add(&print->text,
		"%s%s%s [TSN: %" PRIu32 "] [SID: %u] [SSEQ %u] [PPID 0x%" PRIx32 "] ",
		chunk[1] & 4 ? "(U)" : "", chunk[1] & 2 ? "(B)" : "", chunk[1] & 1 ? "(E)" : "",
		load_be32(chunk + 4), load_be16(chunk + 8), load_be16(chunk + 10),
		load_be32(chunk + 12));
}

/* RFC 9260 3.3.4: gaps are counted from the cumulative number. */
static void print_chunk_sack(struct print *print, struct piece chunk)
{
	const uint8_t *sack = chunk.at;
	unsigned gaps = load_be16(sack + 12), dups = load_be16(sack + 14);
	uint32_t base = load_be32(sack + 4);
	struct text *text = &print->text;

	text_add(text, "[cum ack %" PRIu32 "] [a_rwnd %" PRIu32 "] [#gap acks %u] [#dup tsns %u] ",
		base, load_be32(sack + 8), gaps, dups);
	for (unsigned i = 0; i < gaps && !text_is_full(text); i++) {
		const uint8_t *gap = piece_at(chunk, 16 + i * 4, 4);

		if (!gap)
			return;
		text_add(text, "[gap ack block #%u: start = %" PRIu32 ", end = %" PRIu32 "] ",
			i + 1, base + load_be16(gap), base + load_be16(gap + 2));
	}
	for (unsigned i = 0; i < dups && !text_is_full(text); i++) {
		const uint8_t *dup = piece_at(chunk, 16 + gaps * 4 + i * 4, 4);

		if (!dup)
			return;
		text_add(text, "[dup TSN #%u: %" PRIu32 "] ", i + 1, load_be32(dup));
	}
}

static void print_chunk(struct print *print, struct piece chunk)
{
	const uint8_t *bytes = chunk.at;
	const char *name = chunk_name(bytes[0]);
	struct text *text = &print->text;

	if (name)
		text_add(text, "[%s] ", name);
	else
		text_add(text, "[Unknown chunk type: 0x%x] ", bytes[0]);
	if (bytes[0] == 0 && piece_at(chunk, 0, 16))
		print_chunk_data(print, bytes);
	else if ((bytes[0] == 1 || bytes[0] == 2) && piece_at(chunk, 0, 20))
		text_add(text,
			"[init tag: %" PRIu32 "] [rwnd: %" PRIu32
			"] [OS: %u] [MIS: %u] [init TSN: %" PRIu32 "] ",
			load_be32(bytes + 4), load_be32(bytes + 8), load_be16(bytes + 12),
			load_be16(bytes + 14), load_be32(bytes + 16));
	else if (bytes[0] == 3 && piece_at(chunk, 0, 16))
		print_chunk_sack(print, chunk);
}

void print_sctp(struct print *print, struct piece piece, const struct ends *ends)
{
	struct text *text = &print->text;

	if (piece.len < SCTP_HEADER) {
		text_add(text, "truncated-sctp - %zu bytes missing!", SCTP_HEADER - piece.len);
		return;
	}
	if (!piece_at(piece, 0, SCTP_HEADER)) {
		print_short(print, "sctp");
		return;
	}
	print_ports(print, ends, piece.at);
	text_add(text, "sctp");
	struct piece rest = piece_from(piece, SCTP_HEADER);

	for (unsigned i = 1; rest.len && !text_is_full(text); i++) {
		const uint8_t *chunk = piece_at(rest, 0, 4);
		size_t length = chunk ? load_be16(chunk + 2) : 0;

		if (rest.len >= 4 && (!chunk || !piece_at(rest, 0, length))) {
			print_short(print, "sctp");
			return;
		}
		text_add(text, "%s (%u) ", i > 1 ? "," : "", i);
		if (!chunk) {
			text_add(text, "[chunk descriptor cut off at end of packet]");
			return;
		}
		if (length < 4) {
			text_add(
				text, "[Bad chunk length %zu, < size of chunk descriptor]", length);
			return;
		}
		print_chunk(print, piece_first(rest, length));
		rest = piece_from(rest, (length + 3) & ~(size_t)3);
	}
}
