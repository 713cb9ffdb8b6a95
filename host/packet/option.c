/* SPDX-License-Identifier: MIT */
/* Walks the options behind a header and finds the fields that lie in them. */
#include "host/packet/option.h"

#include <string.h>

#include "host/packet/wire.h"

enum option_list { OPTIONS_none, OPTIONS_ip, OPTIONS_ip6, OPTIONS_tcp, OPTIONS_nd, OPTIONS_dhcp };

enum { PAD_DHCP = 0, END_DHCP = 255, END = 0, NOP = 1, PAD1 = 0, PADN = 1, ND_UNIT = 8 };

static const struct {
	uint8_t list, number, least;
	const char *name;
} table[] = {
#define OPTION(LIST, NUMBER, LEAST, NAME) { OPTIONS_##LIST, NUMBER, LEAST, NAME },
#include "host/packet/options.def"
#undef OPTION
};

static enum option_list list_of(enum layer_id layer)
{
	switch (layer) {
	case LAYER_ip:
		return OPTIONS_ip;
	case LAYER_ipv6:
		return OPTIONS_ip6;
	case LAYER_tcp:
		return OPTIONS_tcp;
	case LAYER_icmpv6:
		return OPTIONS_nd;
	case LAYER_dhcp:
		return OPTIONS_dhcp;
	default:
		return OPTIONS_none;
	}
}

/* RFC 4861 4: how many bytes stand before the options; 0: such a message has none. */
static size_t nd_fixed(uint8_t type)
{
	switch (type) {
	case ICMPV6_RS:
		return 8;
	case ICMPV6_RA:
		return 16;
	case ICMPV6_NS:
	case ICMPV6_NA:
		return 24;
	case ICMPV6_REDIRECT:
		return 40;
	}
	return 0;
}

/* RFC 768: the UDP length ends what it carries. */
static size_t dhcp_end(const struct packet *p, const struct layer *dhcp)
{
	const struct layer *udp = dhcp - 1;
	size_t end = udp->offset + (size_t)load_be16(layer_bytes(p, udp) + UDP_LENGTH);

	return end < p->datagram_end ? end : p->datagram_end;
}

bool option_walk(struct option_walk *walk, const struct packet *p, const struct layer *layer)
{
	size_t start = layer->length, end = (size_t)layer->offset + layer->length;

	walk->list = list_of(layer->id);
	switch (layer->id) {
	case LAYER_ip:
		start = IP_HEADER;
		break;
	case LAYER_tcp:
		start = TCP_HEADER;
		break;
	case LAYER_icmpv6:
		start = nd_fixed(*layer_bytes(p, layer));
		end = start ? p->datagram_end : 0;
		break;
	case LAYER_dhcp:
		end = layer->length > BOOTP_HEADER ? dhcp_end(p, layer) : 0;
		break;
	default:
		return false;
	}
	start += layer->offset;
	walk->lies = false;
	walk->at = p->data + (start < end ? start : layer->offset);
	walk->left = start < end ? end - start : 0;
	return walk->left > 0;
}

bool option_walk_extension(struct option_walk *walk, const struct packet *p,
	const struct layer *layer, unsigned n, uint8_t *header)
{
	uint8_t *ip = layer_bytes(p, layer);
	uint8_t proto = ip[IPV6_NXT];

	for (size_t at = IPV6_HEADER, size; at + 8 <= layer->length; at += size) {
		bool has_options = proto == PROTO_HOPOPTS || proto == PROTO_DSTOPTS;

		size = proto == PROTO_AH	 ? ((size_t)ip[at + 1] + 2) * 4
		       : proto == PROTO_FRAGMENT ? 8
						 : ((size_t)ip[at + 1] + 1) * 8;
		if (size > layer->length - at)
			return false;
		if (has_options && !n--) {
			*walk = (struct option_walk){ OPTIONS_ip6, false, ip + at + 2, size - 2 };
			*header = proto;
			return true;
		}
		proto = ip[at];
	}
	return false;
}

static const char *name_of(uint8_t list, uint8_t number, size_t length)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].list == list && table[i].number == number)
			return length >= table[i].least ? table[i].name : NULL;
	}
	return NULL;
}

bool option_number(enum layer_id layer, const char *name, uint8_t *out)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].list == list_of(layer) && !strcmp(table[i].name, name)) {
			*out = table[i].number;
			return true;
		}
	}
	return false;
}

void option_names(enum layer_id layer, const char **out, unsigned room)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]) && count + 1 < room; i++) {
		if (table[i].list == list_of(layer))
			out[count++] = table[i].name;
	}
	out[count] = NULL;
}

size_t option_least(enum layer_id layer, uint8_t number)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].list == list_of(layer) && table[i].number == number)
			return table[i].least - 2u;
	}
	return 0;
}

/* Bytes of the option at the front, header included; 0: it lies, or there are no more. */
static size_t option_length(const struct option_walk *walk)
{
	size_t length = walk->left < 2 ? 0 : walk->at[1];

	if (walk->list == OPTIONS_dhcp || walk->list == OPTIONS_ip6)
		length = walk->left < 2 ? 0 : length + 2;
	else if (walk->list == OPTIONS_nd)
		length *= ND_UNIT;
	return length >= 2 && length <= walk->left ? length : 0;
}

/* Bytes of padding at the front; 0: it is none. */
static size_t padding_length(const struct option_walk *walk)
{
	switch (walk->list) {
	case OPTIONS_nd:
		return 0;
	case OPTIONS_ip6: /* RFC 8200 4.2 */
		return *walk->at == PAD1 ? 1 : *walk->at == PADN ? option_length(walk) : 0;
	default:
		return *walk->at == (walk->list == OPTIONS_dhcp ? PAD_DHCP : NOP);
	}
}

static bool is_end(const struct option_walk *walk)
{
	if (walk->list == OPTIONS_nd || walk->list == OPTIONS_ip6)
		return false;
	return *walk->at == (walk->list == OPTIONS_dhcp ? END_DHCP : END);
}

bool option_next(struct option_walk *walk, struct option *out)
{
	for (size_t pad; walk->left && (pad = padding_length(walk));) {
		walk->at += pad;
		walk->left -= pad;
	}
	size_t length = walk->left && !is_end(walk) ? option_length(walk) : 0;

	if (!length) {
		walk->lies = walk->left && !is_end(walk);
		walk->left = 0;
		return false;
	}
	*out = (struct option){ .number = walk->at[0],
		.length = (uint16_t)(length - 2),
		.data = walk->at + 2,
		.name = name_of(walk->list, walk->at[0], length) };
	walk->at += length;
	walk->left -= length;
	return true;
}

static bool option_find(
	const struct packet *p, const struct layer *layer, uint8_t number, struct option *out)
{
	struct option_walk walk;

	if (!option_walk(&walk, p, layer))
		return false;
	while (option_next(&walk, out)) {
		if (out->number == number)
			return true;
	}
	return false;
}

uint8_t *option_at(const struct packet *p, const struct layer *layer, const struct field *field)
{
	struct option option;

	if (!option_find(p, layer, field->option, &option) ||
		field->offset + field->width > option.length)
		return NULL;
	return option.data + field->offset;
}

bool option_is_there(const struct packet *p, const struct layer *layer, const struct field *field,
	struct value *out)
{
	struct option option;

	if (!option_find(p, layer, field->option, &option))
		return false;
	out->kind = field->kind;
	out->number = 1;
	return true;
}

bool option_bytes(const struct packet *p, const struct layer *layer, const struct field *field,
	struct value *out)
{
	struct option option;

	if (!option_find(p, layer, field->option, &option))
		return false;
	out->kind = field->kind;
	out->length = option.length <= VALUE_BYTES ? option.length : VALUE_BYTES;
	memcpy(out->bytes, option.data, out->length);
	return true;
}
