/* SPDX-License-Identifier: MIT */
/* The packet inside a tunnel's packet is found, read and edited; lies inside stay inside. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/packet/field.h"
#include "host/packet/inner.h"
#include "tests/unit/frames.h"

enum { TUNNELS = 6 };

/* A packet in each kind of tunnel. */
static struct frame tunnel(unsigned i)
{
	struct frame four = frame_carried(false, "192.168.0.1", "192.168.0.7");
	struct frame six = frame_carried(false, "fd01::1", "fd01::7");
	struct frame eth = frame_carried(true, "192.168.0.1", "192.168.0.7");
	struct frame f = { 0 };

	switch (i) {
	case 0:
		return frame_vxlan(&eth);
	case 1:
		return frame_gre(&four, ETH_TYPE_IP4);
	case 2:
		return frame_gre(&six, ETH_TYPE_IP6);
	case 3:
		return frame_gre(&eth, ETH_TYPE_TEB);
	case 4:
		frame_ip4(&f, "10.0.0.1", "10.0.0.7", PROTO_IP6, NULL, 0);
		frame_add(&f, six.bytes, six.len);
		break;
	default:
		frame_ip6(&f, "fd00::1", "fd00::7", PROTO_DSTOPTS);
		frame_ext(&f, PROTO_IP4, ext_padn);
		frame_add(&f, four.bytes, four.len);
	}
	frame_seal(&f);
	return f;
}

START_TEST(each_tunnel_shows_what_it_carries)
{
	for (unsigned i = 0; i < TUNNELS; i++) {
		struct frame f = tunnel(i);
		struct packet *p = frame_packet(&f);
		struct packet view;

		ck_assert_msg(inner_view(&view, p), "tunnel %u", i);
		ck_assert_int_eq(view.first, i == 0 || i == 3 ? LAYER_eth : LAYER_ip);
		ck_assert_uint_eq(view.malformed, MALFORMED_none);
		ck_assert_ptr_eq(view.outer, p);
		ck_assert_ptr_eq(view.tail, p->tail);
		ck_assert(packet_layer(&view, LAYER_icmp) || packet_layer(&view, LAYER_icmpv6));
		ck_assert(frame_verifies(&view));
		packet_free(p);
	}
}
END_TEST

START_TEST(what_is_no_tunnel_has_no_inner_packet)
{
	static const unsigned tunnels[] = { 15, 16 };
	struct frame f;

	for (unsigned i = 0; frame_sample(i, &f); i++) {
		struct packet *p = frame_packet(&f);
		struct packet view = { .first = 77 };
		bool is_tunnel = i == tunnels[0] || i == tunnels[1];

		ck_assert_msg(inner_view(&view, p) == is_tunnel, "sample %u", i);
		if (!is_tunnel)
			ck_assert_int_eq(view.first, 77);
		packet_free(p);
	}
}
END_TEST

/* Only a part of it is there. */
START_TEST(fragment_of_a_tunnel_has_no_inner_packet)
{
	for (unsigned i = 0; i < TUNNELS - 1; i++) {
		struct frame f = tunnel(i);
		struct packet view;

		store_be16(f.bytes + IP_FRAG, IP_FRAG_MORE);
		frame_ip_seal(&f);
		struct packet *p = frame_packet(&f);

		ck_assert(!inner_view(&view, p));
		packet_free(p);
	}
}
END_TEST

START_TEST(lie_inside_is_the_inner_packets_alone)
{
	for (unsigned i = 0; i < TUNNELS; i++) {
		struct frame f = tunnel(i);
		struct packet *whole = frame_packet(&f);
		struct packet view;

		ck_assert(inner_view(&view, whole));
		size_t carried = packet_length(&view);

		for (size_t cut = 1; cut <= carried; cut++) {
			f.len--;
			frame_seal(&f);
			struct packet *p = frame_packet(&f);

			ck_assert_uint_eq(p->malformed, MALFORMED_none);
			ck_assert(inner_view(&view, p));
			ck_assert_uint_ne(view.malformed, MALFORMED_none);
			ck_assert_uint_eq(packet_length(&view), carried - cut);
			packet_free(p);
		}
		packet_free(whole);
	}
}
END_TEST

/* Padding that follows the datagram is not part of what the tunnel carries. */
START_TEST(inner_packet_ends_with_the_datagram)
{
	for (unsigned i = 0; i < TUNNELS; i++) {
		struct frame f = tunnel(i);
		struct packet view;

		frame_data(&f, 9);
		struct packet *p = frame_packet(&f);

		ck_assert(inner_view(&view, p));
		ck_assert_ptr_eq(view.tail, p->tail - 9);
		packet_free(p);
	}
}
END_TEST

static bool udp_sum_is_right(const struct packet *p)
{
	return checksum_transport_is_right(
		p, packet_layer(p, LAYER_ip), packet_layer(p, LAYER_udp));
}

static void write_number(struct packet *p, enum layer_id id, const char *name, uint64_t number)
{
	const struct field *field = field_find(id, name);
	struct value value = { .kind = field->kind, .number = number };

	ck_assert_int_eq(field_set(p, packet_layer(p, id), field, &value), FIELD_OK);
}

START_TEST(edit_inside_keeps_the_checksums_around_as_they_were)
{
	for (unsigned i = 0; i < 4; i++) {
		struct frame f = tunnel(i);
		struct packet *p = frame_packet(&f);
		struct packet view;

		for (unsigned is_wrong = 0; is_wrong < 2; is_wrong++) {
			uint8_t *sum = i ? layer_bytes(p, packet_layer(p, LAYER_gre)) + GRE_CHECKSUM
					 : checksum_field(p, packet_layer(p, LAYER_udp));

			sum[1] ^= is_wrong ? 0x55 : 0;
			ck_assert(inner_view(&view, p));
			bool is_4 = packet_layer(&view, LAYER_ip) != NULL;

			for (unsigned number = 0; number < 256; number++) {
				write_number(&view, is_4 ? LAYER_icmp : LAYER_icmpv6, "checksum",
					number * 257);
				write_number(&view, is_4 ? LAYER_ip : LAYER_ipv6,
					is_4 ? "ttl" : "hlim", number);
				ck_assert(frame_verifies(p) == !is_wrong);
			}
		}
		packet_free(p);
	}
}
END_TEST

/* RFC 7348 5: a UDP checksum of 0 should be sent, and says that there is none. */
START_TEST(edit_inside_leaves_a_udp_checksum_of_0)
{
	struct frame f = tunnel(0);
	struct packet *p = frame_packet(&f);
	struct packet view;

	store_be16(checksum_field(p, packet_layer(p, LAYER_udp)), 0);
	ck_assert(inner_view(&view, p));
	write_number(&view, LAYER_ip, "ttl", 1);
	ck_assert_uint_eq(load_be16(checksum_field(p, packet_layer(p, LAYER_udp))), 0);
	packet_free(p);
}
END_TEST

/* The kernel leaves the innermost checksum to be completed: those around it count on that. */
START_TEST(edit_inside_keeps_the_outer_checksum_right_when_the_inner_is_partial)
{
	struct frame inner = { 0 };

	frame_eth(&inner, ETH_TYPE_IP4);
	frame_ip4(&inner, "192.168.0.1", "192.168.0.7", PROTO_UDP, NULL, 0);
	frame_udp_body(&inner, 11);
	struct frame f = frame_vxlan(&inner);
	struct packet *p = frame_packet(&f);
	struct packet view;

	ck_assert(inner_view(&view, p));
	const struct layer *udp = packet_layer(&view, LAYER_udp);

	p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)(layer_bytes(&view, udp) - p->data),
		UDP_CHECKSUM };
	store_be16(checksum_field(&view, udp),
		frame_pseudo(layer_bytes(&view, packet_layer(&view, LAYER_ip)), PROTO_UDP,
			view.datagram_end - udp->offset));
	ck_assert(inner_view(&view, p));
	ck_assert_uint_eq(view.csum.start, udp->offset);
	for (unsigned number = 1; number < 65536; number += 97) {
		write_number(&view, LAYER_ip, "id", number);
		write_number(&view, LAYER_udp, "srcport", number);
		struct value addr = { .kind = FIELD_IP4,
			.bytes = { 192, 168, 0, (uint8_t)number } };

		ck_assert_int_eq(field_set(&view, packet_layer(&view, LAYER_ip),
					 field_find(LAYER_ip, "src"), &addr),
			FIELD_OK);
		struct packet *done = packet_copy(p);

		checksum_complete(done);
		ck_assert(udp_sum_is_right(done));
		packet_free(done);
	}
	packet_free(p);
}
END_TEST

START_TEST(tunnels_in_tunnels_are_followed_with_a_bound)
{
	struct frame f = frame_carried(true, "192.168.0.1", "192.168.0.7");
	struct packet views[INNER_DEPTH + 1];

	for (unsigned i = 0; i < INNER_DEPTH + 1; i++)
		f = frame_gre(&f, i ? ETH_TYPE_IP4 : ETH_TYPE_TEB);
	struct packet *p = frame_packet(&f);

	ck_assert_ptr_eq(inner_at(p, views, 0), p);
	for (unsigned i = 1; i <= INNER_DEPTH; i++)
		ck_assert_ptr_eq(inner_at(p, views, i), &views[i - 1]);
	ck_assert_ptr_null(inner_at(p, views, INNER_DEPTH + 1));
	struct packet *deepest = inner_at(p, views, INNER_DEPTH);

	write_number(deepest, LAYER_ip, "ttl", 3);
	for (struct packet *at = deepest; at; at = at->outer)
		ck_assert(frame_verifies(at));
	packet_free(p);
}
END_TEST

START_TEST(copy_of_a_view_is_a_packet_of_its_own)
{
	struct frame f = tunnel(0);
	struct packet *p = frame_packet(&f);
	struct packet view;

	ck_assert(inner_view(&view, p));
	struct packet *copy = packet_copy(&view);

	ck_assert_ptr_null(copy->outer);
	write_number(copy, LAYER_ip, "ttl", 3);
	ck_assert_mem_eq(p->data, f.bytes, f.len);
	packet_free(copy);
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inner");
	TCase *tc = tcase_create("inner");

	tcase_add_test(tc, each_tunnel_shows_what_it_carries);
	tcase_add_test(tc, what_is_no_tunnel_has_no_inner_packet);
	tcase_add_test(tc, fragment_of_a_tunnel_has_no_inner_packet);
	tcase_add_test(tc, lie_inside_is_the_inner_packets_alone);
	tcase_add_test(tc, inner_packet_ends_with_the_datagram);
	tcase_add_test(tc, edit_inside_keeps_the_checksums_around_as_they_were);
	tcase_add_test(tc, edit_inside_leaves_a_udp_checksum_of_0);
	tcase_add_test(tc, edit_inside_keeps_the_outer_checksum_right_when_the_inner_is_partial);
	tcase_add_test(tc, tunnels_in_tunnels_are_followed_with_a_bound);
	tcase_add_test(tc, copy_of_a_view_is_a_packet_of_its_own);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
