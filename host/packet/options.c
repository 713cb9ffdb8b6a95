/* SPDX-License-Identifier: MIT */
/* Reads and answers the options of an IPv4 header. */
#include "host/packet/options.h"

#include <stdbool.h>
#include <string.h>

#include "host/packet/wire.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_RECORD_ROUTE = 7,
	OPTION_TIMESTAMP = 68,
	OPTION_LOOSE_ROUTE = 131,
	OPTION_STRICT_ROUTE = 137,
	TIMESTAMP_ONLY = 0,
	TIMESTAMP_ADDR = 1,
	TIMESTAMP_PRESPECIFIED = 3,
};

/* RFC 791: a pointer behind the end says full; some room, but too little for an entry, is an error.
 */
static bool has_entry(const uint8_t *option, size_t size)
{
	size_t at = option[2];

	return at > option[1] || at + size - 1 <= option[1];
}

/* The pointer is 1-based and lies behind length and pointer. */
static bool route_fits(const uint8_t *option)
{
	return option[1] >= 3 && option[2] >= 4 && has_entry(option, 4);
}

static size_t timestamp_entry(uint8_t flag)
{
	return flag == TIMESTAMP_ADDR || flag == TIMESTAMP_PRESPECIFIED ? 8 : 4;
}

static bool timestamp_fits(const uint8_t *option)
{
	if (option[1] < 4 || option[2] < 5)
		return false;
	uint8_t flag = option[3] & 0xf;

	/* RFC 791: if the overflow count itself overflows, the datagram is in error. */
	if (option[2] > option[1] && flag != TIMESTAMP_PRESPECIFIED && option[3] >> 4 == 15)
		return false;
	return has_entry(option, timestamp_entry(flag));
}

/* The option at the front: its length, or 0 if it lies. */
static size_t option_length(const uint8_t *option, size_t len)
{
	uint8_t kind = option[0];
	bool is_fit = true;

	if (kind == OPTION_END || kind == OPTION_NOP)
		return 1;
	if (len < 2 || option[1] < 2 || option[1] > len)
		return 0;
	if (kind == OPTION_RECORD_ROUTE || kind == OPTION_LOOSE_ROUTE ||
		kind == OPTION_STRICT_ROUTE)
		is_fit = route_fits(option);
	else if (kind == OPTION_TIMESTAMP)
		is_fit = timestamp_fits(option);
	return is_fit ? option[1] : 0;
}

unsigned options_scan(const uint8_t *options, size_t len)
{
	unsigned found = 0;

	while (len && options[0] != OPTION_END) {
		size_t size = option_length(options, len);

		if (!size)
			return found | OPTIONS_LIE;
		switch (options[0]) {
		case OPTION_LOOSE_ROUTE:
		case OPTION_STRICT_ROUTE:
			found |= OPTIONS_SOURCE_ROUTE;
			break;
		case OPTION_RECORD_ROUTE:
		case OPTION_TIMESTAMP:
			found |= OPTIONS_RECORD;
			break;
		}
		options += size;
		len -= size;
	}
	return found;
}

/* A full record stays as it is: the packet goes on. */
static void route_record(uint8_t *option, const uint8_t *addr)
{
	size_t at = option[2];

	if (at + 3 > option[1])
		return;
	memcpy(option + at - 1, addr, 4);
	option[2] += 4;
}

static void time_record(uint8_t *option, const uint8_t *addr, uint32_t ms)
{
	uint8_t flag = option[3] & 0xf;
	size_t at = option[2];
	size_t size = timestamp_entry(flag);

	if (flag != TIMESTAMP_ONLY && flag != TIMESTAMP_ADDR && flag != TIMESTAMP_PRESPECIFIED)
		return;
	if (at + size - 1 > option[1]) {
		/* RFC 791: the overflow field counts those that found no room. */
		if (flag != TIMESTAMP_PRESPECIFIED && option[3] >> 4 < 15)
			option[3] += 0x10;
		return;
	}
	uint8_t *slot = option + at - 1;

	if (flag == TIMESTAMP_PRESPECIFIED && memcmp(slot, addr, 4))
		return;
	if (flag != TIMESTAMP_ONLY)
		memcpy(slot, addr, 4);
	store_be32(slot + size - 4, ms);
	option[2] = (uint8_t)(at + size);
}

void options_answer(uint8_t *options, size_t len, const uint8_t *addr, uint32_t ms)
{
	while (len && options[0] != OPTION_END) {
		size_t size = option_length(options, len);

		if (options[0] == OPTION_RECORD_ROUTE)
			route_record(options, addr);
		else if (options[0] == OPTION_TIMESTAMP)
			time_record(options, addr, ms);
		else
			memset(options, OPTION_NOP, size);
		options += size;
		len -= size;
	}
}
