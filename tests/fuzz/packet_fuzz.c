/* SPDX-License-Identifier: MIT */
/* Hostile bytes -> parse -> print -> every field read and written: nothing leaves the packet, and
 * checksums stay as right or wrong as they were. */
#include "tests/fuzz/fuzz.h"

#include <linux/virtio_net.h>

#include "host/packet/dissect.h"
#include "host/packet/error.h"
#include "host/packet/inner.h"
#include "host/packet/print.h"
#include "host/packet/reply.h"
#include "host/packet/segment.h"
#include "host/policy/set.h"

enum { FUZZ_PARTIAL = 1 << FUZZ_LEFT };

static const struct reply_self self = { { 2, 0, 0, 0, 0, 2 }, 1700000000000000000 };

static void parse_is_repeatable(const struct packet *p)
{
	struct packet *again = packet_copy(p);

	CHECK(again && same_bytes(p, again));
	parse(again);
	CHECK(again->layer_count == p->layer_count && again->has == p->has);
	CHECK(again->datagram_end == p->datagram_end);
	CHECK(!memcmp(again->layer, p->layer, p->layer_count * sizeof(p->layer[0])));
	CHECK(again->traits == p->traits && again->malformed == p->malformed);
	packet_free(again);
}

static void line_prints(const struct packet *p, size_t room)
{
	char *out = malloc(room);
	size_t len = print_line(p, out, room);

	CHECK(len < room && strlen(out) == len);
	for (size_t i = 0; i < len; i++)
		CHECK(out[i] >= ' ' && out[i] <= '~');
	free(out);
}

static void tree_prints(const struct packet *was, size_t room)
{
	struct packet *p = packet_copy(was);
	char *out = malloc(room);
	size_t len = dissect(p, out, room), column = 0;

	CHECK(len < room && strlen(out) == len && same_bytes(p, was));
	for (size_t i = 0; i < len; i++) {
		CHECK(out[i] == '\n' || (out[i] >= ' ' && out[i] <= '~'));
		column = out[i] == '\n' ? 0 : column + 1;
		CHECK(column <= DISSECT_COLUMNS);
	}
	/* Nothing was cut. */
	CHECK(room < DISSECT_ROOM || !len || out[len - 1] == '\n');
	free(out);
	packet_free(p);
}

static void hex_prints(const struct packet *p)
{
	size_t bytes = packet_length(p);
	char *out = malloc(PRINT_HEX(bytes));
	size_t len = print_hex(p, out, PRINT_HEX(bytes));

	CHECK(len + 1 < PRINT_HEX(bytes) + (bytes == 0) && strlen(out) == len);
	/* Nothing was cut: the last byte is there. */
	if (bytes) {
		char last[3];

		snprintf(last, sizeof(last), "%02x", p->data[bytes - 1]);
		CHECK(len >= 2 && !memcmp(out + len - 2, last, 2));
	}
	free(out);
}

/* A value that depends on the input, of the field's kind and range. */
static struct value value_any(const struct packet *p, const struct field *field)
{
	struct value value = { .kind = field->kind, .length = field->width };
	uint64_t hash = 14695981039346656037u ^ (uint64_t)(field - field_table);

	for (size_t i = 0; i < packet_length(p); i++)
		hash = (hash ^ p->data[i]) * 1099511628211u;
	if (kind_is_number(field->kind))
		value.number = (hash >> 7) % (field_max(field) + 1);
	if (field->scale > 1)
		value.number -= value.number % field->scale;
	for (unsigned i = 0; i < sizeof(value.bytes); i++)
		value.bytes[i] = (uint8_t)(hash >> i % 8 * 8);
	return value;
}

static struct value value_max(const struct field *field)
{
	struct value value = { .kind = field->kind, .length = field->width };

	if (kind_is_number(field->kind))
		value.number = field_max(field);
	memset(value.bytes, 0xff, sizeof(value.bytes));
	return value;
}

static bool same_value(const struct field *field, const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	return !kind_is_number(field->kind) ? !memcmp(a->bytes, b->bytes, field->width)
					    : a->number == b->number;
}

/* Lengths and the protocol change what a checksum covers; checksums stay as written. */
static bool keeps_sums(const struct field *field)
{
	return !(field->written & (WRITTEN_LENGTH | WRITTEN_CHECKSUM)) &&
	       strcmp(field->name, "proto");
}

/* ICMP of zeros alone: its checksum is 0 and should be ffff, which are one number to an edit. */
static bool is_all_zero(const struct packet *p)
{
	const struct layer *icmp = packet_layer(p, LAYER_icmp);

	return icmp && naive_sum(layer_bytes(p, icmp), p->datagram_end - icmp->offset, 0) == 0;
}

static bool is_checksum_byte(const struct packet *p, size_t at)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *transport = transport_layer(p);
	uint8_t *gre = gre_sum(p);

	if (transport && transport->id == LAYER_sctp &&
		(at - transport->offset) / 4 == SCTP_CHECKSUM / 4)
		return true;
	if (transport && transport->id == LAYER_sctp)
		transport = NULL;
	size_t field = transport ? (size_t)(checksum_field(p, transport) - p->data) : 0;

	return (ip && (at - ip->offset) / 2 == IP_CHECKSUM / 2) ||
	       (gre && at - (size_t)(gre - p->data) < 2) ||
	       (transport && (at == field || at == field + 1));
}

static void only_field_changed(const struct packet *before, const struct packet *after,
	const struct layer *layer, const struct field *field)
{
	size_t first = (size_t)(field_at(after, layer, field) - after->data);

	for (size_t i = 0; i < packet_length(before); i++) {
		if (before->data[i] != after->data[i])
			CHECK((i >= first && i < first + field->width) ||
				is_checksum_byte(after, i));
	}
}

/* What rules may do next to a packet that an edit has left. */
static void edited_goes_on(const struct packet *edited)
{
	struct packet *p = packet_copy(edited);
	struct icmp_error error = { 3, 1, 0 };

	line_prints(p, 256);
	if (reply_check(p) == REPLY_MAY)
		reply_turn(p, &self, 64);
	packet_free(p);
	p = packet_copy(edited);
	if (error_may_reset(p))
		error_reset(p);
	else if (error_may(p))
		error_make(p, &error, NULL);
	line_prints(p, 256);
	packet_free(p);
}

static void field_takes(const struct packet *was, unsigned index, const struct field *field,
	const struct value *value)
{
	struct packet *p = packet_copy(was);
	const struct layer *layer = &p->layer[index];
	bool has_sums = is_whole(p) && transport_layer(p) && keeps_sums(field) && !is_all_zero(p);
	struct value now;

	CHECK(field_set(p, layer, field, value) == FIELD_OK);
	CHECK(field_get(p, layer, field, &now) == FIELD_OK && same_value(field, &now, value));
	only_field_changed(was, p, layer, field);
	if (keeps_sums(field))
		CHECK(ip_verifies(p) == ip_verifies(was));
	if (has_sums)
		CHECK(transport_verifies(p) == transport_verifies(was));
	/* Of the many fields a few an input, else the fuzzer does little but this. */
	if ((naive_sum(was->data, packet_length(was), 0) + (size_t)(field - field_table)) % 16 == 0)
		edited_goes_on(p);
	packet_free(p);
}

static void field_check_all(const struct packet *was, unsigned index, const struct field *field)
{
	struct packet *p = packet_copy(was);
	const struct layer *layer = &p->layer[index];
	struct value read = { 0 };
	struct value max = value_max(field), any = value_any(p, field);
	bool is_there = field_get(p, layer, field, &read) == FIELD_OK;

	if (field->is_read_only)
		CHECK(field_set(p, layer, field, &max) == FIELD_READ_ONLY);
	else if (!is_there)
		CHECK(field_set(p, layer, field, &max) == FIELD_ABSENT);
	else
		CHECK(field_set(p, layer, field, &read) == FIELD_OK);
	CHECK(same_bytes(p, was));
	if (kind_is_number(field->kind) && !field->is_read_only) {
		max.number++;
		CHECK(field_set(p, layer, field, &max) == FIELD_RANGE && same_bytes(p, was));
		max.number--;
	}
	packet_free(p);
	if (field->is_read_only || !is_there)
		return;
	CHECK(read.kind == field->kind);
	field_takes(was, index, field, &max);
	field_takes(was, index, field, &any);
}

static void fields_check_all(const struct packet *p)
{
	for (unsigned i = 0; i < p->layer_count; i++) {
		unsigned count;
		const struct field *field = field_of_layer(p->layer[i].id, &count);

		for (; count; field++, count--)
			field_check_all(p, i, field);
	}
}

/* The kernel's transmit offload: the field holds the pseudo-header's sum, edits keep it so. */
static void partial_completes(const struct packet *was)
{
	struct packet *p = packet_copy(was);
	const struct layer *network = network_layer(p);
	const struct layer *transport = transport_layer(p);

	if (transport && is_whole(p) &&
		(transport->id == LAYER_tcp || transport->id == LAYER_udp)) {
		uint8_t *field = checksum_field(p, transport);
		size_t len = p->datagram_end - transport->offset;
		bool is_4 = network->id == LAYER_ip;

		if (transport->id == LAYER_udp)
			store_be16(layer_bytes(p, transport) + UDP_LENGTH, (uint16_t)len);
		store_be16(
			field, checksum_pseudo(layer_bytes(p, network) + (is_4 ? IP_SRC : IPV6_SRC),
				       is_4 ? 8 : 32, p->proto, (uint32_t)len));
		p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)transport->offset,
			(uint16_t)(field - layer_bytes(p, transport)) };
		for (unsigned i = 0; i < field_count; i++) {
			const struct layer *layer = packet_layer(p, field_table[i].layer);
			struct value value = value_any(was, &field_table[i]);

			if (layer && !field_table[i].is_read_only && keeps_sums(&field_table[i]))
				field_set(p, layer, &field_table[i], &value);
		}
		checksum_complete(p);
		CHECK(p->csum.state == CSUM_NONE && transport_verifies(p));
	}
	packet_free(p);
}

/* Its payload is that of p from there on, its headers are known and its checksum is right. */
static void segment_check(
	const struct packet *out, const struct packet *p, size_t headers, size_t at)
{
	size_t len = out->datagram_end - headers;

	CHECK(out->datagram_end == packet_length(out) && at + len <= p->datagram_end);
	CHECK(!memcmp(out->data + headers, p->data + at, len));
	CHECK(out->csum.state == CSUM_NONE && transport_verifies(out));
	layers_check(out);
}

/* The segments of a large packet, put together, are what it carried. */
static void segments_add_up(const struct packet *was, uint16_t size)
{
	static const uint8_t types[] = { VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6,
		VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, VIRTIO_NET_HDR_GSO_UDP, 5 };
	struct packet *p = packet_copy(was);
	struct segments segments;

	for (unsigned i = 0; i < sizeof(types); i++) {
		p->gso = (struct packet_gso){ types[i], size, 0 };
		p->csum.state = CSUM_PARTIAL;
		if (!segments_start(&segments, p))
			continue;
		static const uint8_t zeros[PACKET_BYTES_MAX];
		size_t longest = segments_longest(&segments), at = segments.headers;
		struct packet *out = packet_from_bytes(zeros, longest, LAYER_none);
		unsigned count = 0;

		for (; packet_trim(out, 0) && segments_next(&segments, out); count++) {
			segment_check(out, p, segments.headers, at);
			at += packet_length(out) - segments.headers;
		}
		CHECK(size && count && at == p->datagram_end && same_bytes(p, was));
		packet_free(out);
	}
	packet_free(p);
}

static void sums_fill(const struct packet *was)
{
	struct packet *p = packet_copy(was);
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *transport = transport_layer(p);

	CHECK(checksum_sum(p->data, packet_length(p), 0) ==
		naive_sum(p->data, packet_length(p), 0));
	if (ip) {
		CHECK(checksum_ip_is_right(p, ip) == ip_verifies(p));
		checksum_ip_fill(p, ip);
		CHECK(checksum_ip_is_right(p, ip) && ip_verifies(p));
	}
	if (transport && is_whole(p)) {
		const struct layer *network = network_layer(p);

		CHECK(checksum_transport(p, network) == transport);
		CHECK(checksum_transport_is_right(p, network, transport) == transport_verifies(p));
		checksum_transport_fill(p, network, transport);
		CHECK(checksum_transport_is_right(p, network, transport) && transport_verifies(p));
	}
	packet_free(p);
}

/* mt.set of every field at once, then what comes after: printing, and the packet parsed anew. */
static void set_of_all(const struct packet *was)
{
	struct set_edit *edits = calloc(field_count, sizeof(*edits));
	struct packet *p = packet_copy(was);
	unsigned count = 0;

	for (unsigned i = 0; i < field_count; i++) {
		if (!field_table[i].is_read_only)
			edits[count++] = (struct set_edit){ .field = &field_table[i],
				.value = value_any(p, &field_table[i]) };
	}
	struct set *set = set_new(edits, count);

	set_apply(set, p);
	CHECK(packet_length(p) == packet_length(was) && p->layer_count == was->layer_count);
	edited_goes_on(p);
	parse(p);
	layers_check(p);
	line_prints(p, 256);
	set_release(set);
	packet_free(p);
	free(edits);
}

static void edges_move(const struct packet *was)
{
	struct packet *p = packet_copy(was);
	size_t len = packet_length(p);

	CHECK(!packet_pull(p, len + 1) && !packet_trim(p, len + 1) && same_bytes(p, was));
	CHECK(!packet_push(p, PACKET_HEADROOM + 1) && !packet_put(p, 1));
	CHECK(packet_pull(p, len / 2) && packet_push(p, len / 2) && same_bytes(p, was));
	CHECK(packet_trim(p, len / 2) && packet_length(p) == len / 2);
	parse(p);
	layers_check(p);
	packet_free(p);
}

/* Every edit of a packet in a tunnel leaves the checksums around it as right or wrong as they were.
 */
static void inner_edits(const struct packet *was, unsigned depth)
{
	struct packet views[INNER_DEPTH];
	struct packet *p = packet_copy(was);
	struct packet *view = inner_at(p, views, depth);
	bool is_right = is_whole(p) && transport_layer(p) && transport_verifies(p);
	bool gre_is_right = gre_sum(p) && gre_verifies(p);

	for (unsigned i = 0; i < view->layer_count; i++) {
		const struct layer *layer = &view->layer[i];
		unsigned count;
		const struct field *field = field_of_layer(layer->id, &count);

		for (; count; field++, count--) {
			struct value value = value_any(was, field);

			if (!field->is_read_only)
				field_set(view, layer, field, &value);
			CHECK(!is_right || transport_verifies(p));
			CHECK(!gre_is_right || gre_verifies(p));
		}
	}
	packet_free(p);
}

static void inner_check(const struct packet *was)
{
	struct packet views[INNER_DEPTH];
	struct packet *p = packet_copy(was);

	for (unsigned depth = 1; depth <= INNER_DEPTH; depth++) {
		struct packet *view = inner_at(p, views, depth);

		if (!view)
			break;
		CHECK(view->data >= p->data && view->tail <= p->tail && view->outer);
		layers_check(view);
		line_prints(view, 200);
		struct packet *copy = packet_copy(view);

		fields_check_all(copy);
		packet_free(copy);
		inner_edits(was, depth);
	}
	packet_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct packet *p = fuzz_packet(data + 1, size - 1, data[0]);

	parse_is_repeatable(p);
	line_prints(p, 1);
	line_prints(p, 40);
	line_prints(p, 400);
	line_prints(p, 1 << 14);
	hex_prints(p);
	tree_prints(p, 1);
	tree_prints(p, 100);
	tree_prints(p, DISSECT_ROOM);
	sums_fill(p);
	fields_check_all(p);
	inner_check(p);
	if (data[0] & FUZZ_PARTIAL)
		partial_completes(p);
	segments_add_up(p, data[0] >> FUZZ_LEFT);
	set_of_all(p);
	edges_move(p);
	packet_free(p);
	return 0;
}
