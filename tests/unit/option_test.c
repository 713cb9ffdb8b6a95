/* SPDX-License-Identifier: MIT */
/* Options are found where they lie, and walks end inside the packet whatever the lengths say. */
#include "tests/unit/unit.h"

#include "host/packet/option.h"
#include "tests/unit/frames.h"

static struct packet *sample(unsigned i)
{
	struct frame f = { 0 };

	ck_assert(frame_sample_options(i, &f));
	return frame_packet(&f);
}

static uint64_t number(const struct packet *p, enum layer_id id, const char *name)
{
	struct value value = { 0 };

	ck_assert_msg(field_get(p, packet_layer(p, id), field_find(id, name), &value) == FIELD_OK,
		"%s", name);
	return value.number;
}

static bool is_text(const struct packet *p, const char *name, const char *text)
{
	struct value value = { 0 };

	return field_get(p, packet_layer(p, LAYER_dhcp), field_find(LAYER_dhcp, name), &value) ==
		       FIELD_OK &&
	       value.length == strlen(text) && !memcmp(value.bytes, text, value.length);
}

START_TEST(options_read_as_they_lie)
{
	struct packet *p = sample(9);

	ck_assert_uint_eq(number(p, LAYER_tcp, "mss"), 1460);
	ck_assert_uint_eq(number(p, LAYER_tcp, "wscale"), 7);
	ck_assert_uint_eq(number(p, LAYER_tcp, "sack_permitted"), 1);
	ck_assert_uint_eq(number(p, LAYER_tcp, "ts_val"), 0x01020304);
	ck_assert_uint_eq(number(p, LAYER_tcp, "ts_ecr"), 0x05060708);
	packet_free(p);
	p = sample(6);
	ck_assert_uint_eq(number(p, LAYER_icmpv6, "opt_mtu"), 1500);
	ck_assert_uint_eq(number(p, LAYER_icmpv6, "prefix_len"), 64);
	ck_assert_uint_eq(number(p, LAYER_icmpv6, "valid"), 3600);
	ck_assert_uint_eq(number(p, LAYER_icmpv6, "preferred"), 1800);
	ck_assert_uint_eq(number(p, LAYER_icmpv6, "lifetime"), 1800);
	packet_free(p);
	p = sample(11);
	ck_assert_uint_eq(number(p, LAYER_dhcp, "message_type"), 3);
	ck_assert_uint_eq(number(p, LAYER_dhcp, "lease_time"), 3600);
	ck_assert(is_text(p, "hostname", "moon") && is_text(p, "domain", "lan"));
	packet_free(p);
}
END_TEST

START_TEST(options_are_named_in_their_order)
{
	static const char *const names[] = { "mss", "wscale", "sack-permitted", "timestamps" };
	struct packet *p = sample(9);
	struct option_walk walk;
	struct option option;
	unsigned count = 0;

	ck_assert(option_walk(&walk, p, packet_layer(p, LAYER_tcp)));
	while (option_next(&walk, &option))
		ck_assert_str_eq(option.name, names[count++]);
	ck_assert_uint_eq(count, 4);
	packet_free(p);
}
END_TEST

/* Every byte of the options takes every value: AddressSanitizer sees a step outside. */
START_TEST(options_that_lie_end_the_walk_inside_the_packet)
{
	static const struct {
		unsigned sample;
		enum layer_id layer;
		unsigned from;
	} all[] = { { 9, LAYER_tcp, TCP_HEADER }, { 6, LAYER_icmpv6, 16 },
		{ 11, LAYER_dhcp, BOOTP_HEADER + 4 } };

	for (unsigned i = 0; i < 3; i++) {
		struct packet *p = sample(all[i].sample);
		const struct layer *layer = packet_layer(p, all[i].layer);

		for (uint8_t *at = layer_bytes(p, layer) + all[i].from; at < p->tail; at++) {
			uint8_t keep = *at;

			for (unsigned byte = 0; byte < 256; byte++) {
				struct option_walk walk;
				struct option option;
				unsigned count = 0;

				*at = (uint8_t)byte;
				bool is_inside = option_walk(&walk, p, layer);

				for (; option_next(&walk, &option); count++)
					is_inside &= option.data + option.length <= p->tail;
				if (!is_inside || count > packet_length(p))
					ck_abort_msg("byte %u at %td", byte, at - p->data);
			}
			*at = keep;
		}
		packet_free(p);
	}
}
END_TEST

START_TEST(layer_without_options_has_no_walk)
{
	struct frame f = frame_echo("10.0.0.1", "10.0.0.7", 4);
	struct packet *p = frame_packet(&f);
	struct option_walk walk;
	struct option option;

	ck_assert(!option_walk(&walk, p, packet_layer(p, LAYER_ip)));
	ck_assert(!option_next(&walk, &option));
	ck_assert(!option_walk(&walk, p, packet_layer(p, LAYER_icmp)));
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("option");
	TCase *tc = tcase_create("option");

	tcase_add_test(tc, options_read_as_they_lie);
	tcase_add_test(tc, options_are_named_in_their_order);
	tcase_add_test(tc, options_that_lie_end_the_walk_inside_the_packet);
	tcase_add_test(tc, layer_without_options_has_no_walk);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
