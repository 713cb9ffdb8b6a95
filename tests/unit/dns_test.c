/* SPDX-License-Identifier: MIT */
/* DNS names and records are read as RFC 1035 lays them out; pointers that lie lead nowhere. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/packet/dns.h"
#include "tests/unit/frames.h"

/* RFC 1035 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root, as they lie at 20, 40, 64, 92. */
static size_t rfc_names(uint8_t *message)
{
	memset(message, 0, 93);
	memcpy(message + 20, "\1F\3ISI\4ARPA", 12);
	memcpy(message + 40, "\3FOO\xc0\x14", 6);
	memcpy(message + 64, "\xc0\x1a", 2);
	return 93;
}

START_TEST(names_of_the_rfc_are_read)
{
	static const struct {
		size_t at, behind;
		const char *name;
	} names[] = { { 20, 32, "F.ISI.ARPA" }, { 40, 46, "FOO.F.ISI.ARPA" }, { 64, 66, "ARPA" },
		{ 92, 93, "" } };
	uint8_t message[93];
	struct dns_walk walk = { .message = message, .len = rfc_names(message) };
	char name[DNS_NAME];

	for (unsigned i = 0; i < 4; i++) {
		size_t at = names[i].at;

		ck_assert(dns_name(&walk, &at, name));
		ck_assert_str_eq(name, names[i].name);
		ck_assert_uint_eq(at, names[i].behind);
	}
}
END_TEST

START_TEST(names_that_lie_are_none)
{
	static const struct {
		size_t len;
		const char *bytes;
	} lies[] = { { 2, "\xc0\x0c" }, { 2, "\xc0\x0e" }, { 1, "\xc0" }, { 3, "\x40\x61" },
		{ 3, "\5ab" }, { 2, "\1a" }, { 4, "\1a\xc0\x0c" },
		/* A pointer to a label that goes on over the pointer: the first byte of the id. */
		{ 4, "\xc0\x00\0\0" } };
	uint8_t message[64];

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct dns_walk walk = { .message = message, .len = 12 + lies[i].len };
		size_t at = 12;
		char name[DNS_NAME];

		memset(message, 0, sizeof(message));
		message[0] = 12;
		memcpy(message + 12, lies[i].bytes, lies[i].len);
		ck_assert_msg(!dns_name(&walk, &at, name), "%u", i);
	}
}
END_TEST

START_TEST(name_over_255_bytes_is_none)
{
	uint8_t message[300] = { 0 };
	char name[DNS_NAME];

	for (unsigned labels = 1; labels < 140; labels++) {
		struct dns_walk walk = { .message = message, .len = labels * 2 + 1 };
		size_t at = 0;

		for (unsigned i = 0; i < labels; i++)
			memcpy(message + (size_t)i * 2, "\1a", 2);
		message[labels * 2] = 0;
		ck_assert_int_eq(dns_name(&walk, &at, name), labels <= 127);
	}
}
END_TEST

START_TEST(names_come_back_as_they_went)
{
	static const char *const names[] = { "", "a", "moontap.example", "a\\046b.c", "x\\000y",
		"_dns.resolver.arpa", "xn--bcher-kva.example" };
	uint8_t wire[DNS_NAME];
	char name[DNS_NAME];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = dns_name_pack(names[i], wire), at = 0;
		struct dns_walk walk = { .message = wire, .len = len };

		ck_assert_uint_gt(len, 0);
		ck_assert(dns_name(&walk, &at, name));
		ck_assert_str_eq(name, names[i]);
		ck_assert_uint_eq(at, len);
	}
	ck_assert_uint_eq(dns_name_pack("moontap.example.", wire), 17);
	ck_assert_uint_eq(dns_name_pack(".", wire), 1);
	ck_assert_uint_eq(dns_name_pack("a..b", wire), 0);
	ck_assert_uint_eq(dns_name_pack(".a", wire), 0);
	ck_assert_uint_eq(dns_name_pack("a\\9", wire), 0);
	ck_assert_uint_eq(dns_name_pack("a\\999", wire), 0);
	char longest[300];

	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	ck_assert_uint_eq(dns_name_pack(longest, wire), 0);
	for (unsigned i = 63; i < sizeof(longest); i += 64)
		longest[i] = '.';
	longest[64] = 'a';
	longest[253] = '\0';
	ck_assert_uint_eq(dns_name_pack(longest, wire), 255);
	longest[253] = 'a';
	longest[254] = '\0';
	ck_assert_uint_eq(dns_name_pack(longest, wire), 0);
}
END_TEST

static struct packet *response(void)
{
	struct frame f = { 0 };

	ck_assert(frame_sample_options(12, &f));
	return frame_packet(&f);
}

START_TEST(records_come_section_by_section)
{
	static const uint16_t types[] = { 28, 5, 28, 2, 1, 12 };
	static const enum dns_section sections[] = { DNS_QUESTION, DNS_ANSWER, DNS_ANSWER,
		DNS_AUTHORITY, DNS_ADDITIONAL, DNS_ADDITIONAL };
	static const char *const names[] = { "moon.example", "moon.example", "tap.example",
		"example", "tap.example", "tap.example" };
	struct packet *p = response();
	struct dns_walk walk;
	struct dns_record record;
	unsigned count = 0;

	for (dns_walk(&walk, p, packet_layer(p, LAYER_dns)); dns_next(&walk, &record); count++) {
		ck_assert_uint_lt(count, 6);
		ck_assert_uint_eq(record.type, types[count]);
		ck_assert_int_eq(record.section, sections[count]);
		ck_assert_str_eq(record.name, names[count]);
	}
	ck_assert_uint_eq(count, 6);
	packet_free(p);
}
END_TEST

/* Every byte takes every value: AddressSanitizer sees a step outside, the clock one without end. */
START_TEST(message_that_lies_ends_the_walk_inside_the_packet)
{
	struct packet *p = response();
	const struct layer *dns = packet_layer(p, LAYER_dns);

	for (uint8_t *at = layer_bytes(p, dns) + 4; at < p->tail; at++) {
		uint8_t keep = *at;

		for (unsigned byte = 0; byte < 256; byte++) {
			struct dns_walk walk;
			struct dns_record record;
			unsigned count = 0;

			*at = (uint8_t)byte;
			for (dns_walk(&walk, p, dns); dns_next(&walk, &record); count++) {
				if (record.data + record.length > walk.len)
					ck_abort_msg("byte %u at %td", byte, at - p->data);
			}
			if (count > walk.len)
				ck_abort_msg("byte %u at %td", byte, at - p->data);
		}
		*at = keep;
	}
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns");
	TCase *tc = tcase_create("dns");

	tcase_add_test(tc, names_of_the_rfc_are_read);
	tcase_add_test(tc, names_that_lie_are_none);
	tcase_add_test(tc, name_over_255_bytes_is_none);
	tcase_add_test(tc, names_come_back_as_they_went);
	tcase_add_test(tc, records_come_section_by_section);
	tcase_add_test(tc, message_that_lies_ends_the_walk_inside_the_packet);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
