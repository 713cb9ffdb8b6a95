/* SPDX-License-Identifier: MIT */
/* Takes a packet apart by the table of fields, for somebody who reads it. */
#include "host/packet/dissect.h"

#include <inttypes.h>
#include <string.h>

#include "host/base/prefix.h"
#include "host/base/text.h"
#include "host/packet/checksum.h"
#include "host/packet/field.h"
#include "host/packet/inner.h"
#include "host/packet/inspect.h"
#include "host/packet/names.h"
#include "host/packet/print_part.h"
#include "host/packet/wire.h"

enum { INDENT = 2, NAME_COLUMNS = 12, PAYLOAD_LINES = 4, LINE_BYTES = 16 };

/* One line on its way: what is longer than a line is cut, and says so. */
struct line {
	char out[DISSECT_COLUMNS + 1];
	struct text text;
};

static struct text *line_start(struct line *line, unsigned indent)
{
	text_init(&line->text, line->out, sizeof(line->out));
	text_add(&line->text, "%*s", (int)indent, "");
	return &line->text;
}

static void line_end(struct line *line, struct text *out)
{
	if (text_is_full(&line->text))
		memcpy(line->out + DISSECT_COLUMNS - 3, "...", 3);
	text_add(out, "%s\n", line->out);
}

/* The bits that have names, or the one name of a number. */
static void words_add(struct text *text, const struct field *field, uint64_t number)
{
	const char *separator = " (";

	if (field->kind != FIELD_FLAGS) {
		const char *word = names_word(field, number);

		if (word)
			text_add(text, " (%s)", word);
		return;
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *word = number & 1ull << bit ? names_word(field, 1ull << bit) : NULL;

		if (!word)
			continue;
		text_add(text, "%s%s", separator, word);
		separator = "|";
	}
	if (*separator == '|')
		text_add(text, ")");
}

/* What people read in hexadecimal. */
static bool is_hex(const struct field *field)
{
	return field->kind == FIELD_FLAGS || !strcmp(field->name, "checksum") ||
	       !strcmp(field->name, "flags") || field->names == NAMES_ether_type;
}

static void bytes_add(struct text *text, const uint8_t *bytes, size_t len, const char *separator)
{
	for (size_t i = 0; i < len && !text_is_full(text); i++)
		text_add(text, "%s%02x", i ? separator : "", bytes[i]);
}

static void value_add(struct text *text, const struct field *field, const struct value *value)
{
	struct print print = { .text = *text };

	switch ((enum field_kind)value->kind) {
	case FIELD_UINT:
	case FIELD_FLAGS:
		text_add(text, is_hex(field) ? "0x%04" PRIx64 : "%" PRIu64, value->number);
		words_add(text, field, value->number);
		return;
	case FIELD_BOOL:
		text_add(text, "%s", value->number ? "true" : "false");
		return;
	case FIELD_MAC:
		bytes_add(text, value->bytes, MAC_BYTES, ":");
		return;
	case FIELD_IP4:
	case FIELD_IP6:
		print_addr(&print, value->kind == FIELD_IP4 ? FAMILY_4 : FAMILY_6, value->bytes);
		break;
	case FIELD_TEXT:
		for (unsigned i = 0; i < value->length; i++)
			print_char(&print, value->bytes[i]);
		break;
	default:
		bytes_add(text, value->bytes, value->length, " ");
		return;
	}
	*text = print.text;
}

/* Whether the checksum in `layer` is right; nothing where that cannot be told. */
static void judge(struct text *text, const struct packet *p, const struct layer *layer)
{
	if (layer->id == LAYER_ip) {
		text_add(text, checksum_ip_is_right(p, layer) ? ", right" : ", wrong");
		return;
	}
	const struct layer *network = packet_layer(p, LAYER_ip);

	if (!network)
		network = packet_layer(p, LAYER_ipv6);
	if (!network || p->traits & TRAIT_FRAGMENT || checksum_transport(p, network) != layer)
		return;
	if (p->csum.state == CSUM_PARTIAL)
		text_add(text, ", still to be completed");
	else if (layer->id == LAYER_udp && !load_be16(checksum_field(p, layer)))
		text_add(text, ", none");
	else
		text_add(text,
			checksum_transport_is_right(p, network, layer) ? ", right" : ", wrong");
}

/* Where the tree is written, and what it is about. */
struct tree {
	struct text out;
	const uint8_t *start; /* of the outermost packet: offsets count from it */
	unsigned indent;
};

static void range_add(struct tree *tree, const char *name, const uint8_t *from, size_t len)
{
	size_t offset = (size_t)(from - tree->start);
	struct line line;
	struct text *text = line_start(&line, tree->indent);

	text_add(text, "%s, bytes %zu to %zu (%zu)", name, offset, offset + len - 1, len);
	line_end(&line, &tree->out);
}

static void layer_add(struct tree *tree, const struct packet *p, const struct layer *layer)
{
	unsigned count;
	const struct field *field = field_of_layer(layer->id, &count);
	struct line line;

	range_add(tree, layer_name(layer->id), layer_bytes(p, layer), layer->length);
	for (; count && !text_is_full(&tree->out); field++, count--) {
		struct value value;

		if (field_get(p, layer, field, &value) != FIELD_OK)
			continue;
		struct text *text = line_start(&line, tree->indent + INDENT);

		text_add(text, "%-*s ", NAME_COLUMNS, field->name);
		value_add(text, field, &value);
		if (!strcmp(field->name, "checksum"))
			judge(text, p, layer);
		line_end(&line, &tree->out);
	}
}

/* The first bytes of what no field describes, as hexadecimal and as characters. */
static void bytes_show(
	struct tree *tree, const struct packet *p, size_t start, size_t end, const char *name)
{
	struct line line;
	struct text *text;
	unsigned lines = 0;

	if (start >= end)
		return;
	range_add(tree, name, p->data + start, end - start);
	for (size_t at = start; at < end && lines < PAYLOAD_LINES; at += LINE_BYTES, lines++) {
		size_t len = end - at < LINE_BYTES ? end - at : LINE_BYTES;

		text = line_start(&line, tree->indent + INDENT);
		bytes_add(text, p->data + at, len, " ");
		text_add(text, "%*s", (int)(3 * (LINE_BYTES - len) + 2), "");
		for (size_t i = 0; i < len; i++) {
			uint8_t byte = p->data[at + i];

			text_add(text, "%c", byte >= ' ' && byte <= '~' ? byte : '.');
		}
		line_end(&line, &tree->out);
	}
	if (end - start > (size_t)PAYLOAD_LINES * LINE_BYTES) {
		text = line_start(&line, tree->indent + INDENT);
		text_add(text, "...");
		line_end(&line, &tree->out);
	}
}

static void malformed_add(struct tree *tree, const struct packet *p)
{
	struct line line;
	size_t at;
	enum malformed_reason reason = inspect(p, &at);

	if (reason == MALFORMED_none)
		return;
	struct text *text = line_start(&line, tree->indent);

	text_add(text, "malformed at byte %zu: %s", (size_t)(p->data - tree->start) + at,
		malformed_name(reason));
	line_end(&line, &tree->out);
	text = line_start(&line, tree->indent + INDENT);
	text_add(text, "%s", malformed_text(reason));
	line_end(&line, &tree->out);
}

/* Inner packets are few (inner.h), so this calls itself rarely. */
static void packet_add(struct tree *tree, struct packet *p)
{
	struct packet inner;
	size_t end = 0;

	for (unsigned i = 0; i < p->layer_count; i++) {
		layer_add(tree, p, &p->layer[i]);
		end = (size_t)p->layer[i].offset + p->layer[i].length;
	}
	malformed_add(tree, p);
	if (inner_view(&inner, p)) {
		range_add(tree, "inner", inner.data, packet_length(&inner));
		tree->indent += INDENT;
		packet_add(tree, &inner);
		tree->indent -= INDENT;
	} else {
		bytes_show(tree, p, end, p->datagram_end, "payload");
	}
	bytes_show(tree, p, p->datagram_end, packet_length(p), "padding");
}

size_t dissect(struct packet *p, char *out, size_t room)
{
	struct tree tree = { .start = p->data };

	text_init(&tree.out, out, room);
	packet_add(&tree, p);
	return tree.out.len;
}
