/* SPDX-License-Identifier: MIT */
/* A large packet is cut into what its sender would have sent: no byte is lost, each is right. */
#include "tests/unit/unit.h"

#include <linux/virtio_net.h>

#include "host/packet/checksum.h"
#include "host/packet/pool.h"
#include "host/packet/segment.h"
#include "tests/unit/frames.h"

enum { SIZE = 500, PAYLOAD = 1300, PIECES = 3, GSO_UDP_L4 = 5 };

enum { FIN = 1, PSH = 8, ACK = 16, CWR = 128 };

static struct pool *pool;

/* What the large packets are made of. */
struct shape {
	bool is_6, is_eth, is_udp;
};

static const struct shape shapes[] = { { false, false, false }, { true, false, false },
	{ false, true, false }, { true, true, false }, { false, false, true },
	{ true, true, true } };

static void setup(void)
{
	ck_assert_int_eq(pool_open(&pool, 8, 2), 0);
}

static void teardown(void)
{
	ck_assert_uint_eq(pool_out(pool), 0);
	pool_close(pool);
}

/* With the pseudo-header's sum alone, as the kernel leaves it to whoever sends it at last. */
static void partial(struct frame *f)
{
	store_be16(frame_checksum(f),
		frame_pseudo(f->bytes + f->network, f->proto, f->len - f->transport));
}

static struct frame large(const struct shape *shape, size_t payload)
{
	/* RFC 7323: NOP, NOP, timestamps */
	static const uint8_t tcp[32] = { 0x13, 0x88, 0x1f, 0x90, 0xff, 0xff, 0xff, 0x00, 0, 0, 0, 9,
		0x80, FIN | PSH | ACK | CWR, 0x20, 0, 0, 0, 0, 0, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7,
		8 };
	static const uint8_t udp[8] = { 0x13, 0x88, 0x1f, 0x90 };
	uint8_t proto = shape->is_udp ? PROTO_UDP : PROTO_TCP;
	struct frame f = { 0 };

	if (shape->is_eth) {
		frame_eth(&f, ETH_TYPE_8021Q);
		frame_vlan(&f, 7, shape->is_6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
	}
	if (shape->is_6)
		frame_ip6(&f, "fd00::1", "fd00::2", proto);
	else
		frame_ip4(&f, "10.0.0.1", "10.0.0.2", proto, NULL, 0);
	frame_transport(&f, proto, shape->is_udp ? udp : tcp, shape->is_udp ? 8 : 32);
	frame_data(&f, payload);
	frame_seal(&f);
	partial(&f);
	return f;
}

static struct packet *large_packet(const struct shape *shape, const struct frame *f)
{
	struct packet *p = frame_packet(f);
	uint8_t of_tcp = shape->is_6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;

	p->gso = (struct packet_gso){ shape->is_udp ? GSO_UDP_L4 : of_tcp, SIZE, 0 };
	p->csum = (struct packet_csum){ CSUM_PARTIAL, (uint16_t)f->transport,
		(uint16_t)(frame_checksum((struct frame *)f) - f->bytes - f->transport) };
	return p;
}

static struct packet *empty(const struct segments *segments)
{
	struct packet *out = pool_take(pool, segments_longest(segments));

	ck_assert_ptr_nonnull(out);
	return out;
}

/* All that stands in front of the payload, but what must differ, is the large one's. */
static void headers_are_of(const struct frame *f, const struct packet *out, unsigned number)
{
	struct frame mine = *f;
	const uint8_t *ip = mine.bytes + mine.network;
	uint8_t *transport = mine.bytes + mine.transport;
	size_t headers = f->transport + (f->proto == PROTO_UDP ? UDP_HEADER : 32);
	bool is_last = number == PIECES - 1;

	mine.len = packet_length(out);
	memcpy(mine.bytes + headers, out->data + headers, mine.len - headers);
	if (ip[0] >> 4 == 4)
		store_be16(mine.bytes + mine.network + IP_ID, (uint16_t)(0x1234 + number));
	if (f->proto == PROTO_TCP) {
		store_be32(transport + TCP_SEQ, 0xffffff00 + number * SIZE);
		transport[TCP_FLAGS] =
			(uint8_t)(ACK | (number ? 0 : CWR) | (is_last ? FIN | PSH : 0));
	}
	frame_seal(&mine);
	ck_assert_mem_eq(out->data, mine.bytes, mine.len);
}

START_TEST(segments_are_what_the_sender_would_have_sent)
{
	const struct shape *shape = &shapes[_i];
	struct frame f = large(shape, PAYLOAD);
	struct packet *p = large_packet(shape, &f), *was = packet_copy(p);
	size_t headers = f.len - PAYLOAD, at = headers;
	struct segments segments;
	unsigned count = 0;

	ck_assert(segments_start(&segments, p));
	ck_assert_uint_eq(segments_longest(&segments), headers + SIZE);
	for (struct packet *out = empty(&segments);; count++, out = empty(&segments)) {
		if (!segments_next(&segments, out)) {
			ck_assert_uint_eq(packet_length(out), 0);
			packet_free(out);
			break;
		}
		size_t len = packet_length(out) - headers;

		ck_assert_uint_eq(len, count < PIECES - 1 ? SIZE : PAYLOAD % SIZE);
		ck_assert_mem_eq(out->data + headers, f.bytes + at, len);
		headers_are_of(&f, out, count);
		ck_assert_int_eq(out->csum.state, CSUM_NONE);
		ck_assert_int_eq(out->gso.type, VIRTIO_NET_HDR_GSO_NONE);
		at += len;
		packet_free(out);
	}
	ck_assert_uint_eq(count, PIECES);
	ck_assert_uint_eq(at, f.len);
	ck_assert_mem_eq(p->data, was->data, packet_length(was));
	packet_free(was);
	packet_free(p);
}
END_TEST

/* What parse finds in a segment is what is known of it. */
START_TEST(layers_of_a_segment_are_known)
{
	const struct shape *shape = &shapes[_i];
	struct frame f = large(shape, PAYLOAD);
	struct packet *p = large_packet(shape, &f);
	struct segments segments;

	ck_assert(segments_start(&segments, p));
	struct packet *out = empty(&segments);

	ck_assert(segments_next(&segments, out));
	struct packet *again = packet_copy(out);

	parse(again);
	ck_assert_uint_eq(again->malformed, MALFORMED_none);
	ck_assert_uint_eq(again->layer_count, out->layer_count);
	ck_assert_uint_eq(again->has, out->has);
	ck_assert_mem_eq(again->layer, out->layer, out->layer_count * sizeof(out->layer[0]));
	ck_assert_uint_eq(again->datagram_end, out->datagram_end);
	packet_free(again);
	packet_free(out);
	packet_free(p);
}
END_TEST

/* The first of them. */
static struct packet *first_of(struct packet *p)
{
	struct segments segments;

	ck_assert(segments_start(&segments, p));
	struct packet *out = empty(&segments);

	ck_assert(segments_next(&segments, out));
	return out;
}

START_TEST(what_fits_one_segment_is_one)
{
	static const size_t payloads[] = { 0, 1, SIZE };

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = large(&shapes[0], payloads[i]);
		struct packet *p = large_packet(&shapes[0], &f);
		struct segments segments;

		ck_assert(segments_start(&segments, p));
		struct packet *out = empty(&segments);

		ck_assert(segments_next(&segments, out));
		frame_seal(&f);
		ck_assert_uint_eq(packet_length(out), f.len);
		ck_assert_mem_eq(out->data, f.bytes, f.len);
		ck_assert(!segments_next(&segments, out));
		packet_free(out);
		packet_free(p);
	}
}
END_TEST

/* A header checksum that somebody broke stays as broken; one that a script wrote, as written. */
START_TEST(wrong_checksums_stay_wrong)
{
	struct frame f = large(&shapes[0], PAYLOAD);

	f.bytes[f.network + IP_CHECKSUM] ^= 0x11;
	store_be16(frame_checksum(&f), 0x1234);
	struct packet *p = large_packet(&shapes[0], &f);

	p->csum.state = CSUM_NONE;
	p->written = WRITTEN_CHECKSUM;
	struct packet *out = first_of(p);
	const struct layer *tcp = packet_layer(out, LAYER_tcp);

	ck_assert(!checksum_ip_is_right(out, packet_layer(out, LAYER_ip)));
	ck_assert_uint_eq(load_be16(checksum_field(out, tcp)), 0x1234);
	packet_free(out);
	packet_free(p);
}
END_TEST

/* RFC 768: 0 says that there is none. */
START_TEST(datagrams_without_a_checksum_stay_without)
{
	struct frame f = large(&shapes[4], PAYLOAD);

	store_be16(frame_checksum(&f), 0);
	struct packet *p = large_packet(&shapes[4], &f);

	p->csum.state = CSUM_NONE;
	struct packet *out = first_of(p);

	ck_assert_uint_eq(load_be16(checksum_field(out, packet_layer(out, LAYER_udp))), 0);
	packet_free(out);
	packet_free(p);
}
END_TEST

START_TEST(padding_is_in_no_segment)
{
	struct frame f = large(&shapes[2], PAYLOAD);

	frame_add(&f, NULL, 9);
	struct packet *p = large_packet(&shapes[2], &f);
	struct segments segments;
	size_t sum = 0;

	ck_assert(segments_start(&segments, p));
	for (struct packet *out = empty(&segments);; out = empty(&segments)) {
		bool is_one = segments_next(&segments, out);

		sum += is_one ? packet_length(out) - segments.headers : 0;
		packet_free(out);
		if (!is_one)
			break;
	}
	ck_assert_uint_eq(sum, PAYLOAD);
	packet_free(p);
}
END_TEST

static bool can_cut(struct packet *p)
{
	struct segments segments;

	return segments_start(&segments, p);
}

START_TEST(what_is_no_large_segment_is_not_cut)
{
	struct frame f = large(&shapes[0], PAYLOAD);
	struct packet *p = large_packet(&shapes[0], &f);

	ck_assert(can_cut(p));
	p->gso.type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
	ck_assert(can_cut(p));
	p->gso.size = 0;
	ck_assert(!can_cut(p));
	p->gso.size = SIZE;
	p->gso.type = GSO_UDP_L4;
	ck_assert(!can_cut(p));
	p->gso.type = VIRTIO_NET_HDR_GSO_UDP;
	ck_assert(!can_cut(p));
	p->gso.type = VIRTIO_NET_HDR_GSO_TCPV4;
	p->traits |= TRAIT_FRAGMENT;
	ck_assert(!can_cut(p));
	packet_free(p);
	f.bytes[f.transport + TCP_OFFSET] = 0x10; /* a header of 4 bytes */
	p = large_packet(&shapes[0], &f);
	ck_assert(!can_cut(p));
	packet_free(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("segment");
	TCase *tc = tcase_create("segment");
	const int shape_count = sizeof(shapes) / sizeof(shapes[0]);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, segments_are_what_the_sender_would_have_sent, 0, shape_count);
	tcase_add_loop_test(tc, layers_of_a_segment_are_known, 0, shape_count);
	tcase_add_test(tc, what_fits_one_segment_is_one);
	tcase_add_test(tc, wrong_checksums_stay_wrong);
	tcase_add_test(tc, datagrams_without_a_checksum_stay_without);
	tcase_add_test(tc, padding_is_in_no_segment);
	tcase_add_test(tc, what_is_no_large_segment_is_not_cut);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
