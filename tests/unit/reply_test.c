/* SPDX-License-Identifier: MIT */
/* What goes back is what came, turned round; what may not be answered is told apart. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/packet/reply.h"
#include "tests/unit/frames.h"

static const struct reply_self self;

static void checked_as(const struct frame *f, enum reply_check want)
{
	struct packet *p = frame_packet(f);

	ck_assert_str_eq(reply_check_text(reply_check(p)), reply_check_text(want));
	ck_assert_mem_eq(p->data, f->bytes, f->len);
	packet_free(p);
}

/* The packet as its own answer, parsed afresh. */
static struct packet *turned(const struct frame *f)
{
	struct packet *p = frame_packet(f);

	ck_assert_int_eq(reply_check(p), REPLY_MAY);
	reply_turn(p, &self, 64);
	parse(p);
	ck_assert(!p->malformed);
	ck_assert(frame_verifies(p));
	return p;
}

/* Addresses, as text, of the network layer. */
static void runs_between(const struct packet *p, const char *src, const char *dst)
{
	const struct layer *ip = packet_layer(p, LAYER_ip);
	const uint8_t *bytes = layer_bytes(p, ip ? ip : packet_layer(p, LAYER_ipv6));
	size_t len = ip ? 4 : 16;
	uint8_t want[16];

	frame_addr(want, src);
	ck_assert_mem_eq(bytes + (ip ? IP_SRC : IPV6_SRC), want, len);
	frame_addr(want, dst);
	ck_assert_mem_eq(bytes + (ip ? IP_DST : IPV6_DST), want, len);
	ck_assert_uint_eq(bytes[ip ? IP_TTL : IPV6_HLIM], 64);
}

START_TEST(samples_that_may_be_answered_verify_turned)
{
	static const unsigned samples[] = { 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 14 };

	for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		bool is_6 = f.bytes[f.network] >> 4 == 6;
		struct packet *p = turned(&f);

		runs_between(p, is_6 ? "fd00::7" : "10.0.0.7", is_6 ? "fd00::1" : "10.0.0.1");
		ck_assert_uint_le(packet_length(p), f.len);
		packet_free(p);
	}
}
END_TEST

START_TEST(ports_change_places)
{
	static const unsigned samples[] = { 3, 4, 5, 6, 11 };

	for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		struct packet *p = turned(&f);
		const uint8_t *l4 = layer_bytes(p, &p->layer[p->layer_count - 1]);

		ck_assert_mem_eq(l4, f.bytes + f.transport + 2, 2);
		ck_assert_mem_eq(l4 + 2, f.bytes + f.transport, 2);
		ck_assert_mem_eq(l4 + 4, f.bytes + f.transport + 4, f.len - f.transport - 4);
		packet_free(p);
	}
}
END_TEST

START_TEST(turned_twice_is_the_packet_again)
{
	struct frame f;

	ck_assert(frame_sample(4, &f));
	f.bytes[IP_TTL] = 64;
	frame_ip_seal(&f);
	struct packet *p = turned(&f);

	ck_assert_int_eq(reply_check(p), REPLY_MAY);
	reply_turn(p, &self, 64);
	ck_assert_mem_eq(p->data, f.bytes, f.len);
	packet_free(p);
}
END_TEST

START_TEST(udp_without_a_checksum_is_answered_without_one_over_v4_only)
{
	struct frame f;

	ck_assert(frame_sample(3, &f));
	store_be16(frame_checksum(&f), 0);
	struct packet *p = turned(&f);

	ck_assert_uint_eq(load_be16(checksum_field(p, packet_layer(p, LAYER_udp))), 0);
	packet_free(p);
	ck_assert(frame_sample(5, &f));
	store_be16(frame_checksum(&f), 0);
	checked_as(&f, REPLY_BAD_CHECKSUM);
}
END_TEST

START_TEST(mac_addresses_change_places_and_tags_stay)
{
	struct frame f;

	ck_assert(frame_sample(11, &f));
	struct packet *p = turned(&f);

	ck_assert_mem_eq(p->data, f.bytes + 6, 6);
	ck_assert_mem_eq(p->data + 6, f.bytes, 6);
	ck_assert_mem_eq(p->data + 12, f.bytes + 12, 10);
	packet_free(p);
}
END_TEST

START_TEST(ip4_options_that_record_nothing_are_taken_off)
{
	struct frame f;

	ck_assert(frame_sample(11, &f));
	struct packet *p = turned(&f);

	ck_assert_uint_eq(packet_layer(p, LAYER_ip)->length, IP_HEADER);
	ck_assert_uint_eq(packet_length(p), f.len - 8);
	ck_assert_uint_eq(load_be16(p->data + f.network + IP_LEN), f.len - f.network - 8);
	packet_free(p);
}
END_TEST

START_TEST(record_route_goes_back_with_our_address)
{
	struct frame f;
	static const uint8_t want[8] = { 7, 7, 8, 10, 0, 0, 7, 0 };

	ck_assert(frame_sample(2, &f));
	struct packet *p = turned(&f);

	ck_assert_uint_eq(packet_length(p), f.len);
	ck_assert_mem_eq(p->data + IP_HEADER, want, sizeof(want));
	packet_free(p);
}
END_TEST

START_TEST(ip6_extension_headers_are_taken_off)
{
	struct frame f;

	ck_assert(frame_sample(8, &f));
	struct packet *p = turned(&f);

	ck_assert_uint_eq(packet_layer(p, LAYER_ipv6)->length, IPV6_HEADER);
	ck_assert_uint_eq(p->data[IPV6_NXT], PROTO_ICMPV6);
	ck_assert_uint_eq(packet_length(p), f.len - 5 * 8);
	packet_free(p);
}
END_TEST

START_TEST(headers_before_options_move_with_them)
{
	struct frame f;

	ck_assert(frame_sample(11, &f));
	struct packet *p = turned(&f);

	ck_assert_uint_eq(packet_length(p), f.len - 8);
	ck_assert_uint_eq(packet_layer(p, LAYER_udp)->offset, ETH_HEADER + 8 + IP_HEADER);
	packet_free(p);
}
END_TEST

START_TEST(padding_is_trimmed)
{
	struct frame f = { 0 };

	frame_eth(&f, ETH_TYPE_IP4);
	frame_echo_on(&f, "10.0.0.1", "10.0.0.7", 1);
	size_t len = f.len;

	frame_add(&f, "secret of the sender", 20);
	struct packet *p = turned(&f);

	ck_assert_uint_eq(packet_length(p), len);
	packet_free(p);
}
END_TEST

START_TEST(ttl_that_was_written_by_hand_stays)
{
	static const unsigned samples[] = { 0, 1 };

	for (unsigned i = 0; i < 2; i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		struct packet *p = frame_packet(&f);

		p->written = WRITTEN_TTL;
		ck_assert_int_eq(reply_check(p), REPLY_MAY);
		reply_turn(p, &self, 64);
		ck_assert_uint_eq(p->data[i ? IPV6_HLIM : IP_TTL], 61);
		ck_assert(frame_verifies(p));
		packet_free(p);
	}
}
END_TEST

START_TEST(addresses_or_ports_written_by_hand_are_no_reply)
{
	static const uint16_t bits[] = { WRITTEN_ADDRESS, WRITTEN_PORT, WRITTEN_TURNED };
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 8);

	for (unsigned i = 0; i < 3; i++) {
		struct packet *p = frame_packet(&f);

		p->written = bits[i];
		ck_assert_int_eq(reply_check(p), REPLY_WRITTEN);
		packet_free(p);
	}
}
END_TEST

START_TEST(reset_is_never_answered)
{
	static const unsigned samples[] = { 4, 6 };

	for (unsigned i = 0; i < 2; i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		f.bytes[f.transport + TCP_FLAGS] = 0x14;
		frame_seal(&f);
		checked_as(&f, REPLY_NO_ANSWER);
	}
}
END_TEST

START_TEST(error_is_no_question)
{
	struct frame f;

	ck_assert(frame_sample(13, &f));
	checked_as(&f, REPLY_NO_ANSWER);
}
END_TEST

START_TEST(packet_without_a_network_header_is_no_question)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x88cc);
	frame_data(&f, 40);
	checked_as(&f, REPLY_MALFORMED);
}
END_TEST

START_TEST(checksum_that_somebody_verified_is_not_asked_again)
{
	struct frame f;

	ck_assert(frame_sample(3, &f));
	frame_checksum(&f)[0] ^= 1;
	checked_as(&f, REPLY_BAD_CHECKSUM);
	struct packet *p = frame_packet(&f);

	p->csum.state = CSUM_VALID;
	ck_assert_int_eq(reply_check(p), REPLY_MAY);
	packet_free(p);
}
END_TEST

START_TEST(partial_checksum_of_an_echo_stays_partial)
{
	struct frame f = frame_echo("fd00::1", "fd00::7", 8);
	struct packet *p = frame_packet(&f);
	uint8_t *sum = checksum_field(p, packet_layer(p, LAYER_icmpv6));

	p->csum = (struct packet_csum){ CSUM_PARTIAL, IPV6_HEADER, ICMP_CHECKSUM };
	store_be16(sum, frame_pseudo(p->data, PROTO_ICMPV6, 16));
	uint16_t before = load_be16(sum);

	ck_assert_int_eq(reply_check(p), REPLY_MAY);
	reply_turn(p, &self, 64);
	ck_assert_uint_eq(load_be16(sum), before);
	packet_free(p);
}
END_TEST

/* What completes the checksum starts where csum says, so it must still point there. */
START_TEST(partial_checksum_starts_at_the_transport_after_options_are_taken_off)
{
	struct frame f;

	ck_assert(frame_sample(11, &f));
	struct packet *p = frame_packet(&f);

	p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)f.transport, UDP_CHECKSUM };
	ck_assert_int_eq(reply_check(p), REPLY_MAY);
	reply_turn(p, &self, 64);
	ck_assert_uint_eq(p->csum.start, packet_layer(p, LAYER_udp)->offset);
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reply");
	TCase *tc = tcase_create("reply");

	tcase_add_test(tc, samples_that_may_be_answered_verify_turned);
	tcase_add_test(tc, ports_change_places);
	tcase_add_test(tc, turned_twice_is_the_packet_again);
	tcase_add_test(tc, udp_without_a_checksum_is_answered_without_one_over_v4_only);
	tcase_add_test(tc, mac_addresses_change_places_and_tags_stay);
	tcase_add_test(tc, ip4_options_that_record_nothing_are_taken_off);
	tcase_add_test(tc, record_route_goes_back_with_our_address);
	tcase_add_test(tc, ip6_extension_headers_are_taken_off);
	tcase_add_test(tc, headers_before_options_move_with_them);
	tcase_add_test(tc, padding_is_trimmed);
	tcase_add_test(tc, ttl_that_was_written_by_hand_stays);
	tcase_add_test(tc, addresses_or_ports_written_by_hand_are_no_reply);
	tcase_add_test(tc, reset_is_never_answered);
	tcase_add_test(tc, error_is_no_question);
	tcase_add_test(tc, packet_without_a_network_header_is_no_question);
	tcase_add_test(tc, checksum_that_somebody_verified_is_not_asked_again);
	tcase_add_test(tc, partial_checksum_of_an_echo_stays_partial);
	tcase_add_test(tc, partial_checksum_starts_at_the_transport_after_options_are_taken_off);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
