/* SPDX-License-Identifier: MIT */
/* Walks the options behind a header and finds the fields that lie in them. */
#include "host/packet/option.h"

#include <string.h>

#include "host/packet/wire.h"

enum option_list { OPTIONS_ip = 1, OPTIONS_tcp, OPTIONS_nd, OPTIONS_dhcp };

enum { PAD_DHCP = 0, END_DHCP = 255, END = 0, NOP = 1, ND_UNIT = 8 };

static const struct {
	uint8_t list, number, least;
	const char *name;
} table[] = {
#define OPTION(LIST, NUMBER, LEAST, NAME) { OPTIONS_##LIST, NUMBER, LEAST, NAME },
#include "host/packet/options.def"
#undef OPTION
};

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

	switch (layer->id) {
	case LAYER_ip:
		walk->list = OPTIONS_ip;
		start = IP_HEADER;
		break;
	case LAYER_tcp:
		walk->list = OPTIONS_tcp;
		start = TCP_HEADER;
		break;
	case LAYER_icmpv6:
		walk->list = OPTIONS_nd;
		start = nd_fixed(*layer_bytes(p, layer));
		end = start ? p->datagram_end : 0;
		break;
	case LAYER_dhcp:
		walk->list = OPTIONS_dhcp;
		end = layer->length > BOOTP_HEADER ? dhcp_end(p, layer) : 0;
		break;
	default:
		return false;
	}
	start += layer->offset;
	walk->at = p->data + (start < end ? start : layer->offset);
	walk->left = start < end ? end - start : 0;
	return walk->left > 0;
}

static const char *name_of(uint8_t list, uint8_t number, size_t length)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].list == list && table[i].number == number)
			return length >= table[i].least ? table[i].name : NULL;
	}
	return NULL;
}

/* Bytes of the option at the front, header included; 0: it lies, or there are no more. */
static size_t option_length(const struct option_walk *walk)
{
	size_t length = walk->left < 2 ? 0 : walk->at[1];

	if (walk->list == OPTIONS_dhcp)
		length = walk->left < 2 ? 0 : length + 2;
	else if (walk->list == OPTIONS_nd)
		length *= ND_UNIT;
	return length >= 2 && length <= walk->left ? length : 0;
}

static bool is_padding(const struct option_walk *walk)
{
	if (walk->list == OPTIONS_nd)
		return false;
	return *walk->at == (walk->list == OPTIONS_dhcp ? PAD_DHCP : NOP);
}

static bool is_end(const struct option_walk *walk)
{
	if (walk->list == OPTIONS_nd)
		return false;
	return *walk->at == (walk->list == OPTIONS_dhcp ? END_DHCP : END);
}

bool option_next(struct option_walk *walk, struct option *out)
{
	while (walk->left && is_padding(walk)) {
		walk->at++;
		walk->left--;
	}
	size_t length = walk->left && !is_end(walk) ? option_length(walk) : 0;

	if (!length) {
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
