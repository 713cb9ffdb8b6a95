/* SPDX-License-Identifier: MIT */
/* What the virtio header says and what a packet knows are the same, both ways. */
#include "tests/unit/unit.h"

#include "host/packet/checksum.h"
#include "host/port/tun.h"
#include "host/port/vnet.h"
#include "tests/unit/frames.h"

static struct pool *pool;
static struct port *port;

static void setup(void)
{
	ck_assert_int_eq(pool_open(&pool, 4, 2), 0);
	port = tun_port_new(LAYER_ip);
	ck_assert_ptr_nonnull(port);
	port->pool = pool;
	port->is_open = true;
	port->takes_gso = true;
	port->vnet_bytes = sizeof(struct virtio_net_hdr);
}

static void teardown(void)
{
	ck_assert_uint_eq(pool_out(pool), 0);
	free(port);
	pool_close(pool);
}

/* A TCP segment in a slot of the pool, whose checksum is the pseudo-header's sum. */
static struct packet *partial(size_t payload)
{
	static const uint8_t tcp[20] = { 0x13, 0x88, 0x1f, 0x90, 0, 0, 0, 1, 0, 0, 0, 9, 0x50, 16 };
	struct frame f = { 0 };
	struct packet *p = pool_take(pool, 0);

	ck_assert_ptr_nonnull(p);
	frame_ip4(&f, "10.0.0.1", "10.0.0.2", PROTO_TCP, NULL, 0);
	frame_transport(&f, PROTO_TCP, tcp, sizeof(tcp));
	frame_data(&f, payload);
	frame_seal(&f);
	store_be16(frame_checksum(&f),
		frame_pseudo(f.bytes + f.network, PROTO_TCP, f.len - f.transport));
	memcpy(packet_put(p, f.len), f.bytes, f.len);
	p->first = LAYER_ip;
	parse(p);
	p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)f.transport, TCP_CHECKSUM };
	return p;
}

START_TEST(what_a_packet_knows_survives_the_header)
{
	struct packet *p = partial(1300), *back = packet_copy(p);
	struct virtio_net_hdr hdr;

	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 500, 40 };
	vnet_from_packet(p, &hdr);
	ck_assert_uint_eq(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	back->csum = (struct packet_csum){ 0 };
	vnet_to_packet(back, &hdr);
	ck_assert_int_eq(back->csum.state, CSUM_PARTIAL);
	ck_assert_uint_eq(back->csum.start, 20);
	ck_assert_uint_eq(back->csum.offset, TCP_CHECKSUM);
	ck_assert_uint_eq(back->gso.type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(back->gso.size, 500);
	ck_assert_uint_eq(back->gso.hdr_len, 40);
	packet_free(back);
	packet_free(p);
}
END_TEST

/* The kernel checks nothing of what a packet socket's sender writes there. */
START_TEST(header_that_points_outside_counts_for_nothing)
{
	static const uint16_t outside[][2] = { { 59, 16 }, { 0, 59 }, { 0xffff, 0xffff } };
	struct packet *p = partial(20);

	for (unsigned i = 0; i < 3; i++) {
		struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = outside[i][0],
			.csum_offset = outside[i][1] };

		p->csum.state = CSUM_NONE;
		vnet_to_packet(p, &hdr);
		ck_assert_int_eq(p->csum.state, CSUM_NONE);
	}
	packet_free(p);
}
END_TEST

/* It refuses a packet whose header is said to be longer than all of it. */
START_TEST(header_length_is_at_most_the_packets)
{
	struct packet *p = partial(10);
	struct virtio_net_hdr hdr;

	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 5, 1000 };
	vnet_from_packet(p, &hdr);
	ck_assert_uint_eq(hdr.hdr_len, 50);
	packet_free(p);
}
END_TEST

START_TEST(ready_packet_has_its_header_before_its_bytes)
{
	struct packet *p = partial(100);
	struct virtio_net_hdr hdr, expected;

	port->vnet_bytes = 12; /* as with mergeable buffers */
	memset(p->head, 0xff, PACKET_HEADROOM);
	vnet_from_packet(p, &expected);
	ck_assert_ptr_eq(vnet_ready(port, p), p);
	memcpy(&hdr, p->data - 12, sizeof(hdr));
	ck_assert_mem_eq(&hdr, &expected, sizeof(hdr));
	ck_assert_uint_eq(p->data[-2], 0);
	ck_assert_uint_eq(p->data[-1], 0);
	ck_assert_int_eq(p->csum.state, CSUM_PARTIAL);
	packet_free(p);
}
END_TEST

START_TEST(packet_without_headroom_gets_some)
{
	struct packet *p = partial(100), *copy;

	memmove(p->head, p->data, packet_length(p));
	p->tail = p->head + packet_length(p);
	p->data = p->head;
	copy = packet_copy(p);
	p = vnet_ready(port, p);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_ge(packet_headroom(p), port->vnet_bytes);
	ck_assert_uint_eq(packet_length(p), packet_length(copy));
	ck_assert_mem_eq(p->data, copy->data, packet_length(copy));
	packet_free(copy);
	packet_free(p);
}
END_TEST

START_TEST(without_a_header_the_checksum_is_completed)
{
	struct packet *p = partial(100);

	port->vnet_bytes = 0;
	ck_assert_ptr_eq(vnet_ready(port, p), p);
	ck_assert_int_eq(p->csum.state, CSUM_NONE);
	ck_assert(checksum_transport_is_right(p, &p->layer[0], &p->layer[1]));
	packet_free(p);
}
END_TEST

/* Uncut or not, what would not fit the link does not leave: path MTU discovery is as without. */
START_TEST(large_packet_leaves_where_each_segment_would_fit)
{
	struct packet *p = partial(1300);

	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 560, 40 };
	port->mtu = 600;
	ck_assert_ptr_eq(vnet_ready(port, p), p);
	port->mtu = 599;
	ck_assert_ptr_null(vnet_ready(port, p));
	ck_assert_uint_eq(counter_get(&port->counters.tx_drop[TX_DROP_too_long]), 1);
	p = partial(500);
	p->gso = (struct packet_gso){ VIRTIO_NET_HDR_GSO_TCPV4, 560, 40 };
	ck_assert_ptr_eq(vnet_ready(port, p), p); /* one that is shorter than its segments may be */
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vnet");
	TCase *tc = tcase_create("vnet");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_a_packet_knows_survives_the_header);
	tcase_add_test(tc, header_that_points_outside_counts_for_nothing);
	tcase_add_test(tc, header_length_is_at_most_the_packets);
	tcase_add_test(tc, ready_packet_has_its_header_before_its_bytes);
	tcase_add_test(tc, packet_without_headroom_gets_some);
	tcase_add_test(tc, without_a_header_the_checksum_is_completed);
	tcase_add_test(tc, large_packet_leaves_where_each_segment_would_fit);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
