/* SPDX-License-Identifier: MIT */
/* Writes options and extension headers one behind the other. */
#include "host/packet/pack.h"

#include <string.h>

#include "host/packet/option.h"
#include "host/packet/wire.h"

enum {
	OPTION_HEAD = 2, /* number and length */
	WORDS_MOST = 40, /* of IPv4 and TCP options: a header has at most 15 words */
	END_DHCP = 255,
	PADN = 1,
};

bool pack_has(enum layer_id layer)
{
	return layer == LAYER_ip || layer == LAYER_ipv6 || layer == LAYER_tcp ||
	       layer == LAYER_icmpv6 || layer == LAYER_dhcp;
}

void pack_init(struct pack *pack, enum layer_id layer)
{
	pack->layer = layer;
	pack->is_fragment = pack->is_listed = false;
	pack->part[PACK_HOP_BY_HOP].len = pack->part[PACK_DESTINATION].len = 0;
}

/* 0 and 1 are padding or the end, but not in neighbour discovery (RFC 4861 4.6) and of DHCP 0 alone
 * (RFC 2132 3.1). */
uint8_t pack_least_number(enum layer_id layer)
{
	return layer == LAYER_icmpv6 || layer == LAYER_dhcp ? 1 : 2;
}

uint8_t pack_most_number(enum layer_id layer)
{
	return layer == LAYER_dhcp ? END_DHCP - 1 : 255;
}

size_t pack_most(enum layer_id layer)
{
	switch (layer) {
	case LAYER_ip:
	case LAYER_tcp:
		return WORDS_MOST;
	case LAYER_ipv6: /* RFC 8200 4.3: 256 units of eight bytes, two of them the header's */
	case LAYER_dhcp:
		return PACK_PART - OPTION_HEAD;
	default:
		return PACK_PART;
	}
}

size_t pack_most_data(enum layer_id layer)
{
	if (layer == LAYER_icmpv6)
		return (size_t)255 * 8 - OPTION_HEAD;
	return layer == LAYER_ip || layer == LAYER_tcp ? WORDS_MOST - OPTION_HEAD : 255;
}

enum pack_status pack_option(
	struct pack *pack, enum pack_header header, uint8_t number, const uint8_t *data, size_t len)
{
	struct pack_part *part = &pack->part[header];
	size_t size = OPTION_HEAD + len, told = size;

	if (number < pack_least_number(pack->layer) || number > pack_most_number(pack->layer))
		return PACK_NUMBER;
	if (len > pack_most_data(pack->layer))
		return PACK_LONG;
	if (pack->layer == LAYER_icmpv6) {
		size = (size + 7) / 8 * 8;
		told = size / 8;
	} else if (pack->layer == LAYER_ipv6 || pack->layer == LAYER_dhcp) {
		told = len;
	}
	if (size > pack_most(pack->layer) - part->len)
		return PACK_FULL;
	uint8_t *at = part->bytes + part->len;

	memset(at, 0, size);
	at[0] = number;
	at[1] = (uint8_t)told;
	if (data && len)
		memcpy(at + OPTION_HEAD, data, len);
	part->len += size;
	return PACK_OK;
}

static bool has_option(const struct pack *pack, uint8_t number)
{
	const struct pack_part *part = &pack->part[PACK_HOP_BY_HOP];

	for (size_t at = 0; at < part->len;) {
		size_t told = part->bytes[at + 1];

		if (part->bytes[at] == number)
			return true;
		at += pack->layer == LAYER_icmpv6 ? told * 8
		      : pack->layer == LAYER_dhcp ? told + OPTION_HEAD
						  : told;
	}
	return false;
}

/* RFC 8200 4.5: these lie in the fragment header. */
static bool is_of_fragment(const struct field *field)
{
	return field->layer == LAYER_ipv6 && field->at && !field->option;
}

/* What of a field's option has to be there; *is_whole: then nothing of it is left to write. */
static enum pack_status field_option(
	struct pack *pack, const struct build_field *in, bool *is_whole)
{
	const struct field *field = in->field;
	const uint8_t *data = NULL;
	size_t len = option_least(pack->layer, field->option);

	*is_whole = field->call;
	if (field->call && field->kind == FIELD_BOOL && !in->value.number)
		return PACK_OK;
	if (field->call && field->kind >= FIELD_BYTES) {
		data = in->value.bytes;
		len = in->value.length;
	}
	if (has_option(pack, field->option))
		return PACK_OK;
	return pack_option(pack, PACK_HOP_BY_HOP, field->option, data, len);
}

enum pack_status pack_fields(struct pack *pack, struct build_field *fields, unsigned *count)
{
	enum pack_status status = PACK_OK;
	unsigned kept = 0;

	for (unsigned i = 0; i < *count && status == PACK_OK; i++) {
		bool is_whole = false;

		if (is_of_fragment(fields[i].field))
			pack->is_fragment = true;
		else if (fields[i].field->option)
			status = field_option(pack, &fields[i], &is_whole);
		if (!is_whole)
			fields[kept++] = fields[i];
	}
	*count = kept;
	return status;
}

/* RFC 8200 4.2: Pad1 and PadN fill up to eight bytes; 4.8: the length does not count the first
 * eight. */
static size_t extension_write(const struct pack_part *part, uint8_t *out)
{
	size_t size = (OPTION_HEAD + part->len + 7) / 8 * 8, pad = size - OPTION_HEAD - part->len;

	if (!part->len)
		return 0;
	memset(out, 0, size);
	out[1] = (uint8_t)(size / 8 - 1);
	memcpy(out + OPTION_HEAD, part->bytes, part->len);
	if (pad > 1) {
		out[size - pad] = PADN;
		out[size - pad + 1] = (uint8_t)(pad - OPTION_HEAD);
	}
	return size;
}

/* In the order of RFC 8200 4.1. Each header's first byte is the number of the next; build writes
 * that of the last. */
static size_t extensions_write(const struct pack *pack, uint8_t *out, uint8_t *first)
{
	uint8_t *nxt = first;
	size_t len = extension_write(&pack->part[PACK_HOP_BY_HOP], out);

	if (len) {
		*nxt = PROTO_HOPOPTS;
		nxt = out;
	}
	if (pack->is_fragment) {
		*nxt = PROTO_FRAGMENT;
		nxt = out + len;
		memset(nxt, 0, 8);
		len += 8;
	}
	size_t more = extension_write(&pack->part[PACK_DESTINATION], out + len);

	if (more)
		*nxt = PROTO_DSTOPTS;
	return len + more;
}

void pack_end(const struct pack *pack, uint8_t *out, struct build_layer *layer)
{
	const struct pack_part *part = &pack->part[PACK_HOP_BY_HOP];
	size_t len = part->len;

	if (pack->layer == LAYER_ipv6) {
		len = extensions_write(pack, out, &layer->first_extension);
	} else {
		memcpy(out, part->bytes, len);
		if (pack->layer == LAYER_dhcp && (len || pack->is_listed))
			out[len++] = END_DHCP;
		while ((pack->layer == LAYER_ip || pack->layer == LAYER_tcp) && len % 4)
			out[len++] = 0; /* RFC 791 3.1, RFC 9293 3.1: zeros end and pad */
	}
	layer->extra = out;
	layer->extra_length = len;
}
