/* SPDX-License-Identifier: MIT */
/* Sums a packet's bytes. */
#include "host/packet/checksum.h"

#include <string.h>

/* RFC 1071 2(B): the sum does not depend on the byte order it is computed in, so whole machine
 * words are added and only the result is swapped. */
uint16_t checksum_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	uint64_t total = 0;
	uint64_t word;

	for (; len >= 8; bytes += 8, len -= 8) {
		memcpy(&word, bytes, 8);
		total += word;
		total += total < word;
	}
	if (len) {
		word = 0;
		memcpy(&word, bytes, len);
		total += word;
		total += total < word;
	}
	total = (total & 0xffffffff) + (total >> 32);
	total = (total & 0xffffffff) + (total >> 32);
	uint16_t native = checksum_fold((uint32_t)(total & 0xffff) + (uint32_t)(total >> 16));
	uint8_t order[2];

	memcpy(order, &native, 2);
	return checksum_fold((uint32_t)load_be16(order) + checksum_fold(sum));
}

uint16_t checksum_pseudo(const uint8_t *addrs, size_t addrs_len, uint8_t proto, uint32_t len)
{
	uint32_t sum = (len >> 16) + (len & 0xffff) + proto;

	return checksum_sum(addrs, addrs_len, sum);
}

uint8_t *checksum_field(const struct packet *p, const struct layer *transport)
{
	uint8_t *bytes = layer_bytes(p, transport);

	switch (transport->id) {
	case LAYER_icmp:
	case LAYER_icmpv6:
		return bytes + ICMP_CHECKSUM;
	case LAYER_udp:
		return bytes + UDP_CHECKSUM;
	case LAYER_tcp:
		return bytes + TCP_CHECKSUM;
	case LAYER_gre:
		return load_be16(bytes) & GRE_HAS_CHECKSUM ? bytes + GRE_CHECKSUM : NULL;
	}
	return NULL;
}

const struct layer *checksum_transport(const struct packet *p, const struct layer *network)
{
	const struct layer *next = network + 1;

	if (next >= p->layer + p->layer_count || next->id < LAYER_icmp || next->id > LAYER_sctp)
		return NULL;
	return next;
}

bool checksum_ip_is_right(const struct packet *p, const struct layer *ip)
{
	return checksum_sum(layer_bytes(p, ip), ip->length, 0) == 0xffff;
}

void checksum_ip_fill(const struct packet *p, const struct layer *ip)
{
	uint8_t *bytes = layer_bytes(p, ip);

	store_be16(bytes + IP_CHECKSUM, 0);
	store_be16(bytes + IP_CHECKSUM, (uint16_t)~checksum_sum(bytes, ip->length, 0));
}

static uint16_t pseudo_sum(const struct packet *p, const struct layer *network, size_t len)
{
	const uint8_t *bytes = layer_bytes(p, network);

	if (network->id == LAYER_ip)
		return checksum_pseudo(bytes + IP_SRC, 8, p->proto, (uint32_t)len);
	return checksum_pseudo(bytes + IPV6_SRC, 32, p->proto, (uint32_t)len);
}

/* What the length says: a script may have written one to UDP since parse saw one that fits. */
static size_t length_told(const struct packet *p, const struct layer *transport)
{
	if (transport->id == LAYER_udp)
		return load_be16(layer_bytes(p, transport) + UDP_LENGTH);
	return p->datagram_end - transport->offset;
}

uint16_t checksum_transport_sum(
	const struct packet *p, const struct layer *network, const struct layer *transport)
{
	const uint8_t *bytes = layer_bytes(p, transport);
	size_t told = length_told(p, transport), len = p->datagram_end - transport->offset;

	if (transport->id == LAYER_udp)
		len = checksum_udp_covered(told, len);
	if (transport->id == LAYER_icmp || transport->id == LAYER_gre ||
		(p->traits & TRAIT_FRAGMENT))
		return checksum_sum(bytes, len, 0);
	return checksum_sum(bytes, len, pseudo_sum(p, network, told));
}

void checksum_transport_add(const struct packet *p, const struct layer *transport, uint16_t delta)
{
	uint8_t *field = checksum_field(p, transport);
	uint16_t old = field ? load_be16(field) : 0;

	if (!field || (transport->id == LAYER_udp && old == 0))
		return;
	uint16_t now = checksum_add(old, delta);

	store_be16(field, transport->id == LAYER_udp && now == 0 ? 0xffff : now);
}

bool checksum_transport_is_right(
	const struct packet *p, const struct layer *network, const struct layer *transport)
{
	size_t told = length_told(p, transport);

	if (transport->id == LAYER_sctp)
		return checksum_sctp_error(p, transport) == 0;
	if (!checksum_field(p, transport))
		return true;
	if (transport->id == LAYER_udp &&
		checksum_udp_covered(told, p->datagram_end - transport->offset) != told)
		return false;
	if (transport->id == LAYER_udp && load_be16(checksum_field(p, transport)) == 0)
		return network->id == LAYER_ip;
	return checksum_transport_sum(p, network, transport) == 0xffff;
}

void checksum_transport_fill(
	const struct packet *p, const struct layer *network, const struct layer *transport)
{
	uint8_t *field = checksum_field(p, transport);

	if (transport->id == LAYER_sctp)
		checksum_sctp_store(p, transport, 0);
	if (!field)
		return;
	store_be16(field, 0);
	uint16_t checksum = (uint16_t)~checksum_transport_sum(p, network, transport);

	store_be16(field, transport->id == LAYER_udp && checksum == 0 ? 0xffff : checksum);
}

/* RFC 9260 appendix A: CRC-32C, reflected: bit 31 of the polynomial comes first. */
static uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t len)
{
	/* The remainders of the sixteen values of half a byte. */
	static const uint32_t halves[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6,
		0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };

	for (; len; bytes++, len--) {
		crc ^= *bytes;
		crc = crc >> 4 ^ halves[crc & 15];
		crc = crc >> 4 ^ halves[crc & 15];
	}
	return crc;
}

/* Of the packet with a checksum of 0, as it is stored: the low byte first. */
static uint32_t sctp_crc(const struct packet *p, const struct layer *sctp)
{
	static const uint8_t zero[4];
	const uint8_t *bytes = layer_bytes(p, sctp);
	size_t rest = SCTP_CHECKSUM + sizeof(zero);
	uint32_t crc = crc32c(UINT32_MAX, bytes, SCTP_CHECKSUM);

	crc = crc32c(crc, zero, sizeof(zero));
	crc = ~crc32c(crc, bytes + rest, p->datagram_end - sctp->offset - rest);
	return __builtin_bswap32(crc);
}

uint32_t checksum_sctp_error(const struct packet *p, const struct layer *sctp)
{
	return load_be32(layer_bytes(p, sctp) + SCTP_CHECKSUM) ^ sctp_crc(p, sctp);
}

void checksum_sctp_store(const struct packet *p, const struct layer *sctp, uint32_t error)
{
	store_be32(layer_bytes(p, sctp) + SCTP_CHECKSUM, sctp_crc(p, sctp) ^ error);
}

void checksum_complete(struct packet *p)
{
	size_t start = p->csum.start;
	uint8_t *field = packet_at(p, start + p->csum.offset, 2);

	p->csum.state = CSUM_NONE;
	if (!field || start > p->datagram_end)
		return;
	uint16_t checksum = (uint16_t)~checksum_sum(p->data + start, p->datagram_end - start, 0);

	/* RFC 768: a computed 0 is sent as ffff; for TCP and ICMPv6 the two are equal. */
	store_be16(field, checksum ? checksum : 0xffff);
}
