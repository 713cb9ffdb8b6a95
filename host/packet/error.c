/* SPDX-License-Identifier: MIT */
/* Turns a packet that is not wanted into the error that says so. */
#include "host/packet/error.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/scope.h"
#include "host/packet/wire.h"

enum {
	ERROR4_MAX = 576,  /* RFC 1812 4.3.2.3 */
	ERROR6_MAX = 1280, /* RFC 4443 2.4 (c) */
	ERROR_TTL = 64,
	TCP_ACK = 8,
	TCP_FLAG_FIN = 1,
	TCP_FLAG_SYN = 2,
	TCP_FLAG_RST = 4,
	TCP_FLAG_ACK = 16,
};

static const struct layer *network_of(const struct packet *p, bool *is_4)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);

	*is_4 = ip != NULL;
	return ip ? ip : packet_layer(p, LAYER_ipv6);
}

/* RFC 792's queries; RFC 4443 2.1: informational messages are those from 128 on. */
static bool is_query(const uint8_t *icmp, bool is_4)
{
	if (!is_4)
		return icmp[0] >= 128 && icmp[0] != ICMPV6_REDIRECT;
	return icmp[0] == ICMP_ECHO_REQUEST || icmp[0] == ICMP_ECHO_REPLY ||
	       icmp[0] == ICMP_TIMESTAMP || icmp[0] == ICMP_TIMESTAMP_REPLY;
}

static bool transport_may(const struct packet *p, const struct layer *network, bool is_4)
{
	const struct layer *transport = checksum_transport(p, network);

	if (!transport)
		return true;
	const uint8_t *bytes = layer_bytes(p, transport);

	/* RFC 1122 3.2.2 and 4.1.3.4, RFC 9293 3.1: what comes damaged is discarded in silence. */
	if (p->csum.state == CSUM_NONE && !(p->traits & TRAIT_FRAGMENT) &&
		!checksum_transport_is_right(p, network, transport))
		return false;
	switch (transport->id) {
	case LAYER_icmp:
	case LAYER_icmpv6:
		return is_query(bytes, is_4);
	case LAYER_tcp:
		return !(bytes[TCP_FLAGS] & TCP_FLAG_RST);
	}
	return true;
}

bool error_may(const struct packet *p)
{
	bool is_4;
	const struct layer *network = network_of(p, &is_4);
	const struct layer *eth = packet_layer(p, LAYER_eth);

	if (!network || !packet_is_sound(p) || (p->traits & TRAIT_LATER))
		return false;
	const uint8_t *ip = layer_bytes(p, network);

	if (eth && ((layer_bytes(p, eth)[0] | layer_bytes(p, eth)[MAC_BYTES]) & 1))
		return false;
	if (is_4 ? !scope_is_unicast4(ip + IP_SRC) || !scope_is_unicast4(ip + IP_DST) ||
				!checksum_ip_is_right(p, network)
		 : !scope_is_unicast6(ip + IPV6_SRC) || !scope_is_unicast6(ip + IPV6_DST))
		return false;
	return transport_may(p, network, is_4);
}

bool error_may_reset(const struct packet *p)
{
	/* Of a fragment the segment's end is not known, and a source-routed one is summed for
	 * another address. */
	return packet_layer(p, LAYER_tcp) && !(p->traits & (TRAIT_FRAGMENT | TRAIT_ROUTED)) &&
	       error_may(p);
}

static void header4(uint8_t *ip, const uint8_t *quoted, const uint8_t *from, size_t total)
{
	memset(ip, 0, IP_HEADER);
	ip[0] = 0x45;
	ip[IP_SERVICE] = 0xc0; /* RFC 1812 4.3.2.5: precedence internetwork control */
	store_be16(ip + IP_LEN, (uint16_t)total);
	ip[IP_TTL] = ERROR_TTL;
	ip[IP_PROTO] = PROTO_ICMP;
	memcpy(ip + IP_SRC, from ? from : quoted + IP_DST, 4);
	memcpy(ip + IP_DST, quoted + IP_SRC, 4);
}

static void header6(uint8_t *ip, const uint8_t *quoted, const uint8_t *from, size_t total)
{
	memset(ip, 0, IPV6_HEADER);
	ip[0] = 0x60;
	store_be16(ip + IPV6_PLEN, (uint16_t)(total - IPV6_HEADER));
	ip[IPV6_NXT] = PROTO_ICMPV6;
	ip[IPV6_HLIM] = ERROR_TTL;
	memcpy(ip + IPV6_SRC, from ? from : quoted + IPV6_DST, 16);
	memcpy(ip + IPV6_DST, quoted + IPV6_SRC, 16);
}

/* The link header comes to stand before the new headers, turned round. */
static void link_header_move(struct packet *p, size_t link_bytes, size_t headers)
{
	memmove(p->data, p->data + headers, link_bytes);
	if (!link_bytes)
		return;
	uint8_t keep[MAC_BYTES];

	memcpy(keep, p->data, MAC_BYTES);
	memcpy(p->data, p->data + MAC_BYTES, MAC_BYTES);
	memcpy(p->data + MAC_BYTES, keep, MAC_BYTES);
}

/* The headers that were written, known without parsing anew: a script may have written link types
 * in which parse finds nothing. */
static void layers_set(struct packet *p, unsigned network, enum layer_id transport, uint8_t proto,
	size_t fixed, size_t transport_bytes)
{
	struct layer *layer = &p->layer[network];

	layer[0].length = (uint16_t)fixed;
	packet_layers_keep(p, network + 1);
	packet_layer_add(p, transport, layer[0].offset + fixed, transport_bytes);
	p->datagram_end = (uint32_t)packet_length(p);
	p->proto = proto;
	p->traits = 0;
	p->csum.state = CSUM_NONE;
}

bool error_make(struct packet *p, const struct icmp_error *error, const uint8_t *from)
{
	bool is_4;
	const struct layer *network = network_of(p, &is_4);
	size_t link_bytes = network->offset;
	size_t fixed = is_4 ? IP_HEADER : IPV6_HEADER;
	size_t headers = fixed + ICMP_HEADER;
	size_t quote = p->datagram_end - link_bytes;
	size_t most = (is_4 ? ERROR4_MAX : ERROR6_MAX) - headers;

	quote = quote < most ? quote : most;
	if (!packet_push(p, headers))
		return false;
	link_header_move(p, link_bytes, headers);
	packet_trim(p, link_bytes + headers + quote);
	uint8_t *ip = p->data + link_bytes;
	uint8_t *icmp = ip + fixed;

	if (is_4)
		header4(ip, ip + headers, from, headers + quote);
	else
		header6(ip, ip + headers, from, headers + quote);
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = error->type;
	icmp[1] = error->code;
	store_be32(icmp + 4, error->rest);
	layers_set(p, (unsigned)(network - p->layer), is_4 ? LAYER_icmp : LAYER_icmpv6,
		is_4 ? PROTO_ICMP : PROTO_ICMPV6, fixed, ICMP_HEADER);
	if (is_4)
		checksum_ip_fill(p, network);
	checksum_transport_fill(p, network, network + 1);
	return true;
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t keep = a[i];

		a[i] = b[i];
		b[i] = keep;
	}
}

void error_reset(struct packet *p)
{
	bool is_4;
	const struct layer *network = network_of(p, &is_4);
	const struct layer *transport = packet_layer(p, LAYER_tcp);
	uint8_t *ip = layer_bytes(p, network);
	size_t fixed = is_4 ? IP_HEADER : IPV6_HEADER;
	uint8_t *tcp = ip + fixed;

	/* Options and extension headers asked something of that packet, not of this one. */
	memmove(tcp, layer_bytes(p, transport), TCP_HEADER);
	uint8_t flags = tcp[TCP_FLAGS];
	uint32_t payload = (uint32_t)(p->datagram_end - transport->offset - transport->length);
	uint32_t end = load_be32(tcp + TCP_SEQ) + payload + !!(flags & TCP_FLAG_SYN) +
		       !!(flags & TCP_FLAG_FIN);
	bool has_ack = flags & TCP_FLAG_ACK;
	uint32_t seq = has_ack ? load_be32(tcp + TCP_ACK) : 0;
	size_t total = network->offset + fixed + TCP_HEADER;

	swap_bytes(tcp, tcp + 2, 2);
	store_be32(tcp + TCP_SEQ, seq);
	store_be32(tcp + TCP_ACK, has_ack ? 0 : end);
	memset(tcp + TCP_OFFSET, 0, TCP_HEADER - TCP_OFFSET);
	tcp[TCP_OFFSET] = 5 << 4;
	tcp[TCP_FLAGS] = has_ack ? TCP_FLAG_RST : TCP_FLAG_RST | TCP_FLAG_ACK;
	packet_trim(p, total);
	if (is_4) {
		ip[0] = 0x45;
		swap_bytes(ip + IP_SRC, ip + IP_DST, 4);
		store_be16(ip + IP_LEN, (uint16_t)(total - network->offset));
		ip[IP_TTL] = ERROR_TTL;
	} else {
		ip[IPV6_NXT] = PROTO_TCP;
		swap_bytes(ip + IPV6_SRC, ip + IPV6_DST, 16);
		store_be16(ip + IPV6_PLEN, (uint16_t)(total - network->offset - IPV6_HEADER));
		ip[IPV6_HLIM] = ERROR_TTL;
	}
	if (p->first == LAYER_eth)
		swap_bytes(p->data, p->data + MAC_BYTES, MAC_BYTES);
	layers_set(p, (unsigned)(network - p->layer), LAYER_tcp, PROTO_TCP, fixed, TCP_HEADER);
	if (is_4)
		checksum_ip_fill(p, network);
	checksum_transport_fill(p, network, network + 1);
}
