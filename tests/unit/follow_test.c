/* SPDX-License-Identifier: MIT */
/* Whatever field is written, the checksums that cover it keep their error: none, or the one they
 * had. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/packet/field.h"
#include "host/packet/parse.h"
#include "tests/unit/frames.h"

/* What the checksums of the outermost datagram are off by, as a receiver finds it on the wire. */
struct error {
	uint16_t ip, transport;
	uint32_t crc;
};

/* ffff and 0 are one number to a one's complement sum. */
static uint16_t off(uint16_t sum)
{
	return sum == 0xffff ? 0 : sum;
}

static struct error error_of(const struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const struct layer *network = ip ? ip : packet_layer(p, LAYER_ipv6);
	struct error error = { 0, 0, 0 };

	if (ip)
		error.ip = off(frame_sum(layer_bytes(p, ip), ip->length, 0));
	if (!network || network + 1 == p->layer + p->layer_count)
		return error;
	const struct layer *transport = network + 1;
	const uint8_t *head = layer_bytes(p, network), *bytes = layer_bytes(p, transport);
	size_t len = p->datagram_end - transport->offset, told = len;
	bool is_alone = network->id == LAYER_ipv6 && network->length > IPV6_HEADER;
	uint8_t proto = is_alone ? p->proto : ip ? head[IP_PROTO] : head[IPV6_NXT];

	if (transport->id == LAYER_sctp) {
		error.crc = load_be32(bytes + 8) ^ frame_crc(bytes, len);
		return error;
	}
	if (transport->id == LAYER_udp) {
		told = load_be16(bytes + UDP_LENGTH);
		len = told < UDP_HEADER ? UDP_HEADER : told < len ? told : len;
	}
	bool has_pseudo = transport->id != LAYER_icmp && transport->id != LAYER_gre;

	error.transport =
		off(frame_sum(bytes, len, has_pseudo ? frame_pseudo(head, proto, told) : 0));
	return error;
}

static bool has_checksum_0(const struct packet *p)
{
	const struct layer *udp = packet_layer(p, LAYER_udp);

	return udp && load_be16(layer_bytes(p, udp) + UDP_CHECKSUM) == 0;
}

static void edit_keeps(struct packet *p, const struct layer *layer, const struct field *field,
	const struct value *value)
{
	struct error before = error_of(p);

	if (field_set(p, layer, field, value) != FIELD_OK)
		return;
	struct error after = error_of(p);

	ck_assert_msg(before.ip == after.ip, "%s.%s: ip %04x, was %04x", layer_name(layer->id),
		field->name, after.ip, before.ip);
	ck_assert_msg(before.crc == after.crc, "%s.%s: crc", layer_name(layer->id), field->name);
	ck_assert_msg(before.transport == after.transport || has_checksum_0(p),
		"%s.%s: transport %04x, was %04x", layer_name(layer->id), field->name,
		after.transport, before.transport);
}

/* Spoils the checksums of the outermost datagram. */
static void spoil(const struct packet *p)
{
	static const struct {
		enum layer_id layer;
		uint8_t offset;
	} sums[] = { { LAYER_ip, IP_CHECKSUM }, { LAYER_icmp, ICMP_CHECKSUM },
		{ LAYER_icmpv6, ICMP_CHECKSUM }, { LAYER_udp, UDP_CHECKSUM },
		{ LAYER_tcp, TCP_CHECKSUM }, { LAYER_sctp, 8 } };

	for (unsigned i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		const struct layer *layer = packet_layer(p, sums[i].layer);

		if (layer)
			layer_bytes(p, layer)[sums[i].offset] ^= 0x5a;
	}
}

static void every_edit(bool is_spoilt)
{
	static const uint8_t patterns[] = { 0, 0xff, 0x5a, 0x07 };
	struct frame frame;
	unsigned edits = 0;

	for (unsigned sample = 0; frame_sample(sample, &frame); sample++) {
		struct packet *p = frame_packet(&frame);

		if (is_spoilt)
			spoil(p);
		for (unsigned i = 0; i < p->layer_count; i++) {
			unsigned count;
			const struct field *field = field_of_layer(p->layer[i].id, &count);

			for (unsigned n = 0; n < 4 * count; n++) {
				const struct field *what = &field[n / 4];
				struct value value = { .kind = what->kind, .length = what->width };

				if (what->is_read_only || what->written & WRITTEN_CHECKSUM)
					continue;
				memset(value.bytes, patterns[n % 4], sizeof(value.bytes));
				if (kind_is_number(what->kind))
					value.number = field_max(what) * patterns[n % 4] / 0xff;
				if (what->scale > 1)
					value.number -= value.number % what->scale;
				edit_keeps(p, &p->layer[i], what, &value);
				edits++;
			}
		}
		packet_free(p);
	}
	ck_assert_uint_gt(edits, 500);
}

START_TEST(a_right_checksum_stays_right_whatever_is_written)
{
	every_edit(false);
}
END_TEST

START_TEST(a_wrong_checksum_stays_as_wrong_whatever_is_written)
{
	every_edit(true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("follow");
	TCase *tc = tcase_create("follow");

	tcase_add_test(tc, a_right_checksum_stays_right_whatever_is_written);
	tcase_add_test(tc, a_wrong_checksum_stays_as_wrong_whatever_is_written);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
