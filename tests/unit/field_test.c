/* SPDX-License-Identifier: MIT */
/* Every field of fields.def reads, writes and comes back; checksums follow what covers them. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/packet/field.h"
#include "tests/unit/frames.h"

static bool is_number(const struct field *field)
{
	return kind_is_number(field->kind);
}

static bool is_checksum(const struct field *field)
{
	return field->written == WRITTEN_CHECKSUM;
}

/* A length also decides what its checksum sums: what a script writes there stays as written. */
static bool is_length(const struct field *field)
{
	return field->written == WRITTEN_LENGTH;
}

static struct value value_of(const struct field *field, uint64_t number)
{
	struct value value = { .kind = field->kind, .number = number };

	value.length = field->width;
	memset(value.bytes, (int)number, sizeof(value.bytes));
	return value;
}

static struct value value_max(const struct field *field)
{
	return value_of(field, is_number(field) ? field_max(field) : 0xff);
}

static bool value_equal(const struct field *field, const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	return is_number(field) ? a->number == b->number
				: !memcmp(a->bytes, b->bytes, field->width);
}

/* Walks all fields that a sample's layers have; false past the last. */
struct visit {
	unsigned sample, layer, field;
	struct frame frame;
	struct packet *p; /* a fresh one each time */
	const struct layer *at;
	const struct field *what;
};

static bool visit_next(struct visit *v)
{
	if (v->p)
		packet_free(v->p);
	for (;; v->sample++, v->layer = 0) {
		v->p = NULL;
		if (!frame_sample(v->sample, &v->frame))
			return false;
		v->p = frame_packet(&v->frame);
		for (; v->layer < v->p->layer_count; v->layer++, v->field = 0) {
			unsigned count;

			v->at = &v->p->layer[v->layer];
			v->what = field_of_layer(v->at->id, &count) + v->field;
			if (v->field++ < count)
				return true;
		}
		packet_free(v->p);
	}
}

static void is_untouched(const struct visit *v)
{
	ck_assert_mem_eq(v->p->data, v->frame.bytes, v->frame.len);
	ck_assert_uint_eq(v->p->written, 0);
}

START_TEST(every_field_is_in_some_sample)
{
	bool seen[256] = { false };
	struct visit v = { 0 };
	struct value value;

	while (visit_next(&v)) {
		if (field_get(v.p, v.at, v.what, &value) == FIELD_OK)
			seen[v.what - field_table] = true;
	}
	for (unsigned i = 0; i < field_count; i++)
		ck_assert_msg(
			seen[i], "%s.%s", layer_name(field_table[i].layer), field_table[i].name);
}
END_TEST

START_TEST(set_to_its_max_and_back_restores_the_bytes)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		struct value old, now, max = value_max(v.what);

		if (v.what->is_read_only || field_get(v.p, v.at, v.what, &old) != FIELD_OK)
			continue;
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &max), FIELD_OK);
		ck_assert_int_eq(field_get(v.p, v.at, v.what, &now), FIELD_OK);
		ck_assert_msg(value_equal(v.what, &now, &max), "%s.%s", layer_name(v.at->id),
			v.what->name);
		ck_assert_uint_eq(v.p->written, v.what->written);
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &old), FIELD_OK);
		ck_assert_msg(!memcmp(v.p->data, v.frame.bytes, v.frame.len), "sample %u: %s.%s",
			v.sample, layer_name(v.at->id), v.what->name);
	}
}
END_TEST

/* Where a layer's own checksum lies; NULL: it has none. */
static uint8_t *sum_of(const struct packet *p, const struct layer *layer)
{
	if (layer->id == LAYER_ip)
		return layer_bytes(p, layer) + IP_CHECKSUM;
	if (layer->id == LAYER_gre)
		return layer_bytes(p, layer) + GRE_CHECKSUM;
	return checksum_field(p, layer);
}

/* Nothing but the field itself and the checksums changes. */
START_TEST(set_touches_only_its_own_bits_and_checksums)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		struct value value = value_max(v.what);
		const uint8_t *bytes = field_at(v.p, v.at, v.what);

		if (field_set(v.p, v.at, v.what, &value) != FIELD_OK)
			continue;
		size_t at = (size_t)(bytes - v.p->data);

		for (unsigned i = 0; i < v.p->layer_count; i++) {
			const struct layer *layer = &v.p->layer[i];
			uint8_t *sum = sum_of(v.p, layer);

			if (layer->id == LAYER_sctp)
				memcpy(layer_bytes(v.p, layer) + SCTP_CHECKSUM,
					v.frame.bytes + layer->offset + SCTP_CHECKSUM, 4);
			if (sum)
				memcpy(sum, v.frame.bytes + (sum - v.p->data), 2);
		}
		memcpy(v.p->data + at, v.frame.bytes + at, v.what->width);
		ck_assert_mem_eq(v.p->data, v.frame.bytes, v.frame.len);
	}
}
END_TEST

static const unsigned numbers[] = { 0, 1, 2, 0x5a, 0x80, 0xff };

START_TEST(right_checksum_stays_right)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		if (is_checksum(v.what) || is_length(v.what))
			continue;
		for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			struct value value = value_of(v.what, numbers[i]);

			if (field_set(v.p, v.at, v.what, &value) == FIELD_OK)
				ck_assert_msg(frame_verifies(v.p), "sample %u: %s.%s = %u",
					v.sample, layer_name(v.at->id), v.what->name, numbers[i]);
		}
	}
}
END_TEST

/* Falsifies the checksum of the network header or of the transport; false: there is none. */
static bool falsify(struct packet *p, bool of_transport)
{
	const struct layer *last = &p->layer[p->layer_count - 1];
	const struct layer *ip = packet_layer(p, LAYER_ip);

	while (last > p->layer && last->id > LAYER_gre)
		last--;
	uint8_t *sum = NULL;

	if (of_transport && last->id >= LAYER_icmp)
		sum = sum_of(p, last);
	else if (!of_transport && ip)
		sum = sum_of(p, ip);

	if (sum)
		sum[1] ^= 0x55;
	return sum != NULL;
}

START_TEST(wrong_checksum_stays_wrong)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		if (is_checksum(v.what) || is_length(v.what))
			continue;
		for (unsigned t = 0; t < 2; t++) {
			struct packet *p = frame_packet(&v.frame);
			const struct layer *at = &p->layer[v.layer];

			for (unsigned i = 0; falsify(p, t) && i < 6; i++) {
				struct value value = value_of(v.what, numbers[i]);

				field_set(p, at, v.what, &value);
				ck_assert_msg(!frame_verifies(p), "sample %u: %s.%s = %u", v.sample,
					layer_name(at->id), v.what->name, numbers[i]);
				falsify(p, t); /* undone; the loop does it again */
			}
			packet_free(p);
		}
	}
}
END_TEST

START_TEST(checksum_that_is_written_stays_as_written)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		struct value value = value_of(v.what, 0x1234);

		if (!is_checksum(v.what))
			continue;
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_OK);
		const uint8_t *end = field_at(v.p, v.at, v.what) + v.what->width;

		ck_assert_uint_eq(load_be16(end - 2), 0x1234);
		ck_assert_uint_eq(v.p->written, WRITTEN_CHECKSUM);
		ck_assert(!frame_verifies(v.p));
	}
}
END_TEST

START_TEST(udp_checksum_of_0_stays_0)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		const struct layer *udp = packet_layer(v.p, LAYER_udp);

		if (!udp || is_checksum(v.what) || v.what->is_read_only)
			continue;
		store_be16(checksum_field(v.p, udp), 0);
		for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			struct value value = value_of(v.what, numbers[i]);

			field_set(v.p, v.at, v.what, &value);
			ck_assert_uint_eq(load_be16(checksum_field(v.p, udp)), 0);
		}
	}
}
END_TEST

/* RFC 768: 0 would say "none". */
START_TEST(udp_checksum_never_becomes_0)
{
	struct frame f;

	ck_assert(frame_sample(3, &f));
	struct packet *p = frame_packet(&f);
	const struct layer *udp = packet_layer(p, LAYER_udp);
	const struct field *port = field_find(LAYER_udp, "srcport");

	for (unsigned number = 0; number < 65536; number++) {
		struct value value = value_of(port, number);

		if (field_set(p, udp, port, &value) != FIELD_OK ||
			load_be16(checksum_field(p, udp)) == 0 || !frame_verifies(p))
			ck_abort_msg("source port %u", number);
	}
	packet_free(p);
}
END_TEST

START_TEST(ttl_of_every_value_keeps_every_header_checksum_right)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 0);
	struct packet *p = frame_packet(&f);
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct field *ttl = field_find(LAYER_ip, "ttl"), *id = field_find(LAYER_ip, "id");

	for (unsigned number = 0; number < 65536; number++) {
		struct value of_id = value_of(id, number), of_ttl = value_of(ttl, number % 251);

		if (field_set(p, ip, id, &of_id) != FIELD_OK ||
			field_set(p, ip, ttl, &of_ttl) != FIELD_OK || !frame_verifies(p))
			ck_abort_msg("id %u", number);
	}
	packet_free(p);
}
END_TEST

START_TEST(number_out_of_range_leaves_the_packet_untouched)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		if (!is_number(v.what) || v.what->is_read_only)
			continue;
		struct value value = value_of(v.what, field_max(v.what) + 1);

		ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_RANGE);
		value.number = UINT64_MAX;
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_RANGE);
		value.number = UINT64_C(1) << 32;
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_RANGE);
		if (v.what->scale > 1) {
			value.number = field_max(v.what) - 1;
			ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_RANGE);
		}
		is_untouched(&v);
	}
}
END_TEST

START_TEST(value_of_another_kind_leaves_the_packet_untouched)
{
	struct visit v = { 0 };

	while (visit_next(&v)) {
		for (unsigned kind = FIELD_UINT; kind < FIELD_KINDS; kind++) {
			struct value value = { .kind = (uint8_t)kind, .number = 1 };

			if (kind == v.what->kind || v.what->is_read_only)
				continue;
			ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_KIND);
			is_untouched(&v);
		}
	}
}
END_TEST

START_TEST(read_only_field_leaves_the_packet_untouched)
{
	struct visit v = { 0 };
	unsigned count = 0;

	while (visit_next(&v)) {
		struct value value = { .kind = v.what->kind };

		if (!v.what->is_read_only)
			continue;
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_READ_ONLY);
		is_untouched(&v);
		count++;
	}
	ck_assert_uint_ge(count, 4);
}
END_TEST

START_TEST(absent_field_leaves_packet_and_result_untouched)
{
	struct visit v = { 0 };
	unsigned count = 0;

	while (visit_next(&v)) {
		struct value out = { .kind = 77, .number = 99 }, value = value_max(v.what);

		if (field_get(v.p, v.at, v.what, &out) != FIELD_ABSENT || v.what->is_read_only)
			continue;
		ck_assert_uint_eq(out.kind, 77);
		ck_assert_uint_eq(out.number, 99);
		ck_assert_int_eq(field_set(v.p, v.at, v.what, &value), FIELD_ABSENT);
		is_untouched(&v);
		count++;
	}
	ck_assert_uint_gt(count, 0);
}
END_TEST

START_TEST(ident_exists_in_echoes_only_and_target_in_nd_only)
{
	struct frame f = frame_echo("fd00::1", "fd00::7", 56);
	struct packet *p = frame_packet(&f);
	const struct layer *icmp = packet_layer(p, LAYER_icmpv6);
	struct value out;

	for (unsigned type = 0; type < 256; type++) {
		*layer_bytes(p, icmp) = (uint8_t)type;
		ck_assert_int_eq(
			field_get(p, icmp, field_find(LAYER_icmpv6, "ident"), &out) == FIELD_OK,
			type == 128 || type == 129);
		ck_assert_int_eq(
			field_get(p, icmp, field_find(LAYER_icmpv6, "target"), &out) == FIELD_OK,
			type >= 135 && type <= 137);
	}
	packet_free(p);
}
END_TEST

/* A partial checksum is the pseudo-header's sum, which knows the addresses and nothing else. */
START_TEST(partial_checksum_follows_the_addresses_alone)
{
	static const unsigned samples[] = { 3, 4, 5, 6 };

	for (unsigned i = 0; i < 4; i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		struct packet *p = frame_packet(&f);
		const struct layer *network = &p->layer[0], *transport = &p->layer[1];
		uint8_t *sum = checksum_field(p, transport), *ip = layer_bytes(p, network);
		size_t len = f.len - f.transport;
		const struct field *src = field_find(network->id, "src");
		const struct field *port = field_find(transport->id, "srcport");
		struct value of_src = value_of(src, 0x4a), of_port = value_of(port, 99);

		p->csum.state = CSUM_PARTIAL;
		store_be16(sum, frame_pseudo(ip, f.proto, len));
		ck_assert_int_eq(field_set(p, transport, port, &of_port), FIELD_OK);
		ck_assert_uint_eq(load_be16(sum), frame_pseudo(ip, f.proto, len));
		ck_assert_int_eq(field_set(p, network, src, &of_src), FIELD_OK);
		ck_assert_uint_eq(load_be16(sum), frame_pseudo(ip, f.proto, len));
		packet_free(p);
	}
}
END_TEST

/* A copy of v's packet, in which `word` is written; false: refused. */
static bool written(
	const struct visit *v, uint32_t word, bool is_partial, bool is_put, struct frame *out)
{
	struct packet *p = frame_packet(&v->frame);
	const struct layer *layer = &p->layer[v->at - v->p->layer];
	struct value value = value_of(v->what, word);

	p->csum.state = is_partial ? CSUM_PARTIAL : CSUM_NONE;
	if (v->what->kind == FIELD_IP4)
		store_be32(value.bytes, word);
	bool is_done = is_put ? field_is_word(v->what) && field_put(p, layer, v->what, word)
			      : field_set(p, layer, v->what, &value) == FIELD_OK;

	memcpy(out->bytes, p->data, v->frame.len);
	out->len = p->written; /* to be compared too */
	packet_free(p);
	return is_done;
}

START_TEST(put_does_what_set_does_or_nothing)
{
	static const uint32_t words[] = { 0, 1, 0x2a, 0xff, 0x100, 0xffff, 0x10000, 0xc0000201,
		0xffff0000, UINT32_MAX };
	struct visit v = { 0 };
	bool is_taken[256] = { false };

	while (visit_next(&v)) {
		for (unsigned i = 0; i < 20; i++) {
			struct frame put = { 0 }, set = { 0 };
			uint32_t word = words[i % 10];

			if (!written(&v, word, i >= 10, true, &put)) {
				ck_assert_mem_eq(put.bytes, v.frame.bytes, v.frame.len);
				continue;
			}
			ck_assert(written(&v, word, i >= 10, false, &set));
			ck_assert_msg(!memcmp(&put, &set, sizeof(put)), "%s.%s = %x",
				layer_name(v.what->layer), v.what->name, word);
			is_taken[v.what - field_table] = true;
		}
	}
	ck_assert(is_taken[field_find(LAYER_ip, "src") - field_table]);
	ck_assert(is_taken[field_find(LAYER_ip, "ttl") - field_table]);
	ck_assert(is_taken[field_find(LAYER_icmp, "type") - field_table]);
	ck_assert(is_taken[field_find(LAYER_udp, "dstport") - field_table]);
	ck_assert(!is_taken[field_find(LAYER_sctp, "srcport") - field_table]);
}
END_TEST

/* Nobody shall add to what a script wrote as the whole checksum. */
START_TEST(checksum_written_over_a_partial_one_stays_as_written)
{
	static const unsigned samples[] = { 3, 4, 5, 6 };

	for (unsigned i = 0; i < 4; i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		struct packet *p = frame_packet(&f);
		const struct layer *transport = &p->layer[1];
		const struct field *sum = field_find(transport->id, "checksum");
		struct value value = value_of(sum, 0x1234);

		p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)f.transport,
			(uint16_t)(frame_checksum(&f) - f.bytes - f.transport) };
		if (p->layer[0].id == LAYER_ip) {
			const struct field *of_ip = field_find(LAYER_ip, "checksum");

			ck_assert_int_eq(field_set(p, &p->layer[0], of_ip, &value), FIELD_OK);
			ck_assert_int_eq(p->csum.state, CSUM_PARTIAL);
		}
		ck_assert_int_eq(field_set(p, transport, sum, &value), FIELD_OK);
		ck_assert_int_eq(p->csum.state, CSUM_NONE);
		p->csum.state = CSUM_PARTIAL;
		ck_assert(field_put(p, transport, sum, 0x1234));
		ck_assert_int_eq(p->csum.state, CSUM_NONE);
		ck_assert_uint_eq(load_be16(checksum_field(p, transport)), 0x1234);
		packet_free(p);
	}
}
END_TEST

START_TEST(names_are_found_and_others_are_not)
{
	for (unsigned i = 0; i < field_count; i++)
		ck_assert_ptr_eq(
			field_find(field_table[i].layer, field_table[i].name), &field_table[i]);
	ck_assert_ptr_eq(field_find(LAYER_vlan2, "id"), field_find(LAYER_vlan, "id"));
	ck_assert_ptr_null(field_find(LAYER_ip, "hlim"));
	ck_assert_ptr_null(field_find(LAYER_none, "ttl"));
	ck_assert_ptr_null(field_find(LAYER_ip, ""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("field");
	TCase *tc = tcase_create("field");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_field_is_in_some_sample);
	tcase_add_test(tc, set_to_its_max_and_back_restores_the_bytes);
	tcase_add_test(tc, set_touches_only_its_own_bits_and_checksums);
	tcase_add_test(tc, right_checksum_stays_right);
	tcase_add_test(tc, wrong_checksum_stays_wrong);
	tcase_add_test(tc, checksum_that_is_written_stays_as_written);
	tcase_add_test(tc, udp_checksum_of_0_stays_0);
	tcase_add_test(tc, udp_checksum_never_becomes_0);
	tcase_add_test(tc, ttl_of_every_value_keeps_every_header_checksum_right);
	tcase_add_test(tc, number_out_of_range_leaves_the_packet_untouched);
	tcase_add_test(tc, value_of_another_kind_leaves_the_packet_untouched);
	tcase_add_test(tc, read_only_field_leaves_the_packet_untouched);
	tcase_add_test(tc, absent_field_leaves_packet_and_result_untouched);
	tcase_add_test(tc, ident_exists_in_echoes_only_and_target_in_nd_only);
	tcase_add_test(tc, partial_checksum_follows_the_addresses_alone);
	tcase_add_test(tc, put_does_what_set_does_or_nothing);
	tcase_add_test(tc, checksum_written_over_a_partial_one_stays_as_written);
	tcase_add_test(tc, names_are_found_and_others_are_not);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
