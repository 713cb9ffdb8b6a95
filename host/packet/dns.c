/* SPDX-License-Identifier: MIT */
/* Walks the names and records of a DNS message and finds the fields that lie in them. */
#include "host/packet/dns.h"

#include <string.h>

#include "host/packet/wire.h"

enum { LABEL_MAX = 63, NAME_WIRE_MAX = 255, POINTER = 0xc0, FIXED = 10, FIXED_QUESTION = 4 };

void dns_walk(struct dns_walk *walk, const struct packet *p, const struct layer *dns)
{
	const struct layer *udp = dns - 1;
	size_t end = udp->offset + (size_t)load_be16(layer_bytes(p, udp) + UDP_LENGTH);

	/* A script may have written a length since parse saw one that fits. */
	if (end > p->datagram_end || end < dns->offset + DNS_HEADER)
		end = p->datagram_end;
	walk->message = layer_bytes(p, dns);
	walk->len = end - dns->offset;
	walk->at = DNS_HEADER;
	for (unsigned i = 0; i < DNS_SECTIONS; i++)
		walk->left[i] = load_be16(walk->message + 4 + (size_t)2 * i);
}

/* One byte of a label; false: no room. */
static bool byte_write(char *out, size_t *len, uint8_t byte)
{
	bool is_plain = byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\';
	size_t more = is_plain ? 1 : 4;

	if (*len + more >= DNS_NAME)
		return false;
	if (is_plain) {
		out[*len] = (char)byte;
	} else {
		out[*len] = '\\';
		out[*len + 1] = (char)('0' + byte / 100);
		out[*len + 2] = (char)('0' + byte / 10 % 10);
		out[*len + 3] = (char)('0' + byte % 10);
	}
	*len += more;
	return true;
}

static bool label_write(char *out, size_t *len, const uint8_t *label, size_t bytes)
{
	if (*len) {
		if (*len + 1 >= DNS_NAME)
			return false;
		out[(*len)++] = '.';
	}
	for (size_t i = 0; i < bytes; i++) {
		if (!byte_write(out, len, label[i]))
			return false;
	}
	return true;
}

bool dns_name(const struct dns_walk *walk, size_t *at, char *out)
{
	size_t here = *at, limit = here, end = walk->len, behind = 0, len = 0, wire = 1;

	while (here < end) {
		uint8_t length = walk->message[here];

		if ((length & POINTER) == POINTER) {
			if (here + 2 > end)
				return false;
			size_t to = load_be16(walk->message + here) & 0x3fff;

			behind = behind ? behind : here + 2;
			if (to >= limit)
				return false;
			end = here;
			here = limit = to;
			continue;
		}
		if (!length) {
			out[len] = '\0';
			*at = behind ? behind : here + 1;
			return true;
		}
		wire += 1 + (size_t)length;
		if (length > LABEL_MAX || here + 1 + length > end || wire > NAME_WIRE_MAX ||
			!label_write(out, &len, walk->message + here + 1, length))
			return false;
		here += 1 + (size_t)length;
	}
	return false;
}

bool dns_next(struct dns_walk *walk, struct dns_record *out)
{
	unsigned section = 0;

	while (section < DNS_SECTIONS && !walk->left[section])
		section++;
	size_t fixed = section == DNS_QUESTION ? FIXED_QUESTION : FIXED, at = walk->at;

	if (section == DNS_SECTIONS || !dns_name(walk, &at, out->name) || at + fixed > walk->len)
		return false;
	const uint8_t *bytes = walk->message + at;

	out->section = (enum dns_section)section;
	out->type = load_be16(bytes);
	out->class = load_be16(bytes + 2);
	out->fixed = at;
	out->data = at + fixed;
	out->ttl = 0;
	out->length = 0;
	if (section != DNS_QUESTION) {
		out->ttl = load_be32(bytes + 4);
		out->length = load_be16(bytes + 8);
	}
	if (out->length > walk->len - out->data)
		return false;
	walk->at = out->data + out->length;
	walk->left[section]--;
	return true;
}

/* A label's digit escape "\046"; the bytes of text that it takes, or 0: it is none. */
static size_t escape_read(const char *text, uint8_t *byte)
{
	unsigned number = 0;

	for (unsigned i = 1; i <= 3; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		number = number * 10 + (unsigned)(text[i] - '0');
	}
	*byte = (uint8_t)number;
	return number < 256 ? 4 : 0;
}

size_t dns_name_pack(const char *name, uint8_t *out)
{
	size_t start = 0, len = 1;

	if (!strcmp(name, "."))
		name++;
	while (*name) {
		uint8_t byte = (uint8_t)*name;
		size_t more = byte == '\\' ? escape_read(name, &byte) : 1;

		if (!more)
			return 0;
		if (*name == '.') {
			if (len == start + 1)
				return 0;
			out[start] = (uint8_t)(len - start - 1);
			start = len++;
		} else {
			out[len++] = byte;
		}
		if (len - start - 1 > LABEL_MAX || len >= NAME_WIRE_MAX)
			return 0;
		name += more;
	}
	if (len == start + 1)
		len = start;
	else
		out[start] = (uint8_t)(len - start - 1);
	out[len] = 0;
	return len + 1;
}

static bool question(const struct packet *p, const struct layer *dns, struct dns_walk *walk,
	struct dns_record *out)
{
	dns_walk(walk, p, dns);
	return walk->left[DNS_QUESTION] && dns_next(walk, out);
}

/* The first record that is no question, of `type` (0: any). */
static bool record(const struct packet *p, const struct layer *dns, uint16_t type,
	struct dns_walk *walk, struct dns_record *out)
{
	dns_walk(walk, p, dns);
	while (dns_next(walk, out)) {
		if (out->section != DNS_QUESTION &&
			(type ? out->type == type : out->type != DNS_TYPE_OPT))
			return true;
	}
	return false;
}

static void text_set(struct value *out, const char *name)
{
	for (out->length = 0; name[out->length]; out->length++)
		out->bytes[out->length] = (uint8_t)name[out->length];
}

bool dns_qname(const struct packet *p, const struct layer *layer, const struct field *field,
	struct value *out)
{
	struct dns_walk walk;
	struct dns_record first;

	if (!question(p, layer, &walk, &first))
		return false;
	out->kind = field->kind;
	text_set(out, first.name);
	return true;
}

bool dns_target(const struct packet *p, const struct layer *layer, const struct field *field,
	struct value *out)
{
	struct dns_walk walk;
	struct dns_record first;
	char name[DNS_NAME];

	if (!record(p, layer, field->option, &walk, &first) || !dns_name(&walk, &first.data, name))
		return false;
	out->kind = field->kind;
	text_set(out, name);
	return true;
}

uint8_t *dns_qtype(const struct packet *p, const struct layer *layer, const struct field *field)
{
	struct dns_walk walk;
	struct dns_record first;

	return question(p, layer, &walk, &first) ? walk.message + first.fixed + field->offset
						 : NULL;
}

uint8_t *dns_address(const struct packet *p, const struct layer *layer, const struct field *field)
{
	struct dns_walk walk;
	struct dns_record first;

	if (!record(p, layer, field->option, &walk, &first) || first.length != field->width)
		return NULL;
	return walk.message + first.data;
}

uint8_t *dns_ttl(const struct packet *p, const struct layer *layer, const struct field *field)
{
	struct dns_walk walk;
	struct dns_record first;

	return record(p, layer, 0, &walk, &first) ? walk.message + first.fixed + field->offset
						  : NULL;
}
