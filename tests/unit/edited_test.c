/* SPDX-License-Identifier: MIT */
/* What a script has written into a packet's fields does not lead whoever turns it next astray. */
#include "tests/unit/unit.h"

#include <string.h>

#include "host/packet/checksum.h"
#include "host/packet/error.h"
#include "host/packet/field.h"
#include "host/packet/parse.h"
#include "host/packet/reply.h"
#include "host/packet/wire.h"

/* 192.0.2.1 > 192.0.2.7, UDP of 12 bytes; no checksum is right yet. */
static const uint8_t udp4[] = { 0x45, 0, 0, 32, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0,
	2, 7, 0xc3, 0x50, 0, 9, 0, 12, 0, 0, 'g', 'o', 'n', 'e' };

static struct packet *packet_of(const uint8_t *bytes, size_t len)
{
	struct packet *p = packet_from_bytes(bytes, len, LAYER_ip);

	ck_assert_ptr_nonnull(p);
	parse(p);
	ck_assert_uint_eq(p->malformed, MALFORMED_none);
	checksum_ip_fill(p, packet_layer(p, LAYER_ip));
	return p;
}

static void write_number(struct packet *p, enum layer_id id, const char *name, uint64_t number)
{
	const struct field *field = field_find(id, name);
	struct value value = { .kind = field->kind, .number = number };

	ck_assert_int_eq(field_set(p, packet_layer(p, id), field, &value), FIELD_OK);
}

START_TEST(writing_what_is_there_leaves_a_checksum_of_0)
{
	struct packet *p = packet_of(udp4, sizeof(udp4));
	uint8_t *checksum = layer_bytes(p, packet_layer(p, LAYER_ip)) + IP_CHECKSUM;

	store_be16(checksum, 0);
	write_number(p, LAYER_ip, "ttl", 64);
	ck_assert_uint_eq(load_be16(checksum), 0);
	packet_free(p);
}
END_TEST

START_TEST(a_written_udp_length_is_not_summed_past_the_datagram)
{
	static const uint64_t lies[] = { 0, 7, 13, 65535 };

	for (unsigned i = 0; i < 4; i++) {
		struct packet *p = packet_of(udp4, sizeof(udp4));
		const struct layer *ip = packet_layer(p, LAYER_ip);
		const struct layer *udp = packet_layer(p, LAYER_udp);

		checksum_transport_fill(p, ip, udp);
		ck_assert(checksum_transport_is_right(p, ip, udp));
		write_number(p, LAYER_udp, "length", lies[i]);
		ck_assert(!checksum_transport_is_right(p, ip, udp));
		checksum_transport_fill(p, ip, udp);
		packet_free(p);
	}
}
END_TEST

/* The same as an echo request with a router alert option. */
static const uint8_t echo4_alert[] = { 0x46, 0, 0, 32, 0, 1, 0x40, 0, 64, 1, 0, 0, 192, 0, 2, 1,
	192, 0, 2, 7, 0x94, 4, 0, 0, 8, 0, 0, 0, 0, 1, 0, 1 };

START_TEST(a_written_ip_length_does_not_stop_a_reply)
{
	static const struct reply_self self;
	struct packet *p = packet_of(echo4_alert, sizeof(echo4_alert));

	checksum_transport_fill(p, packet_layer(p, LAYER_ip), packet_layer(p, LAYER_icmp));
	write_number(p, LAYER_ip, "len", 65532);
	ck_assert_int_eq(reply_check(p), REPLY_MAY);
	reply_turn(p, &self, 64);
	ck_assert_uint_eq(packet_length(p), sizeof(echo4_alert) - 4);
	ck_assert_uint_eq(*layer_bytes(p, packet_layer(p, LAYER_icmp)), ICMP_ECHO_REPLY);
	ck_assert(checksum_ip_is_right(p, packet_layer(p, LAYER_ip)));
	packet_free(p);
}
END_TEST

START_TEST(a_written_ip_length_does_not_stop_an_error)
{
	static const struct icmp_error unreachable = { ICMP_UNREACHABLE, 3, 0 };
	struct packet *p = packet_of(udp4, sizeof(udp4));

	write_number(p, LAYER_ip, "len", 20);
	ck_assert(error_may(p));
	ck_assert(error_make(p, &unreachable, NULL));
	parse(p);
	ck_assert_uint_eq(p->malformed, MALFORMED_none);
	ck_assert(checksum_transport_is_right(
		p, packet_layer(p, LAYER_ip), packet_layer(p, LAYER_icmp)));
	packet_free(p);
}
END_TEST

/* A SYN that came by a router alert. */
static const uint8_t syn4_alert[] = { 0x46, 0, 0, 44, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192,
	0, 2, 7, 0x94, 4, 0, 0, 0xc3, 0x50, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 255, 255, 0, 0,
	0, 0 };

START_TEST(a_reset_carries_no_options)
{
	struct packet *p = packet_of(syn4_alert, sizeof(syn4_alert));

	checksum_ip_fill(p, packet_layer(p, LAYER_ip));
	checksum_transport_fill(p, packet_layer(p, LAYER_ip), packet_layer(p, LAYER_tcp));
	ck_assert(error_may_reset(p));
	error_reset(p);
	ck_assert_uint_eq(packet_length(p), IP_HEADER + TCP_HEADER);
	parse(p);
	ck_assert_uint_eq(p->malformed, MALFORMED_none);
	ck_assert_uint_eq(p->traits, 0);
	ck_assert(checksum_ip_is_right(p, packet_layer(p, LAYER_ip)));
	ck_assert(checksum_transport_is_right(
		p, packet_layer(p, LAYER_ip), packet_layer(p, LAYER_tcp)));
	packet_free(p);
}
END_TEST

START_TEST(a_fragment_of_a_segment_is_not_reset)
{
	struct packet *p = packet_of(syn4_alert, sizeof(syn4_alert));

	store_be16(p->data + IP_FRAG, IP_FRAG_MORE);
	parse(p);
	checksum_ip_fill(p, packet_layer(p, LAYER_ip));
	ck_assert(error_may(p));
	ck_assert(!error_may_reset(p));
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edited");
	TCase *tc = tcase_create("edited");

	tcase_add_test(tc, writing_what_is_there_leaves_a_checksum_of_0);
	tcase_add_test(tc, a_written_udp_length_is_not_summed_past_the_datagram);
	tcase_add_test(tc, a_written_ip_length_does_not_stop_a_reply);
	tcase_add_test(tc, a_written_ip_length_does_not_stop_an_error);
	tcase_add_test(tc, a_reset_carries_no_options);
	tcase_add_test(tc, a_fragment_of_a_segment_is_not_reset);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
