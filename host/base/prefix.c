/* SPDX-License-Identifier: MIT */
/* Tells which addresses belong together. */
#include "host/base/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool addr_parse(struct addr *out, const char *text)
{
	struct addr addr = { 0 };
	bool is_6 = strchr(text, ':') != NULL;

	if (inet_pton(is_6 ? AF_INET6 : AF_INET, text, addr.bytes) != 1)
		return false;
	addr.family = is_6 ? FAMILY_6 : FAMILY_4;
	*out = addr;
	return true;
}

bool prefix_parse(struct prefix *out, const char *text)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT];
	struct addr addr;

	if (!slash) {
		if (!addr_parse(&addr, text))
			return false;
		*out = (struct prefix){ addr, (uint8_t)(family_bytes(addr.family) * 8) };
		return true;
	}
	size_t host_len = (size_t)(slash - text);

	if (host_len >= sizeof(host) || slash[1] < '0' || slash[1] > '9' || strlen(slash) > 4)
		return false;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	char *end;
	unsigned long len = strtoul(slash + 1, &end, 10);

	if (*end || !addr_parse(&addr, host) || len > family_bytes(addr.family) * 8)
		return false;
	*out = (struct prefix){ addr, (uint8_t)len };
	return true;
}

const char *addr_text(const struct addr *addr, char *out)
{
	int family = addr->family == FAMILY_6 ? AF_INET6 : AF_INET;

	return inet_ntop(family, addr->bytes, out, ADDR_TEXT);
}

const char *prefix_text(const struct prefix *prefix, char *out)
{
	addr_text(&prefix->addr, out);
	size_t len = strlen(out);

	snprintf(out + len, PREFIX_TEXT - len, "/%u", prefix->len);
	return out;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, family_bytes(a->family));
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8))
		return false;
	unsigned rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	return !rest || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

bool prefix_contains(const struct prefix *prefix, uint8_t family, const uint8_t *bytes)
{
	return prefix->addr.family == family && same_bits(prefix->addr.bytes, bytes, prefix->len);
}

bool prefix_overlap(const struct prefix *a, const struct prefix *b)
{
	return a->addr.family == b->addr.family &&
	       same_bits(a->addr.bytes, b->addr.bytes, a->len < b->len ? a->len : b->len);
}

static uint32_t number_of(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

const char *prefix_host_check(const struct prefix *prefix)
{
	static const uint8_t zero[16];
	const struct addr *addr = &prefix->addr;
	bool is_4 = addr->family == FAMILY_4;
	uint32_t host = prefix->len < 31 ? UINT32_MAX >> prefix->len : 0;

	if (!memcmp(addr->bytes, zero, family_bytes(addr->family)))
		return "the unspecified address";
	if (is_4 ? addr->bytes[0] >> 4 == 0xe : addr->bytes[0] == 0xff)
		return "a multicast address";
	if (is_4 && number_of(addr->bytes) == UINT32_MAX)
		return "the broadcast address";
	if (is_4 && host && (number_of(addr->bytes) & host) == host)
		return "the broadcast address of its network";
	return NULL;
}

bool prefix_is_network_or_broadcast(const struct prefix *prefix, const uint8_t *bytes)
{
	if (prefix->addr.family != FAMILY_4 || prefix->len > 30)
		return false;
	uint32_t addr = number_of(bytes);
	uint32_t host = UINT32_MAX >> prefix->len;

	return prefix_contains(prefix, FAMILY_4, bytes) &&
	       ((addr & host) == 0 || (addr & host) == host);
}
