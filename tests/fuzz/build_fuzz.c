/* SPDX-License-Identifier: MIT */
/* Lists of layers, fields, values and options -> a packet -> other payloads, tags, other packets of
 * it: what is not told to lie is right, and stays right. */
#include "tests/fuzz/fuzz.h"

#include "host/packet/build.h"
#include "host/packet/edit.h"
#include "host/packet/inner.h"
#include "host/packet/mutate.h"
#include "host/packet/option.h"
#include "host/packet/pack.h"
#include "host/packet/stack.h"

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

enum { LAYERS = PACKET_LAYERS, FIELDS = 4 };

struct list {
	struct build_layer layers[LAYERS];
	struct build_field fields[LAYERS][FIELDS];
	unsigned options[LAYERS]; /* how many stand behind each header */
	uint8_t extra[LAYERS][PACK_MAX];
	unsigned count;
	bool may_lie; /* a length, checksum, number or fragment was given */
};

static bool lies(const struct field *field)
{
	static const char *const names[] = { "type", "etype", "proto", "nxt", "mf", "frag_offset",
		"srcport", "dstport", "flags" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(field->name, names[i]))
			return true;
	}
	return field->written & (WRITTEN_LENGTH | WRITTEN_CHECKSUM);
}

/* Values in the order of the table, as build wants them. */
static void fields_take(struct input *in, struct list *list, struct build_layer *layer)
{
	struct build_field *out = list->fields[layer - list->layers];
	unsigned count, index = 0;
	const struct field *field = field_of_layer(layer->id, &count);

	layer->fields = out;
	for (unsigned n = take(in) % (FIELDS + 1); n; n--) {
		index += take(in) % 8;
		if (index >= count)
			return;
		struct value *value = &out[layer->count].value;
		const struct field *what = &field[index++];

		/* Options as a whole can be built, but not written. */
		bool is_option = what->call && what->option && pack_has(layer->id);
		uint8_t length = is_option ? take(in) : what->width;

		*value = (struct value){ .kind = what->kind, .length = length };
		for (unsigned i = 0; i < length && i < VALUE_BYTES; i++)
			value->bytes[i] = take(in);
		memcpy(&value->number, value->bytes, sizeof(value->number));
		if (kind_is_number(what->kind))
			value->number %= field_max(what) + 1;
		if (!is_option && field_check(what, value) != FIELD_OK)
			continue;
		out[layer->count++].field = what;
		list->may_lie = list->may_lie || lies(what);
	}
}

/* RFC 791's own options say where they are filled up to, which random bytes do not. */
static bool is_record(enum layer_id id, uint8_t number)
{
	return id == LAYER_ip && (number == 7 || number == 68 || number == 131 || number == 137);
}

/* Options, those of the fields among them, or DNS records. */
static void extra_take(struct input *in, struct list *list, struct build_layer *layer)
{
	size_t index = (size_t)(layer - list->layers);
	uint8_t data[255];
	struct pack pack;

	if (layer->id == LAYER_dns) {
		layer->questions = take(in) % 4;
		layer->answers = take(in) % 4;
		for (layer->extra_length = take(in); layer->extra_length > in->size;)
			layer->extra_length /= 2;
		layer->extra = in->data;
	}
	if (!pack_has(layer->id))
		return;
	pack_init(&pack, layer->id);
	for (unsigned n = take(in) % 7; n; n--) {
		uint8_t number = take(in), len = take(in);
		enum pack_header header =
			layer->id == LAYER_ipv6 ? take(in) % PACK_HEADERS : PACK_HOP_BY_HOP;

		for (unsigned i = 0; i < len; i++)
			data[i] = take(in);
		if (pack_option(&pack, header, number, data, len) != PACK_OK)
			continue;
		list->options[index]++;
		list->may_lie = list->may_lie || is_record(layer->id, number);
	}
	if (pack_fields(&pack, list->fields[index], &layer->count) != PACK_OK)
		layer->count = 0;
	pack_end(&pack, list->extra[index], layer);
}

static void list_take(struct input *in, struct list *list)
{
	enum layer_id before = LAYER_none;

	for (unsigned n = 1 + take(in) % LAYERS; n; n--) {
		enum layer_id id = LAYER_none + 1 + take(in) % (LAYER_COUNT - 1);
		unsigned byte = take(in);

		/* Mostly what may stand there: else little gets past the first check. */
		for (unsigned i = 0; byte % 16 && i < LAYER_COUNT && !stack_may_follow(before, id);
			i++)
			id = id + 1 < LAYER_COUNT ? id + 1 : LAYER_none + 1;
		struct build_layer *layer = &list->layers[list->count++];

		layer->id = id;
		if (byte & 16)
			fields_take(in, list, layer);
		if (byte & 32)
			extra_take(in, list, layer);
		before = id;
	}
}

/* Of a packet, and of as many as were built inside it. */
static bool is_right(struct packet *p, unsigned depth)
{
	const struct layer *network = network_layer(p);
	const struct layer *transport = network ? checksum_transport(p, network) : NULL;
	struct packet view;

	if (p->malformed || !ip_verifies(p))
		return false;
	if (transport && !checksum_transport_is_right(p, network, transport))
		return false;
	return !depth || (inner_view(&view, p) && is_right(&view, depth - 1));
}

static unsigned options_count(const struct packet *p, const struct layer *layer)
{
	struct option_walk walk;
	struct option option;
	unsigned count = 0;
	uint8_t header;

	if (layer->id == LAYER_ipv6) {
		for (unsigned n = 0; option_walk_extension(&walk, p, layer, n, &header); n++) {
			while (option_next(&walk, &option))
				count++;
		}
	} else if (option_walk(&walk, p, layer)) {
		while (option_next(&walk, &option))
			count++;
	}
	return count;
}

/* What was built reads again; fields may have put more there. */
static void options_are_there(const struct packet *p, const struct list *list)
{
	for (unsigned i = 0; i < p->layer_count && i < list->count; i++) {
		const struct layer *layer = &p->layer[i];

		if (layer->id == list->layers[i].id && layer->id != LAYER_icmpv6)
			CHECK(options_count(p, layer) >= list->options[i]);
	}
}

/* How many packets lie in the outermost. */
static unsigned depth_of(const struct list *list)
{
	unsigned depth = 0;

	for (unsigned i = 1; i < list->count; i++)
		depth += list->layers[i].id <= LAYER_ipv6 && list->layers[i - 1].id >= LAYER_ip;
	return depth < INNER_DEPTH ? depth : INNER_DEPTH;
}

static void payload_changes(const struct packet *was, struct input *in)
{
	uint8_t bytes[600];
	size_t at = edit_payload_at(was), len = (size_t)take(in) * 2 + take(in) % 2;
	struct packet *p = packet_copy(was);
	/* A fragment's UDP length is that of its datagram. */
	bool was_right = !(was->traits & TRAIT_FRAGMENT) && is_right(p, 0);

	for (size_t i = 0; i < len; i++)
		bytes[i] = take(in);
	if (len > edit_payload_most(p, PACKET_BYTES_MAX)) {
		packet_free(p);
		return;
	}
	if (edit_payload(p, bytes, len) == EDIT_ROOM) {
		CHECK(same_bytes(p, was));
		p = packet_grow(p, PACKET_HEADROOM, packet_length(p) + len);
		CHECK(p && same_bytes(p, was) && edit_payload(p, bytes, len) == EDIT_OK);
	}
	layers_check(p);
	CHECK(packet_length(p) == at + len && !memcmp(p->data + at, bytes, len));
	if (was_right && !p->malformed)
		CHECK(is_right(p, 0));
	packet_free(p);
}

/* The same of the packet inside: what is around it follows. */
static void inner_payload_changes(const struct packet *was, struct input *in)
{
	uint8_t bytes[300] = { 0 };
	struct packet view, *p = packet_copy(was);
	size_t len = take(in);

	p = packet_grow(p, PACKET_HEADROOM, packet_length(p) + sizeof(bytes));
	CHECK(p);
	bool was_right = is_right(p, 1) && inner_view(&view, p) &&
			 !(view.traits & TRAIT_FRAGMENT) &&
			 len <= edit_payload_most(&view, PACKET_BYTES_MAX);

	if (was_right) {
		size_t at = edit_payload_at(&view);

		CHECK(edit_payload(&view, bytes, len) == EDIT_OK);
		layers_check(p);
		layers_check(&view);
		CHECK(packet_length(&view) == at + len && view.tail == p->tail);
		CHECK(view.malformed || is_right(p, 1));
	}
	packet_free(p);
}

static void tags_change(const struct packet *was)
{
	struct packet *p = packet_copy(was);
	const struct layer *tag = packet_layer(p, LAYER_vlan);
	uint16_t behind = tag ? load_be16(layer_bytes(p, tag) + 2) : 0;
	bool is_eth = packet_layer(p, LAYER_eth), has_2 = behind == 0x8100 || behind == 0x88a8;
	enum edit_status status = edit_push_vlan(p);

	CHECK(status == (!is_eth ? EDIT_ABSENT : has_2 ? EDIT_FULL : EDIT_OK));
	if (status == EDIT_OK) {
		layers_check(p);
		CHECK(!p->malformed == !was->malformed);
		CHECK(edit_pop_vlan(p, LAYER_vlan) == EDIT_OK);
	}
	CHECK(packet_length(p) == packet_length(was));
	if (edit_pop_vlan(p, LAYER_vlan2) == EDIT_OK)
		layers_check(p);
	/* Behind two tags that are followed there may be more, which come up. */
	for (size_t len = packet_length(p); edit_pop_vlan(p, LAYER_vlan) == EDIT_OK;) {
		layers_check(p);
		len -= VLAN_HEADER;
		CHECK(packet_length(p) == len);
	}
	CHECK(!packet_layer(p, LAYER_vlan));
	packet_free(p);
}

static void others_are_made(const struct packet *was, struct input *in)
{
	struct rng rng = { (uint64_t)take(in) << 8 | take(in) };
	struct packet *p = packet_copy(was);

	p = packet_grow(p, PACKET_HEADROOM, packet_length(p) + MUTATE_PAYLOAD);
	if (!p->malformed) {
		mutate_fields(p, &rng);
		layers_check(p);
		CHECK(!p->malformed && p->layer_count == was->layer_count && p->has == was->has);
		CHECK((p->traits & TRAIT_FRAGMENT) || is_right(p, 0));
	}
	bool is_empty = !packet_length(p);

	CHECK(mutate_corrupt(p, &rng) == !is_empty);
	layers_check(p);
	CHECK(p->malformed || !is_right(p, 0));
	packet_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct list *list = calloc(1, sizeof(*list));
	struct build_why why;

	list_take(&in, list);
	size_t payload = in.size / 2, headers = build_length(list->layers, list->count);
	struct packet *p = packet_new(headers, in.data, payload);

	in.data += payload;
	in.size -= payload;
	enum build_status status = build(p, list->layers, list->count, &why);

	CHECK(status != BUILD_ROOM && status != BUILD_LENGTH);
	if (status != BUILD_OK) {
		CHECK(packet_length(p) == payload && why.layer <= list->count && !p->layer_count);
	} else {
		layers_check(p);
		CHECK(packet_length(p) == headers + payload);
		if (!list->may_lie) {
			CHECK(is_right(p, depth_of(list)));
			options_are_there(p, list);
		}
		payload_changes(p, &in);
		inner_payload_changes(p, &in);
		tags_change(p);
		others_are_made(p, &in);
	}
	packet_free(p);
	free(list);
	return 0;
}
