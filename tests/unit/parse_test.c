/* SPDX-License-Identifier: MIT */
/* Whatever the bytes say, a layer that is reported lies inside the packet. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/packet/field.h"
#include "host/packet/print.h"
#include "host/packet/reply.h"
#include "tests/unit/frames.h"

static const struct reply_self self;

/* Check's assertions are system calls: what runs a million times is asked once. */
static bool layers_lie_inside(const struct packet *p)
{
	size_t len = packet_length(p);

	if (p->layer_count > PACKET_LAYERS || p->datagram_end > len || p->malformed_at > len)
		return false;
	for (unsigned i = 0; i < p->layer_count; i++) {
		const struct layer *layer = &p->layer[i];
		size_t end = layer->id < LAYER_ip ? len : p->datagram_end;

		if (layer->length > end || layer->offset > end - layer->length)
			return false;
		if (i && layer->offset < layer[-1].offset + layer[-1].length)
			return false;
	}
	return true;
}

/* What everybody relies on after parse, and a visit by everybody who does. */
static void holds(struct packet *p)
{
	char text[512];
	struct value value;
	size_t len = packet_length(p);
	bool is_inside = layers_lie_inside(p);

	for (unsigned i = 0; i < p->layer_count; i++) {
		unsigned count;
		const struct field *field = field_of_layer(p->layer[i].id, &count);

		for (; count; field++, count--)
			field_get(p, &p->layer[i], field, &value);
	}
	print_line(p, text, sizeof(text));
	if (reply_check(p) == REPLY_MAY)
		reply_turn(p, &self, 64);
	ck_assert(is_inside && packet_length(p) <= len);
}

static const struct layer *transport_layer(const struct packet *p)
{
	const struct layer *layer = &p->layer[p->layer_count - 1];

	while (layer->id > LAYER_gre)
		layer--;
	return layer;
}

static unsigned layer_ids(const struct packet *p)
{
	unsigned ids = 0;

	for (unsigned i = 0; i < p->layer_count; i++)
		ids |= 1u << p->layer[i].id;
	return ids;
}

#define HAS(name) (1u << LAYER_##name)

static void parsed_as(const struct frame *f, unsigned ids, unsigned reason, unsigned traits)
{
	struct packet *p = frame_packet(f);

	ck_assert_uint_eq(layer_ids(p), ids);
	ck_assert_str_eq(malformed_name(p->malformed), malformed_name(reason));
	ck_assert_uint_eq(p->traits, traits);
	holds(p);
	packet_free(p);
}

START_TEST(samples_are_parsed_whole)
{
	static const unsigned ids[] = { HAS(ip) | HAS(icmp), HAS(ipv6) | HAS(icmpv6),
		HAS(ip) | HAS(icmp), HAS(ip) | HAS(udp), HAS(ip) | HAS(tcp), HAS(ipv6) | HAS(udp),
		HAS(ipv6) | HAS(tcp), HAS(ipv6) | HAS(icmpv6), HAS(ipv6) | HAS(icmpv6),
		HAS(eth) | HAS(ip) | HAS(icmp), HAS(eth) | HAS(vlan) | HAS(ipv6) | HAS(icmpv6),
		HAS(eth) | HAS(vlan) | HAS(vlan2) | HAS(ip) | HAS(udp), HAS(eth) | HAS(arp),
		HAS(ip) | HAS(icmp), HAS(ip), HAS(ip) | HAS(udp) | HAS(vxlan), HAS(ip) | HAS(gre),
		HAS(ipv6) | HAS(udp) | HAS(dns), HAS(ip) | HAS(udp) | HAS(dhcp),
		HAS(ipv6) | HAS(sctp), HAS(ip) | HAS(icmp), HAS(ip) | HAS(icmp),
		HAS(ip) | HAS(icmp), HAS(ip) | HAS(icmp), HAS(ipv6) | HAS(icmpv6),
		HAS(ipv6) | HAS(icmpv6), HAS(ipv6) | HAS(icmpv6), HAS(ipv6) | HAS(icmpv6),
		HAS(ipv6) | HAS(icmpv6), HAS(ip) | HAS(tcp), HAS(ip) | HAS(tcp),
		HAS(ip) | HAS(udp) | HAS(dhcp), HAS(ip) | HAS(udp) | HAS(dns) };
	struct frame f;
	unsigned i;

	for (i = 0; frame_sample(i, &f); i++) {
		struct packet *p = frame_packet(&f);

		ck_assert_uint_lt(i, sizeof(ids) / sizeof(ids[0]));
		ck_assert_msg(layer_ids(p) == ids[i], "sample %u", i);
		ck_assert_msg(!p->malformed, "sample %u: %s", i, malformed_text(p->malformed));
		ck_assert_uint_eq(p->datagram_end, f.len);
		if (f.transport)
			ck_assert_uint_eq(transport_layer(p)->offset, f.transport);
		holds(p);
		packet_free(p);
	}
	ck_assert_uint_eq(i, sizeof(ids) / sizeof(ids[0]));
}
END_TEST

START_TEST(packet_cut_anywhere_is_malformed_and_its_layers_stay_inside)
{
	struct frame f;

	for (unsigned i = 0; frame_sample(i, &f); i++) {
		while (f.len-- > 0) {
			struct packet *p = frame_packet(&f);

			ck_assert_msg(p->malformed, "sample %u cut to %zu", i, f.len);
			holds(p);
			packet_free(p);
		}
	}
}
END_TEST

/* The IP length shrinks with the cut, so that it falls inside the headers that follow. */
START_TEST(datagram_cut_anywhere_keeps_its_layers_inside)
{
	struct frame f;

	for (unsigned i = 0; frame_sample(i, &f); i++) {
		uint8_t *ip = f.bytes + f.network;
		bool is_6 = ip[0] >> 4 == 6;
		size_t fixed = is_6 ? IPV6_HEADER : IP_HEADER;

		if (!f.proto)
			continue;
		for (; f.len > f.network + fixed; f.len--) {
			size_t total = f.len - f.network;

			store_be16(ip + (is_6 ? IPV6_PLEN : IP_LEN),
				(uint16_t)(is_6 ? total - IPV6_HEADER : total));
			struct packet *p = frame_packet(&f);

			holds(p);
			packet_free(p);
		}
	}
}
END_TEST

/* Every byte of every sample takes every value: lengths, types and offsets lie in all ways. */
START_TEST(any_byte_may_lie)
{
	struct frame f;

	for (unsigned i = 0; frame_sample(i, &f); i++) {
		for (size_t at = 0; at < f.len && at < 110; at++) {
			uint8_t keep = f.bytes[at];

			for (unsigned value = 0; value < 256; value++) {
				f.bytes[at] = (uint8_t)value;
				struct packet *p = frame_packet(&f);

				holds(p);
				packet_free(p);
			}
			f.bytes[at] = keep;
		}
	}
}
END_TEST

START_TEST(padding_is_not_part_of_the_datagram)
{
	struct frame f = { 0 };

	frame_eth(&f, ETH_TYPE_IP4);
	frame_echo_on(&f, "10.0.0.1", "10.0.0.7", 1);
	size_t end = f.len;

	frame_add(&f, NULL, 60 - f.len);
	struct packet *p = frame_packet(&f);

	ck_assert_uint_eq(p->datagram_end, end);
	ck_assert_uint_eq(packet_length(p), 60);
	packet_free(p);
}
END_TEST

START_TEST(ip4_options_belong_to_the_header)
{
	struct frame f;

	ck_assert(frame_sample(2, &f));
	struct packet *p = frame_packet(&f);
	const struct layer *ip = packet_layer(p, LAYER_ip);

	ck_assert_uint_eq(ip->length, 28);
	ck_assert_uint_eq(p->traits, TRAIT_OPTIONS | TRAIT_RECORD);
	ck_assert_uint_eq(packet_layer(p, LAYER_icmp)->offset, 28);
	packet_free(p);
}
END_TEST

START_TEST(ip4_lengths_that_lie_are_malformed)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 8);

	f.bytes[0] = 0x44;
	parsed_as(&f, 0, MALFORMED_header_length, 0);
	f.bytes[0] = 0x4f;
	parsed_as(&f, 0, MALFORMED_header_length, 0);
	f.bytes[0] = 0x55;
	parsed_as(&f, 0, MALFORMED_version, 0);
	f.bytes[0] = 0x45;
	store_be16(f.bytes + IP_LEN, 19);
	parsed_as(&f, 0, MALFORMED_total_length, 0);
	store_be16(f.bytes + IP_LEN, (uint16_t)(f.len + 1));
	parsed_as(&f, 0, MALFORMED_total_length, 0);
	store_be16(f.bytes + IP_LEN, 27);
	parsed_as(&f, HAS(ip), MALFORMED_truncated, 0);
}
END_TEST

START_TEST(ip4_fragments_are_told_apart)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 8);

	store_be16(f.bytes + IP_FRAG, IP_FRAG_DONT);
	parsed_as(&f, HAS(ip) | HAS(icmp), MALFORMED_none, 0);
	store_be16(f.bytes + IP_FRAG, IP_FRAG_MORE);
	parsed_as(&f, HAS(ip) | HAS(icmp), MALFORMED_none, TRAIT_FRAGMENT);
	store_be16(f.bytes + IP_FRAG, IP_FRAG_MORE | 1);
	parsed_as(&f, HAS(ip), MALFORMED_none, TRAIT_FRAGMENT | TRAIT_LATER);
	store_be16(f.bytes + IP_FRAG, 1);
	parsed_as(&f, HAS(ip), MALFORMED_none, TRAIT_FRAGMENT | TRAIT_LATER);
}
END_TEST

START_TEST(fragment_beyond_65535_bytes_is_malformed)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 11);

	/* 20 bytes of header and 19 of data: the last place that fits is 65535 - 39 = 8187 * 8. */
	store_be16(f.bytes + IP_FRAG, 8187);
	parsed_as(&f, HAS(ip), MALFORMED_none, TRAIT_FRAGMENT | TRAIT_LATER);
	store_be16(f.bytes + IP_FRAG, 8188);
	parsed_as(&f, HAS(ip), MALFORMED_fragment, TRAIT_FRAGMENT | TRAIT_LATER);
	store_be16(f.bytes + IP_FRAG, 8191);
	parsed_as(&f, HAS(ip), MALFORMED_fragment, TRAIT_FRAGMENT | TRAIT_LATER);
}
END_TEST

START_TEST(ip6_extension_headers_are_walked_to_the_transport)
{
	struct frame f;

	ck_assert(frame_sample(8, &f));
	struct packet *p = frame_packet(&f);

	ck_assert_uint_eq(packet_layer(p, LAYER_ipv6)->length, 40 + 5 * 8);
	ck_assert_uint_eq(p->proto, PROTO_ICMPV6);
	ck_assert_uint_eq(p->traits, TRAIT_OPTIONS | TRAIT_ATOMIC);
	packet_free(p);
}
END_TEST

static struct frame chain(unsigned count)
{
	struct frame f = { 0 };

	frame_ip6(&f, "fd00::1", "fd00::7", count ? PROTO_DSTOPTS : PROTO_ICMPV6);
	for (unsigned i = 1; i <= count; i++)
		frame_ext(&f, i < count ? PROTO_DSTOPTS : PROTO_ICMPV6, ext_padn);
	frame_echo_body(&f, ICMPV6_ECHO_REQUEST, 4);
	frame_seal(&f);
	return f;
}

START_TEST(ip6_chain_is_bounded)
{
	struct frame f = chain(8);

	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS);
	f = chain(9);
	parsed_as(&f, HAS(ipv6), MALFORMED_extension_headers, TRAIT_OPTIONS);
	f = chain(100);
	parsed_as(&f, HAS(ipv6), MALFORMED_extension_headers, TRAIT_OPTIONS);
}
END_TEST

static struct frame with_options(const uint8_t *options, size_t len, uint8_t nxt)
{
	struct frame f = { 0 };

	frame_ip6(&f, "fd00::1", "fd00::7", nxt);
	uint8_t *ext = frame_add(&f, NULL, 2);

	ext[0] = PROTO_ICMPV6;
	ext[1] = (uint8_t)((len + 2) / 8 - 1);
	frame_add(&f, options, len);
	frame_echo_body(&f, ICMPV6_ECHO_REQUEST, 4);
	frame_seal(&f);
	return f;
}

START_TEST(ip6_options_are_bounded_and_fill_their_header)
{
	static const uint8_t pad1s[46], overrun[6] = { 1, 5 }, half[6] = { 1, 3, 0, 0, 0, 1 };
	struct frame f = with_options(pad1s, 30, PROTO_HOPOPTS);

	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS);
	f = with_options(pad1s, 46, PROTO_HOPOPTS);
	parsed_as(&f, HAS(ipv6), MALFORMED_extension_headers, TRAIT_OPTIONS);
	f = with_options(overrun, 6, PROTO_HOPOPTS);
	parsed_as(&f, HAS(ipv6), MALFORMED_extension_headers, TRAIT_OPTIONS);
	f = with_options(half, 6, PROTO_DSTOPTS);
	parsed_as(&f, HAS(ipv6), MALFORMED_extension_headers, TRAIT_OPTIONS);
}
END_TEST

START_TEST(ip6_option_that_must_not_be_ignored_is_a_trait)
{
	static const uint8_t skip[6] = { 0x3e, 4 }, discard[6] = { 0x7e, 4 }, tell[6] = { 0xfe, 4 };
	struct frame f = with_options(skip, 6, PROTO_DSTOPTS);

	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS);
	f = with_options(discard, 6, PROTO_DSTOPTS);
	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_UNKNOWN_OPT);
	f = with_options(tell, 6, PROTO_HOPOPTS);
	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_UNKNOWN_OPT);
}
END_TEST

static struct frame with_ext(uint8_t kind, const uint8_t rest[7])
{
	struct frame f = { 0 };

	frame_ip6(&f, "fd00::1", "fd00::7", kind);
	frame_ext(&f, PROTO_ICMPV6, rest);
	frame_echo_body(&f, ICMPV6_ECHO_REQUEST, 4);
	frame_seal(&f);
	return f;
}

START_TEST(hop_by_hop_options_stand_first_or_nowhere)
{
	struct frame f = { 0 };

	frame_ip6(&f, "fd00::1", "fd00::7", PROTO_DSTOPTS);
	frame_ext(&f, PROTO_HOPOPTS, ext_padn);
	frame_ext(&f, PROTO_ICMPV6, ext_padn);
	frame_echo_body(&f, ICMPV6_ECHO_REQUEST, 4);
	frame_seal(&f);
	parsed_as(&f, HAS(ipv6), MALFORMED_extension_headers, TRAIT_OPTIONS);
}
END_TEST

START_TEST(atomic_fragment_is_a_whole_packet)
{
	struct frame f = with_ext(PROTO_FRAGMENT, ext_atomic);

	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_ATOMIC);
}
END_TEST

START_TEST(ip6_fragments_are_told_apart)
{
	struct frame f = with_ext(PROTO_FRAGMENT, ext_first);

	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_FRAGMENT);
	f = with_ext(PROTO_FRAGMENT, ext_later);
	parsed_as(&f, HAS(ipv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_FRAGMENT | TRAIT_LATER);
	store_be16(f.bytes + 42, 0xfff8);
	parsed_as(&f, HAS(ipv6), MALFORMED_fragment, TRAIT_OPTIONS);
}
END_TEST

START_TEST(routing_headers_with_segments_left_or_of_type_0_are_a_trait)
{
	static const uint8_t left[7] = { 0, 4, 1 };
	struct frame f = with_ext(PROTO_ROUTING, ext_rh0);

	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_ROUTED);
	f = with_ext(PROTO_ROUTING, left);
	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS | TRAIT_ROUTED);
	f = with_ext(PROTO_ROUTING, ext_rh2);
	parsed_as(&f, HAS(ipv6) | HAS(icmpv6), MALFORMED_none, TRAIT_OPTIONS);
}
END_TEST

START_TEST(ip6_payload_longer_than_the_packet_is_malformed)
{
	struct frame f = frame_echo("fd00::1", "fd00::7", 8);

	store_be16(f.bytes + IPV6_PLEN, 17);
	parsed_as(&f, 0, MALFORMED_total_length, 0);
	store_be16(f.bytes + IPV6_PLEN, 3);
	parsed_as(&f, HAS(ipv6), MALFORMED_truncated, 0);
	store_be16(f.bytes + IPV6_PLEN, 0);
	parsed_as(&f, HAS(ipv6), MALFORMED_truncated, 0);
}
END_TEST

START_TEST(icmp_of_the_other_family_is_no_layer)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 8);

	f.bytes[IP_PROTO] = PROTO_ICMPV6;
	parsed_as(&f, HAS(ip), MALFORMED_none, 0);
	f = frame_echo("fd00::1", "fd00::7", 8);
	f.bytes[IPV6_NXT] = PROTO_ICMP;
	parsed_as(&f, HAS(ipv6), MALFORMED_none, 0);
}
END_TEST

START_TEST(udp_and_tcp_lengths_that_lie_are_malformed)
{
	struct frame f;

	ck_assert(frame_sample(3, &f));
	store_be16(f.bytes + f.transport + UDP_LENGTH, 7);
	parsed_as(&f, HAS(ip), MALFORMED_udp_length, 0);
	store_be16(f.bytes + f.transport + UDP_LENGTH, 20);
	parsed_as(&f, HAS(ip), MALFORMED_udp_length, 0);
	ck_assert(frame_sample(4, &f));
	f.bytes[f.transport + TCP_OFFSET] = 0x40;
	parsed_as(&f, HAS(ip), MALFORMED_header_length, 0);
	f.bytes[f.transport + TCP_OFFSET] = 0xf0;
	parsed_as(&f, HAS(ip), MALFORMED_header_length, 0);
}
END_TEST

START_TEST(two_tags_are_followed_and_a_third_is_not)
{
	struct frame f = { 0 };

	frame_eth(&f, ETH_TYPE_8021AD);
	frame_vlan(&f, 1, ETH_TYPE_8021Q);
	frame_vlan(&f, 2, ETH_TYPE_8021Q);
	frame_vlan(&f, 3, ETH_TYPE_IP4);
	frame_echo_on(&f, "10.0.0.1", "10.0.0.7", 8);
	parsed_as(&f, HAS(eth) | HAS(vlan) | HAS(vlan2), MALFORMED_none, 0);
}
END_TEST

START_TEST(version_must_be_the_one_that_the_ethertype_says)
{
	struct frame f = { 0 };

	frame_eth(&f, ETH_TYPE_IP6);
	frame_echo_on(&f, "10.0.0.1", "10.0.0.7", 56);
	parsed_as(&f, HAS(eth), MALFORMED_version, 0);
	f = (struct frame){ 0 };
	frame_eth(&f, ETH_TYPE_IP4);
	frame_echo_on(&f, "fd00::1", "fd00::7", 56);
	parsed_as(&f, HAS(eth), MALFORMED_version, 0);
}
END_TEST

START_TEST(arp_for_anything_but_ip4_over_ethernet_is_malformed)
{
	static const unsigned at[] = { 0, 1, 2, 3, 4, 5 };

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct frame f = frame_arp();

		f.bytes[ETH_HEADER + at[i]] ^= 0x10;
		parsed_as(&f, HAS(eth), MALFORMED_hardware, 0);
	}
}
END_TEST

START_TEST(unknown_ethertypes_are_no_fault)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x88cc);
	frame_data(&f, 40);
	parsed_as(&f, HAS(eth), MALFORMED_none, 0);
}
END_TEST

START_TEST(parsing_twice_gives_the_same)
{
	struct frame f;

	for (unsigned i = 0; frame_sample(i, &f); i++) {
		struct packet *p = frame_packet(&f), *again = frame_packet(&f);

		parse(again);
		ck_assert_uint_eq(p->layer_count, again->layer_count);
		for (unsigned l = 0; l < p->layer_count; l++) {
			ck_assert_uint_eq(p->layer[l].id, again->layer[l].id);
			ck_assert_uint_eq(p->layer[l].offset, again->layer[l].offset);
			ck_assert_uint_eq(p->layer[l].length, again->layer[l].length);
		}
		ck_assert_uint_eq(p->traits, again->traits);
		ck_assert_uint_eq(p->datagram_end, again->datagram_end);
		packet_free(p);
		packet_free(again);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parse");
	TCase *tc = tcase_create("parse");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, samples_are_parsed_whole);
	tcase_add_test(tc, packet_cut_anywhere_is_malformed_and_its_layers_stay_inside);
	tcase_add_test(tc, datagram_cut_anywhere_keeps_its_layers_inside);
	tcase_add_test(tc, any_byte_may_lie);
	tcase_add_test(tc, padding_is_not_part_of_the_datagram);
	tcase_add_test(tc, ip4_options_belong_to_the_header);
	tcase_add_test(tc, ip4_lengths_that_lie_are_malformed);
	tcase_add_test(tc, ip4_fragments_are_told_apart);
	tcase_add_test(tc, fragment_beyond_65535_bytes_is_malformed);
	tcase_add_test(tc, ip6_extension_headers_are_walked_to_the_transport);
	tcase_add_test(tc, ip6_chain_is_bounded);
	tcase_add_test(tc, ip6_options_are_bounded_and_fill_their_header);
	tcase_add_test(tc, ip6_option_that_must_not_be_ignored_is_a_trait);
	tcase_add_test(tc, hop_by_hop_options_stand_first_or_nowhere);
	tcase_add_test(tc, atomic_fragment_is_a_whole_packet);
	tcase_add_test(tc, ip6_fragments_are_told_apart);
	tcase_add_test(tc, routing_headers_with_segments_left_or_of_type_0_are_a_trait);
	tcase_add_test(tc, ip6_payload_longer_than_the_packet_is_malformed);
	tcase_add_test(tc, icmp_of_the_other_family_is_no_layer);
	tcase_add_test(tc, udp_and_tcp_lengths_that_lie_are_malformed);
	tcase_add_test(tc, two_tags_are_followed_and_a_third_is_not);
	tcase_add_test(tc, version_must_be_the_one_that_the_ethertype_says);
	tcase_add_test(tc, arp_for_anything_but_ip4_over_ethernet_is_malformed);
	tcase_add_test(tc, unknown_ethertypes_are_no_fault);
	tcase_add_test(tc, parsing_twice_gives_the_same);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
