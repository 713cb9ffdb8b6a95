/* SPDX-License-Identifier: MIT */
/* What an echo responder must and must not answer, one rule a test. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "host/packet/checksum.h"
#include "host/policy/reflect.h"
#include "tests/unit/frames.h"

/* The kernel holds .1 of a /24 and ::1 of a /64; the reflector answers for the rest of them. */
static const char *const peer4 = "10.0.0.1", *const ours4 = "10.0.0.7";
static const char *const peer6 = "fd00::1", *const ours6 = "fd00::7";

static struct prefix station_addrs[2];
static struct station station;
static struct reflect *by_link; /* net: the link's prefixes */
static struct reflect *by_all;	/* net: everything, so that only the RFCs exclude */

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	ck_assert_msg(prefix_parse(&prefix, text), "%s is no prefix", text);
	return prefix;
}

static void setup(void)
{
	struct prefix all[2] = { prefix_of("0.0.0.0/0"), prefix_of("::/0") };

	station_addrs[0] = prefix_of("10.0.0.1/24");
	station_addrs[1] = prefix_of("fd00::1/64");
	station = (struct station){
		.addrs = station_addrs, .addr_count = 2, .self.mac = { 2, 0, 0, 0, 0, 7 }
	};
	by_link = reflect_new(NULL, 0, NULL, 0);
	by_all = reflect_new(all, 2, NULL, 0);
	ck_assert(by_link && by_all);
}

static void teardown(void)
{
	reflect_release(by_link);
	reflect_release(by_all);
}

/* The answer to f, parsed afresh; it is right in every respect that holds for all answers. */
static struct packet *answer_of(const struct reflect *r, const struct frame *f)
{
	struct packet *p = frame_packet(f);
	size_t len = p->datagram_end - f->transport;
	bool is_4 = f->bytes[f->network] >> 4 == 4;
	const uint8_t *asked = f->bytes + f->network + (is_4 ? IP_SRC : IPV6_SRC);
	size_t size = is_4 ? 4 : 16;

	ck_assert_int_eq(reflect_verdict(r, &station, p), VERDICT_REPLY);
	ck_assert_uint_le(packet_length(p), f->len);
	parse(p);
	ck_assert(!p->malformed);
	ck_assert(frame_verifies(p));
	const struct layer *ip = packet_layer(p, is_4 ? LAYER_ip : LAYER_ipv6);
	const struct layer *icmp = packet_layer(p, is_4 ? LAYER_icmp : LAYER_icmpv6);
	const uint8_t *told = layer_bytes(p, ip) + (is_4 ? IP_SRC : IPV6_SRC);

	ck_assert_mem_eq(told, asked + size, size);
	ck_assert_mem_eq(told + size, asked, size);
	ck_assert_uint_eq(*layer_bytes(p, icmp), is_4 ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY);
	ck_assert_uint_eq(p->datagram_end - icmp->offset, len);
	ck_assert_mem_eq(
		layer_bytes(p, icmp) + ICMP_IDENT, f->bytes + f->transport + ICMP_IDENT, len - 4);
	return p;
}

static void is_answered_by(const struct reflect *r, const struct frame *f)
{
	packet_free(answer_of(r, f));
}

/* No opinion, no byte touched; `wish` is what is counted if nobody else wants the packet. */
static void is_silent_by(const struct reflect *r, const struct frame *f, enum drop_reason wish)
{
	struct packet *p = frame_packet(f);

	ck_assert_int_eq(reflect_verdict(r, &station, p), VERDICT_NONE);
	ck_assert_uint_eq(packet_length(p), f->len);
	ck_assert_mem_eq(p->data, f->bytes, f->len);
	ck_assert_uint_eq(p->written, 0);
	ck_assert_str_eq(drop_name(p->wish), drop_name(wish));
	packet_free(p);
}

static void is_silent(const struct frame *f, enum drop_reason wish)
{
	is_silent_by(by_link, f, wish);
	is_silent_by(by_all, f, wish);
}

static struct frame echo4(void)
{
	return frame_echo(peer4, ours4, 56);
}

static struct frame echo6(void)
{
	return frame_echo(peer6, ours6, 56);
}

/* An echo request inside a frame to our MAC. */
static struct frame echo_in_eth(const char *src, const char *dst)
{
	struct frame f = { 0 };

	frame_eth(&f, strchr(dst, ':') ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
	frame_echo_on(&f, src, dst, 56);
	return f;
}

/* ---- answered ---- */

START_TEST(whole_request_to_one_of_ours_is_answered_from_that_address)
{
	struct frame f = echo4();

	is_answered_by(by_link, &f);
	is_answered_by(by_all, &f);
	f = echo6();
	is_answered_by(by_link, &f);
	is_answered_by(by_all, &f);
	f = echo_in_eth(peer4, ours4);
	is_answered_by(by_link, &f);
	f = echo_in_eth(peer6, ours6);
	is_answered_by(by_link, &f);
}
END_TEST

START_TEST(data_of_every_length_ident_and_seq_are_unchanged)
{
	for (size_t len = 0; len <= 70; len++) {
		struct frame f = frame_echo(peer4, ours4, len);

		is_answered_by(by_link, &f);
		f = frame_echo(peer6, ours6, len);
		is_answered_by(by_link, &f);
	}
	struct frame f = frame_echo(peer4, ours4, 1472);

	is_answered_by(by_link, &f);
}
END_TEST

/* Quick, for loops over 65,536 packets: the answer verifies by a sum of our own. */
static bool is_answered_right(const struct frame *f)
{
	struct packet *p = frame_packet(f);
	bool is_right = reflect_verdict(by_link, &station, p) == VERDICT_REPLY;

	parse(p);
	is_right = is_right && frame_verifies(p);
	packet_free(p);
	return is_right;
}

static void all_checksums_verify(struct frame f)
{
	bool seen[65536] = { false };
	unsigned distinct = 0;

	for (unsigned ident = 0; ident < 65536; ident++) {
		store_be16(f.bytes + f.transport + ICMP_IDENT, (uint16_t)ident);
		frame_seal(&f);
		uint16_t checksum = load_be16(frame_checksum(&f));

		distinct += !seen[checksum];
		seen[checksum] = true;
		if (!is_answered_right(&f))
			ck_abort_msg("request checksum %04x", checksum);
	}
	ck_assert_uint_ge(distinct, 65535);
}

START_TEST(all_65536_request_checksums_verify_over_v4)
{
	all_checksums_verify(frame_echo(peer4, ours4, 0));
}
END_TEST

START_TEST(all_65536_request_checksums_verify_over_v6)
{
	all_checksums_verify(frame_echo(peer6, ours6, 0));
}
END_TEST

/* The one request whose ICMP checksum may be written in two ways: both are right. */
START_TEST(checksum_of_0_and_of_ffff_are_both_right)
{
	struct frame f = frame_echo(peer4, ours4, 0);
	uint8_t *icmp = f.bytes + f.transport;

	store_be16(icmp + ICMP_IDENT, 0xf7ff);
	store_be16(icmp + ICMP_SEQ, 0);
	store_be16(icmp + ICMP_CHECKSUM, 0x0000);
	ck_assert(is_answered_right(&f));
	store_be16(icmp + ICMP_CHECKSUM, 0xffff);
	ck_assert(is_answered_right(&f));
	/* All zero but the type: the answer is an all-zero message. */
	store_be16(icmp + ICMP_IDENT, 0);
	store_be16(icmp + ICMP_CHECKSUM, 0xf7ff);
	ck_assert(is_answered_right(&f));
}
END_TEST

START_TEST(ttl_of_an_answer_is_64_or_what_the_script_wants)
{
	struct frame f = echo4();
	struct packet *p = answer_of(by_link, &f);

	ck_assert_uint_eq(p->data[IP_TTL], 64);
	packet_free(p);
	f = echo6();
	p = answer_of(by_link, &f);
	ck_assert_uint_eq(p->data[IPV6_HLIM], 64);
	packet_free(p);
	by_link->ttl = 9;
	p = answer_of(by_link, &f);
	ck_assert_uint_eq(p->data[IPV6_HLIM], 9);
	packet_free(p);
}
END_TEST

START_TEST(requests_own_ttl_is_kept_if_a_script_wrote_it)
{
	struct frame f = echo4();
	struct packet *p = frame_packet(&f);

	p->written = WRITTEN_TTL;
	ck_assert_int_eq(reflect_verdict(by_link, &station, p), VERDICT_REPLY);
	ck_assert_uint_eq(p->data[IP_TTL], 61);
	packet_free(p);
}
END_TEST

START_TEST(ttl_0_and_1_are_answered)
{
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		struct frame f = echo4();

		f.bytes[IP_TTL] = ttl;
		frame_ip_seal(&f);
		is_answered_by(by_link, &f);
		f = echo6();
		f.bytes[IPV6_HLIM] = ttl;
		is_answered_by(by_link, &f);
	}
}
END_TEST

START_TEST(code_other_than_0_is_answered)
{
	struct frame f = echo4();

	f.bytes[f.transport + 1] = 3;
	frame_seal(&f);
	is_answered_by(by_link, &f);
	f = echo6();
	f.bytes[f.transport + 1] = 3;
	frame_seal(&f);
	is_answered_by(by_link, &f);
}
END_TEST

START_TEST(frame_longer_than_the_total_length_is_trimmed)
{
	struct frame f = echo_in_eth(peer4, ours4);
	size_t len = f.len;

	frame_add(&f, "padding", 7);
	struct packet *p = answer_of(by_link, &f);

	ck_assert_uint_eq(packet_length(p), len);
	packet_free(p);
	f = echo6();
	len = f.len;
	frame_add(&f, "padding", 7);
	p = answer_of(by_link, &f);
	ck_assert_uint_eq(packet_length(p), len);
	packet_free(p);
}
END_TEST

static struct frame echo4_with(const uint8_t *options, size_t len)
{
	struct frame f = { 0 };

	frame_ip4(&f, peer4, ours4, PROTO_ICMP, options, len);
	frame_echo_body(&f, ICMP_ECHO_REQUEST, 56);
	frame_seal(&f);
	return f;
}

START_TEST(record_route_and_timestamp_are_updated)
{
	static const uint8_t asked[][12] = { { 7, 11, 4 }, { 68, 12, 5, 1 }, { 7, 3, 4, 1 } };
	static const uint8_t told[][8] = { { 7, 11, 8, 10, 0, 0, 7, 0 },
		{ 68, 12, 13, 1, 10, 0, 0, 7 }, { 7, 3, 4, 1 } };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = echo4_with(asked[i], 12);
		struct packet *p = answer_of(by_link, &f);

		ck_assert_uint_eq(packet_length(p), f.len);
		ck_assert_mem_eq(p->data + IP_HEADER, told[i], 8);
		packet_free(p);
	}
}
END_TEST

START_TEST(options_that_record_nothing_are_dropped_never_copied)
{
	static const uint8_t options[][4] = { { 1, 1, 1, 1 }, { 148, 4, 0, 0 }, { 130, 4, 9, 9 } };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = echo4_with(options[i], 4);
		struct packet *p = answer_of(by_link, &f);

		ck_assert_uint_eq(p->data[0], 0x45);
		ck_assert_uint_eq(packet_length(p), f.len - 4);
		packet_free(p);
	}
}
END_TEST

START_TEST(source_routes_are_silent)
{
	static const uint8_t options[][8] = { { 131, 7, 8, 9, 9, 9, 9 }, { 137, 7, 4, 9, 9, 9, 9 },
		{ 1, 131, 7, 8, 9, 9, 9, 9 } };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = echo4_with(options[i], 8);

		is_silent(&f, DROP_source_route);
	}
}
END_TEST

START_TEST(options_that_lie_are_silent)
{
	static const uint8_t options[][4] = { { 7, 5, 4, 0 }, { 7, 0, 4, 0 }, { 7, 3, 3, 0 },
		{ 1, 1, 1, 7 }, { 68, 4, 4, 0 } };

	for (unsigned i = 0; i < 5; i++) {
		struct frame f = echo4_with(options[i], 4);

		is_silent(&f, DROP_malformed);
	}
}
END_TEST

START_TEST(icmpv6_checksum_covers_the_pseudo_header)
{
	struct frame f = echo6();

	store_be16(frame_checksum(&f), 0);
	store_be16(frame_checksum(&f),
		(uint16_t)~frame_sum(f.bytes + f.transport, f.len - f.transport, 0));
	is_silent(&f, DROP_bad_checksum);
}
END_TEST

static struct frame echo6_behind(unsigned count, uint8_t kind, const uint8_t rest[7])
{
	struct frame f = { 0 };

	frame_ip6(&f, peer6, ours6, kind);
	for (unsigned i = 1; i <= count; i++)
		frame_ext(&f, i < count ? kind : PROTO_ICMPV6, rest);
	frame_echo_body(&f, ICMPV6_ECHO_REQUEST, 56);
	frame_seal(&f);
	return f;
}

START_TEST(hop_by_hop_and_destination_options_are_walked)
{
	struct frame f = echo6_behind(1, PROTO_HOPOPTS, ext_alert);

	is_answered_by(by_link, &f);
	for (unsigned count = 1; count <= 8; count++) {
		f = echo6_behind(count, PROTO_DSTOPTS, ext_padn);
		is_answered_by(by_link, &f);
	}
}
END_TEST

START_TEST(extension_headers_are_walked_with_a_bound)
{
	struct frame f = echo6_behind(9, PROTO_DSTOPTS, ext_padn);
	struct packet *p = frame_packet(&f);

	ck_assert_uint_eq(p->malformed, MALFORMED_extension_headers);
	ck_assert_int_eq(reflect_verdict(by_link, &station, p), VERDICT_NONE);
	packet_free(p);
}
END_TEST

START_TEST(option_that_asks_not_to_be_ignored_is_silent)
{
	static const uint8_t discard[7] = { 0, 0x7e, 4 };
	struct frame f = echo6_behind(1, PROTO_DSTOPTS, discard);

	is_silent(&f, DROP_source_route);
}
END_TEST

START_TEST(atomic_fragment_is_answered_as_a_whole_packet)
{
	struct frame f = echo6_behind(1, PROTO_FRAGMENT, ext_atomic);
	struct packet *p = answer_of(by_link, &f);

	ck_assert_uint_eq(p->traits, 0); /* the fragment header is gone */
	packet_free(p);
}
END_TEST

/* ---- silent ---- */

START_TEST(replies_errors_and_all_other_types_are_silent)
{
	for (unsigned type = 0; type < 256; type++) {
		struct frame f = echo4();

		f.bytes[f.transport] = (uint8_t)type;
		frame_seal(&f);
		if (type != ICMP_ECHO_REQUEST)
			is_silent(&f, DROP_none);
		f = echo6();
		f.bytes[f.transport] = (uint8_t)type;
		frame_seal(&f);
		if (type != ICMPV6_ECHO_REQUEST)
			is_silent(&f, DROP_none);
	}
}
END_TEST

START_TEST(answer_to_an_answer_is_silence)
{
	struct frame fs[2] = { echo4(), echo6() };

	for (unsigned i = 0; i < 2; i++) {
		struct packet *p = answer_of(by_link, &fs[i]);

		ck_assert_int_eq(reflect_verdict(by_all, &station, p), VERDICT_NONE);
		ck_assert_uint_eq(p->wish, DROP_none);
		packet_free(p);
	}
}
END_TEST

START_TEST(two_reflectors_face_to_face_end_after_one_exchange)
{
	static const char *const srcs[] = { "10.0.0.9", "fd00::9" }, *const dsts[] = { "10.0.0.7",
		"fd00::7" };

	for (unsigned i = 0; i < 2; i++) {
		struct frame f = frame_echo(srcs[i], dsts[i], 56);
		struct packet *p = frame_packet(&f);
		unsigned answers = 0;

		for (unsigned turn = 0; turn < 100; turn++) {
			answers += reflect_verdict(by_all, &station, p) == VERDICT_REPLY;
			parse(p);
		}
		ck_assert_uint_eq(answers, 1);
		packet_free(p);
	}
}
END_TEST

START_TEST(router_solicitations_and_mld_of_the_kernel_are_silent)
{
	static const uint8_t rs[8] = { ICMPV6_RS }, mld[8] = { 143, 0, 0, 0, 0, 0, 0, 0 };
	struct frame f = { 0 };

	frame_ip6(&f, "fe80::1", "ff02::2", PROTO_ICMPV6);
	frame_transport(&f, PROTO_ICMPV6, rs, 8);
	frame_seal(&f);
	is_silent(&f, DROP_none);
	f = (struct frame){ 0 };
	frame_ip6(&f, "::", "ff02::16", PROTO_HOPOPTS);
	frame_ext(&f, PROTO_ICMPV6, ext_alert);
	frame_transport(&f, PROTO_ICMPV6, mld, 8);
	frame_seal(&f);
	is_silent(&f, DROP_none);
}
END_TEST

START_TEST(other_protocols_are_silent)
{
	static const unsigned samples[] = { 3, 4, 5, 6, 11, 14 };

	for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct frame f;

		ck_assert(frame_sample(samples[i], &f));
		is_silent(&f, DROP_none);
	}
}
END_TEST

START_TEST(wrong_ip_checksum_is_silent)
{
	struct frame f = echo4();

	f.bytes[IP_CHECKSUM] ^= 1;
	is_silent(&f, DROP_bad_checksum);
}
END_TEST

START_TEST(wrong_icmp_checksum_is_silent)
{
	struct frame fs[] = { echo4(), echo6() };

	for (unsigned i = 0; i < 2; i++) {
		frame_checksum(&fs[i])[1] ^= 1;
		is_silent(&fs[i], DROP_bad_checksum);
		frame_checksum(&fs[i])[1] ^= 1;
		fs[i].bytes[fs[i].len - 1] ^= 1; /* the last byte counts */
		is_silent(&fs[i], DROP_bad_checksum);
	}
}
END_TEST

START_TEST(wrong_version_header_length_and_total_length_are_silent)
{
	struct frame f = echo4();

	f.bytes[0] = 0x65;
	is_silent(&f, DROP_none);
	f.bytes[0] = 0x55;
	is_silent(&f, DROP_none);
	f.bytes[0] = 0x44;
	is_silent(&f, DROP_none);
	f = echo4();
	store_be16(f.bytes + IP_LEN, (uint16_t)(f.len + 1));
	frame_ip_seal(&f);
	is_silent(&f, DROP_none);
	store_be16(f.bytes + IP_LEN, 19);
	frame_ip_seal(&f);
	is_silent(&f, DROP_none);
	store_be16(f.bytes + IP_LEN, 24);
	frame_ip_seal(&f);
	is_silent(&f, DROP_none);
	f = echo6();
	store_be16(f.bytes + IPV6_PLEN, (uint16_t)(f.len - 39));
	is_silent(&f, DROP_none);
	store_be16(f.bytes + IPV6_PLEN, 7);
	is_silent(&f, DROP_none); /* a request without its number is none */
}
END_TEST

START_TEST(request_cut_anywhere_is_silent)
{
	struct frame fs[] = { echo4(), echo6(), echo_in_eth(peer4, ours4) };

	for (unsigned i = 0; i < 3; i++) {
		while (fs[i].len-- > 0)
			is_silent(&fs[i], DROP_none);
	}
}
END_TEST

START_TEST(fragments_are_silent_and_counted)
{
	static const uint16_t fields[] = { IP_FRAG_MORE, IP_FRAG_MORE | 3, 3 };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = echo4();

		store_be16(f.bytes + IP_FRAG, fields[i]);
		frame_ip_seal(&f);
		is_silent(&f, DROP_fragment);
	}
	struct frame f = echo6_behind(1, PROTO_FRAGMENT, ext_first);

	is_silent(&f, DROP_fragment);
	f = echo6_behind(1, PROTO_FRAGMENT, ext_later);
	is_silent(&f, DROP_fragment);
}
END_TEST

static void sources_are_silent(const char *const *srcs, unsigned count, const char *dst)
{
	for (unsigned i = 0; i < count; i++) {
		struct frame f = frame_echo(srcs[i], dst, 56);

		is_silent(&f, DROP_bad_source);
	}
}

START_TEST(multicast_source_is_silent)
{
	static const char *const srcs4[] = { "224.0.0.1", "239.255.255.255" };
	static const char *const srcs6[] = { "ff02::1", "ff0e::7", "ffff::" };

	sources_are_silent(srcs4, 2, ours4);
	sources_are_silent(srcs6, 3, ours6);
}
END_TEST

START_TEST(limited_broadcast_source_is_silent)
{
	static const char *const srcs[] = { "255.255.255.255" };

	sources_are_silent(srcs, 1, ours4);
}
END_TEST

START_TEST(broadcast_and_network_address_of_our_subnet_as_source_are_silent)
{
	static const char *const srcs[] = { "10.0.0.255", "10.0.0.0" };

	sources_are_silent(srcs, 2, ours4);
}
END_TEST

START_TEST(broadcast_of_the_answered_net_as_source_is_silent)
{
	struct prefix net = prefix_of("172.16.0.0/16");
	struct reflect *r = reflect_new(&net, 1, NULL, 0);
	struct frame f = frame_echo("172.16.255.255", "172.16.0.7", 56);

	is_silent_by(r, &f, DROP_bad_source);
	f = frame_echo("172.16.0.255", "172.16.0.7", 56);
	is_answered_by(r, &f);
	reflect_release(r);
}
END_TEST

START_TEST(this_network_source_is_silent)
{
	static const char *const srcs[] = { "0.0.0.0", "0.1.2.3", "0.255.255.255" };

	sources_are_silent(srcs, 3, ours4);
}
END_TEST

START_TEST(loopback_source_is_silent)
{
	static const char *const srcs4[] = { "127.0.0.1", "127.255.255.255" };
	static const char *const srcs6[] = { "::1" };

	sources_are_silent(srcs4, 2, ours4);
	sources_are_silent(srcs6, 1, ours6);
}
END_TEST

START_TEST(reserved_source_is_silent)
{
	static const char *const srcs[] = { "240.0.0.1", "247.1.2.3", "255.255.255.254" };

	sources_are_silent(srcs, 3, ours4);
}
END_TEST

START_TEST(unspecified_and_mapped_sources_are_silent)
{
	static const char *const srcs[] = { "::", "::ffff:10.0.0.1" };

	sources_are_silent(srcs, 2, ours6);
}
END_TEST

START_TEST(sources_next_to_the_forbidden_ones_are_answered)
{
	static const char *const srcs4[] = { "1.0.0.0", "126.255.255.255", "128.0.0.0",
		"223.255.255.255", "10.0.1.255", "169.254.0.1" };
	static const char *const srcs6[] = { "::2", "fe80::1", "fe00::", "2001:db8::" };

	for (unsigned i = 0; i < 6; i++) {
		struct frame f = frame_echo(srcs4[i], ours4, 56);

		is_answered_by(by_link, &f);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct frame f = frame_echo(srcs6[i], ours6, 56);

		is_answered_by(by_link, &f);
	}
}
END_TEST

START_TEST(source_that_is_the_destination_is_silent)
{
	static const char *const srcs[] = { "10.0.0.7" }, *const srcs6[] = { "fd00::7" };

	sources_are_silent(srcs, 1, ours4);
	sources_are_silent(srcs6, 1, ours6);
}
END_TEST

START_TEST(destination_that_is_no_unicast_address_is_silent)
{
	static const char *const dsts4[] = { "224.0.0.1", "239.1.1.1", "127.0.0.1", "0.1.1.1",
		"240.0.0.1" };
	static const char *const dsts6[] = { "ff02::1", "ff0e::1", "::1", "::" };

	for (unsigned i = 0; i < 5; i++) {
		struct frame f = frame_echo(peer4, dsts4[i], 56);

		is_silent(&f, DROP_none);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct frame f = frame_echo(peer6, dsts6[i], 56);

		is_silent(&f, DROP_none);
	}
}
END_TEST

START_TEST(network_and_broadcast_destinations_are_silent)
{
	static const char *const dsts[] = { "10.0.0.0", "10.0.0.255", "255.255.255.255" };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = frame_echo("10.0.0.9", dsts[i], 56);

		is_silent(&f, DROP_none);
	}
}
END_TEST

START_TEST(unicast_destination_inside_an_l2_broadcast_is_silent)
{
	struct frame fs[] = { echo_in_eth(peer4, ours4), echo_in_eth(peer6, ours6) };

	for (unsigned i = 0; i < 2; i++) {
		memset(fs[i].bytes, 0xff, 6);
		is_silent(&fs[i], DROP_none);
		memcpy(fs[i].bytes, "\x01\x00\x5e\x00\x00\x07", 6);
		is_silent(&fs[i], DROP_none);
	}
}
END_TEST

START_TEST(frame_to_another_mac_is_silent)
{
	struct frame fs[] = { echo_in_eth(peer4, ours4), echo_in_eth(peer6, ours6) };

	for (unsigned i = 0; i < 2; i++) {
		fs[i].bytes[5] ^= 1;
		is_silent(&fs[i], DROP_none);
	}
}
END_TEST

START_TEST(routing_header_of_type_0_is_silent)
{
	struct frame f = echo6_behind(1, PROTO_ROUTING, ext_rh0);

	is_silent(&f, DROP_source_route);
}
END_TEST

START_TEST(routing_header_with_segments_left_is_silent)
{
	static const uint8_t left[7] = { 0, 4, 1 };
	struct frame f = echo6_behind(1, PROTO_ROUTING, left);

	is_silent(&f, DROP_source_route);
}
END_TEST

/* ---- whose address it is ---- */

START_TEST(kernels_own_address_is_never_answered)
{
	struct prefix host[2] = { prefix_of("10.0.0.1/32"), prefix_of("fd00::1/128") };
	struct reflect *r = reflect_new(host, 2, NULL, 0);
	struct frame f = frame_echo("10.0.0.9", "10.0.0.1", 56);

	is_silent(&f, DROP_none);
	is_silent_by(r, &f, DROP_none); /* even if it was asked for by name */
	f = frame_echo("fd00::9", "fd00::1", 56);
	is_silent(&f, DROP_none);
	is_silent_by(r, &f, DROP_none);
	reflect_release(r);
}
END_TEST

START_TEST(addresses_outside_the_links_prefixes_are_not_ours_by_default)
{
	struct frame f = frame_echo(peer4, "10.0.1.7", 56);

	is_silent_by(by_link, &f, DROP_none);
	is_answered_by(by_all, &f);
	f = frame_echo(peer6, "fd00:0:0:1::7", 56);
	is_silent_by(by_link, &f, DROP_none);
	is_answered_by(by_all, &f);
}
END_TEST

START_TEST(net_replaces_the_links_prefixes)
{
	struct prefix net = prefix_of("192.168.7.0/28");
	struct reflect *r = reflect_new(&net, 1, NULL, 0);
	struct frame f = echo4();

	is_silent_by(r, &f, DROP_none);
	f = frame_echo(peer4, "192.168.7.14", 56);
	is_answered_by(r, &f);
	f = frame_echo(peer4, "192.168.7.15", 56); /* its broadcast address */
	is_silent_by(r, &f, DROP_none);
	f = frame_echo(peer4, "192.168.7.0", 56);
	is_silent_by(r, &f, DROP_none);
	f = frame_echo(peer4, "192.168.7.16", 56);
	is_silent_by(r, &f, DROP_none);
	f = echo6(); /* no v6 net was given */
	is_silent_by(r, &f, DROP_none);
	reflect_release(r);
}
END_TEST

START_TEST(all_addresses_of_a_31_and_of_a_host_route_are_hosts)
{
	struct prefix net[2] = { prefix_of("192.168.7.2/31"), prefix_of("192.168.9.0/32") };
	struct reflect *r = reflect_new(net, 2, NULL, 0);
	static const char *const dsts[] = { "192.168.7.2", "192.168.7.3", "192.168.9.0" };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = frame_echo(peer4, dsts[i], 56);

		is_answered_by(r, &f);
	}
	reflect_release(r);
}
END_TEST

START_TEST(all_addresses_of_a_v6_prefix_are_hosts)
{
	static const char *const dsts[] = { "fd00::", "fd00::ffff:ffff:ffff:ffff" };

	for (unsigned i = 0; i < 2; i++) {
		struct frame f = frame_echo(peer6, dsts[i], 56);

		is_answered_by(by_link, &f);
	}
}
END_TEST

START_TEST(broadcast_of_the_link_is_excluded_from_a_larger_net)
{
	struct prefix net = prefix_of("10.0.0.0/8");
	struct reflect *r = reflect_new(&net, 1, NULL, 0);
	struct frame f = frame_echo("10.0.0.9", "10.0.0.255", 56);

	is_silent_by(r, &f, DROP_none);
	f = frame_echo("10.0.0.9", "10.0.1.255", 56);
	is_answered_by(r, &f);
	reflect_release(r);
}
END_TEST

START_TEST(except_takes_addresses_out)
{
	struct prefix except[2] = { prefix_of("10.0.0.4/30"), prefix_of("fd00::7/128") };
	struct reflect *r = reflect_new(NULL, 0, except, 2);
	struct frame f = frame_echo(peer4, "10.0.0.7", 56);

	is_silent_by(r, &f, DROP_none);
	f = frame_echo(peer4, "10.0.0.8", 56);
	is_answered_by(r, &f);
	f = frame_echo(peer6, "fd00::7", 56);
	is_silent_by(r, &f, DROP_none);
	f = frame_echo(peer6, "fd00::8", 56);
	is_answered_by(r, &f);
	reflect_release(r);
}
END_TEST

START_TEST(station_without_addresses_answers_nothing_by_default)
{
	struct frame f = echo4();

	station.addr_count = 0;
	is_silent_by(by_link, &f, DROP_none);
	is_answered_by(by_all, &f);
}
END_TEST

START_TEST(echo_switched_off_is_silent)
{
	struct frame f = echo4();

	by_link->echo = false;
	is_silent_by(by_link, &f, DROP_none);
}
END_TEST

START_TEST(prefixes_are_copied)
{
	struct prefix net = prefix_of("192.168.7.0/24");
	struct reflect *r = reflect_new(&net, 1, &net, 0);
	struct frame f = frame_echo(peer4, "192.168.7.9", 56);

	memset(&net, 0, sizeof(net));
	is_answered_by(r, &f);
	ck_assert_ptr_eq(reflect_hold(r), r);
	reflect_release(r);
	is_answered_by(r, &f); /* one hold is left */
	reflect_release(r);
}
END_TEST

static TCase *answered(void)
{
	TCase *tc = tcase_create("answered");

	tcase_add_test(tc, whole_request_to_one_of_ours_is_answered_from_that_address);
	tcase_add_test(tc, data_of_every_length_ident_and_seq_are_unchanged);
	tcase_add_test(tc, all_65536_request_checksums_verify_over_v4);
	tcase_add_test(tc, all_65536_request_checksums_verify_over_v6);
	tcase_add_test(tc, checksum_of_0_and_of_ffff_are_both_right);
	tcase_add_test(tc, ttl_of_an_answer_is_64_or_what_the_script_wants);
	tcase_add_test(tc, requests_own_ttl_is_kept_if_a_script_wrote_it);
	tcase_add_test(tc, ttl_0_and_1_are_answered);
	tcase_add_test(tc, code_other_than_0_is_answered);
	tcase_add_test(tc, frame_longer_than_the_total_length_is_trimmed);
	tcase_add_test(tc, record_route_and_timestamp_are_updated);
	tcase_add_test(tc, options_that_record_nothing_are_dropped_never_copied);
	tcase_add_test(tc, icmpv6_checksum_covers_the_pseudo_header);
	tcase_add_test(tc, hop_by_hop_and_destination_options_are_walked);
	tcase_add_test(tc, extension_headers_are_walked_with_a_bound);
	tcase_add_test(tc, atomic_fragment_is_answered_as_a_whole_packet);
	tcase_add_test(tc, sources_next_to_the_forbidden_ones_are_answered);
	return tc;
}

static TCase *silent(void)
{
	TCase *tc = tcase_create("silent");

	tcase_add_test(tc, replies_errors_and_all_other_types_are_silent);
	tcase_add_test(tc, answer_to_an_answer_is_silence);
	tcase_add_test(tc, two_reflectors_face_to_face_end_after_one_exchange);
	tcase_add_test(tc, router_solicitations_and_mld_of_the_kernel_are_silent);
	tcase_add_test(tc, other_protocols_are_silent);
	tcase_add_test(tc, option_that_asks_not_to_be_ignored_is_silent);
	tcase_add_test(tc, source_routes_are_silent);
	tcase_add_test(tc, options_that_lie_are_silent);
	tcase_add_test(tc, wrong_ip_checksum_is_silent);
	tcase_add_test(tc, wrong_icmp_checksum_is_silent);
	tcase_add_test(tc, wrong_version_header_length_and_total_length_are_silent);
	tcase_add_test(tc, request_cut_anywhere_is_silent);
	tcase_add_test(tc, fragments_are_silent_and_counted);
	tcase_add_test(tc, multicast_source_is_silent);
	tcase_add_test(tc, limited_broadcast_source_is_silent);
	tcase_add_test(tc, broadcast_and_network_address_of_our_subnet_as_source_are_silent);
	tcase_add_test(tc, broadcast_of_the_answered_net_as_source_is_silent);
	tcase_add_test(tc, this_network_source_is_silent);
	tcase_add_test(tc, loopback_source_is_silent);
	tcase_add_test(tc, reserved_source_is_silent);
	tcase_add_test(tc, unspecified_and_mapped_sources_are_silent);
	tcase_add_test(tc, source_that_is_the_destination_is_silent);
	tcase_add_test(tc, destination_that_is_no_unicast_address_is_silent);
	tcase_add_test(tc, network_and_broadcast_destinations_are_silent);
	tcase_add_test(tc, unicast_destination_inside_an_l2_broadcast_is_silent);
	tcase_add_test(tc, frame_to_another_mac_is_silent);
	tcase_add_test(tc, routing_header_of_type_0_is_silent);
	tcase_add_test(tc, routing_header_with_segments_left_is_silent);
	return tc;
}

static TCase *whose(void)
{
	TCase *tc = tcase_create("whose address it is");

	tcase_add_test(tc, kernels_own_address_is_never_answered);
	tcase_add_test(tc, addresses_outside_the_links_prefixes_are_not_ours_by_default);
	tcase_add_test(tc, net_replaces_the_links_prefixes);
	tcase_add_test(tc, all_addresses_of_a_31_and_of_a_host_route_are_hosts);
	tcase_add_test(tc, all_addresses_of_a_v6_prefix_are_hosts);
	tcase_add_test(tc, broadcast_of_the_link_is_excluded_from_a_larger_net);
	tcase_add_test(tc, except_takes_addresses_out);
	tcase_add_test(tc, station_without_addresses_answers_nothing_by_default);
	tcase_add_test(tc, echo_switched_off_is_silent);
	tcase_add_test(tc, prefixes_are_copied);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("reflect");
	TCase *cases[] = { answered(), silent(), whose() };

	for (unsigned i = 0; i < 3; i++) {
		tcase_set_timeout(cases[i], 60);
		tcase_add_checked_fixture(cases[i], setup, teardown);
		suite_add_tcase(suite, cases[i]);
	}
	return unit_run(suite);
}
