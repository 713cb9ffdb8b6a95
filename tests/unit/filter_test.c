/* SPDX-License-Identifier: MIT */
/* Filters match what they say, and nothing in them is ever looked up. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "host/policy/filter.h"
#include "tests/unit/frames.h"

static bool matches(const char *text, const struct frame *f)
{
	struct refusal why = { 0 };
	struct filter *filter;
	int error = filter_open(&filter, text, f->first, &why);

	ck_assert_msg(!error, "%s: %s", text, why.text);
	struct packet *p = frame_packet(f);
	bool is_match = filter_match(filter, p);

	packet_free(p);
	filter_close(filter);
	return is_match;
}

static void match_table(const struct frame *f, const char *const *yes, const char *const *no)
{
	for (; *yes; yes++)
		ck_assert_msg(matches(*yes, f), "\"%s\" does not match", *yes);
	for (; *no; no++)
		ck_assert_msg(!matches(*no, f), "\"%s\" matches", *no);
}

START_TEST(numeric_filters_match_v4)
{
	static const char *const yes[] = { "", "ip", "icmp", "host 10.0.0.1", "dst 10.0.0.7",
		"src net 10.0.0.0/8", "icmp[icmptype] = icmp-echo", "icmp[0] == 8", "ip[8] = 61",
		"len > 20 and len < 100", "greater 84 and less 84", "not ip6", "ip proto 1",
		"(src 10.0.0.1 or src 10.0.0.2) and icmp", "ip[9]&0xff=0x1", "ip proto \\icmp",
		"net 10.0.0.0 mask 255.0.0.0", NULL };
	static const char *const no[] = { "ip6", "udp", "tcp port 80", "host 10.0.0.2",
		"dst net 10.1.0.0/16", "icmp[icmptype] != 8", NULL };
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 56);

	match_table(&f, yes, no);
}
END_TEST

START_TEST(numeric_filters_match_v6)
{
	static const char *const yes[] = { "", "ip6", "icmp6", "host fd00::1", "dst fd00::7",
		"src net fd00::/8", "icmp6[icmp6type] = icmp6-echo", "ip6[7] = 61",
		"ip6 host fd00:0:0:0:0:0:0:7", NULL };
	static const char *const no[] = { "ip", "icmp", "host fd00::2", "dst net fd01::/16", NULL };
	struct frame f = frame_echo("fd00::1", "fd00::7", 56);

	match_table(&f, yes, no);
}
END_TEST

START_TEST(ports_and_flags_match)
{
	static const char *const yes[] = { "tcp port 80", "port 80", "portrange 70-90",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13]&2!=0", "src port 12345", NULL };
	static const char *const no[] = { "udp port 80", "tcp port 81", "portrange 81-90",
		"tcp[tcpflags] & tcp-ack != 0", NULL };
	struct frame f;

	ck_assert(frame_sample(4, &f));
	match_table(&f, yes, no);
}
END_TEST

START_TEST(frames_match_from_the_ethernet_header_on)
{
	static const char *const yes[] = { "ether dst 02:00:00:00:00:07", "icmp",
		"ether host 02:00:00:00:00:01", "ether proto 0x0800", "dst 10.0.0.7",
		"ether[12:2] = 0x0800", NULL };
	static const char *const no[] = { "ether dst 02:00:00:00:00:01", "vlan", "arp", NULL };
	struct frame f = { 0 };

	frame_eth(&f, ETH_TYPE_IP4);
	frame_echo_on(&f, "10.0.0.1", "10.0.0.7", 56);
	match_table(&f, yes, no);
}
END_TEST

/* A minus between an expression and a number is arithmetic, not part of a name. */
START_TEST(arithmetic_with_a_minus_is_taken)
{
	static const char *const yes[] = { "ip[2:2]-20 > 8", "ip[0]-1 = 68", "ip[2:2] - 20 = 64",
		"ip[8]+ip[9] = 62", "(ip[0]&0xf)*4 = 20", NULL };
	static const char *const no[] = { "ip[0]-1 = 69", NULL };
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 56);

	match_table(&f, yes, no);
}
END_TEST

static void refused(const char *text, const char *part)
{
	struct filter *out = (struct filter *)text;
	struct refusal why = { 0 };

	ck_assert_msg(filter_open(&out, text, LAYER_ip, &why) == -EINVAL, "\"%s\" was taken", text);
	ck_assert_ptr_eq(out, text); /* untouched */
	ck_assert_int_eq(why.code, EINVAL);
	ck_assert_msg(strstr(why.text, part), "\"%s\": %s", text, why.text);
}

START_TEST(names_are_refused_with_the_word)
{
	refused("host example.com", "\"example.com\"");
	refused("port http", "\"http\"");
	refused("net loopback", "\"loopback\"");
	refused("icmp and host my_host-1.lan", "\"my_host-1.lan\"");
	refused("host localhost", "as numbers");
	refused("src -evil", "\"evil\"");
}
END_TEST

/* Top-level domains and hosts can be made of digits and the letters a to f alone. */
START_TEST(names_of_hexadecimal_digits_are_refused)
{
	refused("host 1.de", "\"1.de\"");
	refused("host 163.cc", "\"163.cc\"");
	refused("host 0xcafe.be", "\"0xcafe.be\"");
	refused("host 7a", "\"7a\"");
	refused("host 1-2.ee", "\"1-2.ee\"");
	refused("host be:ef", "\"be:ef\"");
}
END_TEST

START_TEST(misspelt_keywords_are_guessed)
{
	refused("imcp", "did you mean \"icmp\"");
	refused("hots 10.0.0.1", "did you mean \"host\"");
}
END_TEST

START_TEST(syntax_errors_say_what_pcap_says)
{
	refused("icmp and", "syntax error");
	refused("host 10.0.0.1 10.0.0.2", "pcap-filter(7)");
	refused("(icmp", "syntax error");
	refused("host 10.0.0.256", "pcap-filter(7)");
	refused("port 65536", "pcap-filter(7)");
}
END_TEST

START_TEST(filter_lives_until_its_last_holder_lets_go)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 0);
	struct packet *p = frame_packet(&f);
	struct filter *filter;

	ck_assert_int_eq(filter_open(&filter, "icmp", LAYER_ip, NULL), 0);
	ck_assert_ptr_eq(filter_hold(filter), filter);
	filter_close(filter);
	ck_assert(filter_match(filter, p));
	filter_close(filter);
	packet_free(p);
}
END_TEST

START_TEST(packets_of_every_length_are_safe)
{
	static const char *const texts[] = { "icmp[8] = 3", "tcp[13] & 2 != 0", "ip[100] = 1",
		"ip6 protochain 58" };

	for (unsigned i = 0; i < 4; i++) {
		struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 56);

		while (f.len-- > 0)
			matches(texts[i], &f);
	}
}
END_TEST

/* What is said of pcap is true: a packet behind an extension header or a tag is not seen. */
START_TEST(what_surprises_is_what_pcap_does_not_see)
{
	static const uint8_t options[7] = { 0, 1, 4, 0, 0, 0, 0 };
	struct frame f = { 0 };

	frame_ip6(&f, "2001:db8::1", "2001:db8::7", PROTO_HOPOPTS);
	frame_ext(&f, PROTO_ICMPV6, options);
	frame_echo_body(&f, ICMPV6_ECHO_REQUEST, 8);
	frame_seal(&f);
	ck_assert(!matches("icmp6", &f));
	ck_assert_uint_eq(filter_surprise("icmp6", LAYER_ip), SURPRISE_EXTENSIONS);

	struct frame tagged = { 0 };

	frame_eth(&tagged, ETH_TYPE_8021Q);
	frame_vlan(&tagged, 5, ETH_TYPE_IP4);
	frame_echo_on(&tagged, "10.0.0.1", "10.0.0.7", 8);
	frame_seal(&tagged);
	ck_assert(!matches("icmp", &tagged));
	ck_assert_uint_eq(filter_surprise("icmp", LAYER_eth), SURPRISE_TAGS);
	ck_assert_uint_eq(filter_surprise("tcp", LAYER_eth), SURPRISE_EXTENSIONS | SURPRISE_TAGS);
}
END_TEST

START_TEST(what_says_that_it_knows_surprises_nobody)
{
	static const char *const texts[] = { "icmp", "ip and tcp", "tcp and host 10.0.0.1",
		"ip6 protochain 58", "arp", "len > 100", "ip6 protochain 6 and port 80" };

	for (unsigned i = 0; i < 7; i++)
		ck_assert_msg(!filter_surprise(texts[i], LAYER_ip), "%s", texts[i]);
	ck_assert_uint_eq(filter_surprise("vlan and icmp", LAYER_eth), 0);
	ck_assert_uint_eq(filter_surprise("ether src 02:00:00:00:00:01", LAYER_eth), 0);
	ck_assert_uint_eq(filter_surprise("ip or tcp port 80", LAYER_ip), SURPRISE_EXTENSIONS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter");
	TCase *tc = tcase_create("filter");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, numeric_filters_match_v4);
	tcase_add_test(tc, numeric_filters_match_v6);
	tcase_add_test(tc, ports_and_flags_match);
	tcase_add_test(tc, frames_match_from_the_ethernet_header_on);
	tcase_add_test(tc, arithmetic_with_a_minus_is_taken);
	tcase_add_test(tc, names_are_refused_with_the_word);
	tcase_add_test(tc, names_of_hexadecimal_digits_are_refused);
	tcase_add_test(tc, misspelt_keywords_are_guessed);
	tcase_add_test(tc, syntax_errors_say_what_pcap_says);
	tcase_add_test(tc, filter_lives_until_its_last_holder_lets_go);
	tcase_add_test(tc, packets_of_every_length_are_safe);
	tcase_add_test(tc, what_surprises_is_what_pcap_does_not_see);
	tcase_add_test(tc, what_says_that_it_knows_surprises_nobody);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
