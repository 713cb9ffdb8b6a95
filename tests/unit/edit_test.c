/* SPDX-License-Identifier: MIT */
/* A payload of another length: what the kernel still has to finish stays finishable, and whoever
 * owns the bytes gets them back. */
#include "tests/unit/unit.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "host/packet/build.h"
#include "host/packet/checksum.h"
#include "host/packet/edit.h"
#include "host/packet/parse.h"
#include "host/packet/pool.h"
#include "host/packet/wire.h"

static const uint8_t bytes[3000] = "another payload";

static struct packet *built(enum layer_id network, enum layer_id transport, size_t len)
{
	const struct build_layer layers[] = { { .id = LAYER_eth }, { .id = network },
		{ .id = transport } };
	struct packet *p = packet_new(build_length(layers, 3), bytes, len);
	struct build_why why;

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(build(p, layers, 3, &why), BUILD_OK);
	ck_assert_uint_eq(p->malformed, MALFORMED_none);
	return p;
}

static bool is_right(const struct packet *p)
{
	return checksum_transport_is_right(p, &p->layer[1], &p->layer[2]);
}

/* As the kernel hands a packet over whose checksum it has not computed. */
static void make_partial(struct packet *p)
{
	const struct layer *transport = &p->layer[2];
	uint8_t *field = checksum_field(p, transport);
	size_t len = p->datagram_end - transport->offset;
	bool is_4 = p->layer[1].id == LAYER_ip;

	store_be16(field, checksum_pseudo(layer_bytes(p, &p->layer[1]) + (is_4 ? IP_SRC : IPV6_SRC),
				  is_4 ? 8 : 32, p->proto, (uint32_t)len));
	p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)transport->offset,
		(uint16_t)(field - layer_bytes(p, transport)) };
}

static const enum layer_id stacks[][2] = { { LAYER_ip, LAYER_tcp }, { LAYER_ip, LAYER_udp },
	{ LAYER_ipv6, LAYER_tcp }, { LAYER_ipv6, LAYER_udp } };

START_TEST(a_partial_checksum_completes_to_that_of_the_new_payload)
{
	static const size_t lengths[] = { 0, 1, 16, 17, 127 };

	for (unsigned i = 0; i < 5; i++) {
		struct packet *p = built(stacks[_i][0], stacks[_i][1], 16);

		make_partial(p);
		ck_assert_int_eq(edit_payload(p, bytes, lengths[i]), EDIT_OK);
		ck_assert_int_eq(p->csum.state, CSUM_PARTIAL);
		ck_assert_int_eq(edit_push_vlan(p), EDIT_OK);
		ck_assert_int_eq(edit_pop_vlan(p, LAYER_vlan), EDIT_OK);
		checksum_complete(p);
		ck_assert(is_right(p));
		packet_free(p);
	}
}
END_TEST

START_TEST(a_tag_moves_what_a_partial_checksum_points_at)
{
	struct packet *p = built(LAYER_ip, LAYER_tcp, 16);

	make_partial(p);
	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 8, 54 };
	ck_assert_int_eq(edit_push_vlan(p), EDIT_OK);
	ck_assert_uint_eq(p->csum.start, 38);
	ck_assert_uint_eq(p->gso.hdr_len, 58);
	checksum_complete(p);
	ck_assert(checksum_transport_is_right(p, &p->layer[2], &p->layer[3]));
	packet_free(p);
}
END_TEST

START_TEST(a_payload_of_one_segment_needs_no_segmentation)
{
	struct packet *p = built(LAYER_ip, LAYER_tcp, 3000);

	make_partial(p);
	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 1000, 54 };
	ck_assert_int_eq(edit_payload(p, bytes, 1001), EDIT_OK);
	ck_assert_uint_eq(p->gso.type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_int_eq(edit_payload(p, bytes, 1000), EDIT_OK);
	ck_assert_uint_eq(p->gso.type, VIRTIO_NET_HDR_GSO_NONE);
	packet_free(p);
}
END_TEST

START_TEST(a_fragment_keeps_the_length_of_its_datagram)
{
	struct packet *p = built(LAYER_ip, LAYER_udp, 16);
	uint8_t *ip = layer_bytes(p, &p->layer[1]), *udp = layer_bytes(p, &p->layer[2]);

	store_be16(ip + IP_FRAG, IP_FRAG_MORE);
	store_be16(udp + UDP_LENGTH, 1000);
	checksum_ip_fill(p, &p->layer[1]);
	parse(p);
	ck_assert_uint_eq(p->malformed, MALFORMED_none);
	ck_assert_int_eq(edit_payload(p, bytes, 8), EDIT_OK);
	ck_assert_uint_eq(load_be16(udp + UDP_LENGTH), 1000);
	ck_assert_uint_eq(load_be16(ip + IP_LEN), 36);
	ck_assert(checksum_ip_is_right(p, &p->layer[1]));
	packet_free(p);
}
END_TEST

/* What replaces bytes by others of the same sum leaves a datagram's checksum, also a fragment's. */
START_TEST(a_fragments_checksum_follows_its_bytes)
{
	struct packet *p = built(LAYER_ip, LAYER_udp, 16);
	uint8_t *udp = layer_bytes(p, &p->layer[2]);
	uint16_t before = load_be16(udp + UDP_CHECKSUM);

	store_be16(layer_bytes(p, &p->layer[1]) + IP_FRAG, IP_FRAG_MORE);
	parse(p);
	ck_assert_int_eq(
		edit_payload(p, (const uint8_t *)"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), EDIT_OK);
	ck_assert_uint_eq(load_be16(udp + UDP_CHECKSUM),
		checksum_add(before, checksum_delta(checksum_sum(bytes, 16, 0), 0x0100)));
	packet_free(p);
}
END_TEST

START_TEST(without_room_a_packet_is_untouched_and_grows)
{
	struct packet *p = built(LAYER_ipv6, LAYER_udp, 16), *was = packet_copy(p);

	ck_assert_int_eq(edit_payload(p, bytes, 3000), EDIT_ROOM);
	ck_assert_uint_eq(packet_length(p), packet_length(was));
	ck_assert_mem_eq(p->data, was->data, packet_length(p));
	p = packet_grow(p, 200, packet_length(p) + 3000);
	ck_assert_ptr_nonnull(p);
	ck_assert_mem_eq(p->data, was->data, packet_length(was));
	ck_assert_uint_eq(packet_headroom(p), 200);
	ck_assert_int_eq(edit_payload(p, bytes, 3000), EDIT_OK);
	ck_assert(is_right(p));
	packet_free(was);
	packet_free(p);
}
END_TEST

START_TEST(a_packet_of_a_pool_grows_in_place_and_every_slot_comes_home)
{
	struct pool *pool;

	ck_assert_int_eq(pool_open(&pool, 2, 2), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct packet *built_one = built(LAYER_ip, LAYER_udp, 16);
		struct packet *p = pool_take(pool, 1500);
		size_t len = packet_length(built_one);

		memcpy(packet_put(p, len), built_one->data, len);
		packet_free(built_one);
		p->first = LAYER_eth;
		parse(p);
		ck_assert_ptr_eq(packet_grow(p, PACKET_HEADROOM, 65535), p);
		ck_assert_uint_ge(packet_tailroom(p), 65535 - len);
		ck_assert_int_eq(edit_payload(p, bytes, 3000), EDIT_OK);
		ck_assert(is_right(p));
		ck_assert_uint_eq(pool_out(pool), 1);
		packet_free(p);
		ck_assert_uint_eq(pool_out(pool), 0);
	}
	struct packet *small = pool_take(pool, 1), *big = pool_take(pool, 60000);
	struct packet *last = pool_take(pool, 60000);

	ck_assert_ptr_null(packet_grow(small, PACKET_HEADROOM, 60000));
	packet_free(small);
	packet_free(big);
	packet_free(last);
	pool_close(pool);
}
END_TEST

START_TEST(a_second_tag_that_is_cut_off_leaves_no_room_for_one_more)
{
	static const uint8_t frame[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 5, 0x81, 0,
		0, 6 };
	struct packet *p = packet_from_bytes(frame, sizeof(frame), LAYER_eth);

	parse(p);
	ck_assert_uint_eq(p->malformed, MALFORMED_truncated);
	ck_assert_int_eq(edit_push_vlan(p), EDIT_FULL);
	ck_assert_uint_eq(packet_length(p), sizeof(frame));
	ck_assert_mem_eq(p->data, frame, sizeof(frame));
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edit");
	TCase *tc = tcase_create("edit");

	tcase_add_loop_test(tc, a_partial_checksum_completes_to_that_of_the_new_payload, 0, 4);
	tcase_add_test(tc, a_tag_moves_what_a_partial_checksum_points_at);
	tcase_add_test(tc, a_second_tag_that_is_cut_off_leaves_no_room_for_one_more);
	tcase_add_test(tc, a_payload_of_one_segment_needs_no_segmentation);
	tcase_add_test(tc, a_fragment_keeps_the_length_of_its_datagram);
	tcase_add_test(tc, a_fragments_checksum_follows_its_bytes);
	tcase_add_test(tc, without_room_a_packet_is_untouched_and_grows);
	tcase_add_test(tc, a_packet_of_a_pool_grows_in_place_and_every_slot_comes_home);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
