/* SPDX-License-Identifier: MIT */
/* Hostile bytes -> reflect, reply and reject: an answer is right, no longer than the question
 * allows and never answered itself; what is not answered is untouched. */
#include "tests/fuzz/fuzz.h"

#include "host/packet/reply.h"
#include "host/packet/error.h"
#include "host/packet/scope.h"
#include "host/policy/reflect.h"
#include "host/policy/reject.h"

enum {
	FUZZ_NET = 1 << FUZZ_LEFT, /* the reflector has a net and an exception of its own */
	FUZZ_KIND = FUZZ_LEFT + 1, /* which error: 3 bits */
	ND_OPTION = 8,		   /* what a neighbour advertisement is longer by */
	ERROR4_MORE = IP_HEADER + ICMP_HEADER,
	ERROR6_MORE = IPV6_HEADER + ICMP_HEADER,
};

static struct prefix addrs[4], net[3], except[2];
static struct station station = {
	.addrs = addrs,
	.addr_count = 4,
	.link_mac = { 2, 0, 0, 0, 0, 1 },
	.self = { { 2, 0, 0, 0, 0, 2 }, 1700000000000000000 },
};

static void prefixes_read(struct prefix *out, const char *const *texts)
{
	for (; *texts; texts++, out++)
		CHECK(prefix_parse(out, *texts));
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const held[] = { "192.0.2.1/24", "10.1.1.1/31", "fd00::1/64",
		"fe80::1/64", NULL };
	static const char *const nets[] = { "192.0.2.0/24", "10.0.0.0/8", "fd00::/16", NULL };
	static const char *const excepts[] = { "192.0.2.128/25", "fd00:0:0:1::/64", NULL };

	(void)argc, (void)argv;
	prefixes_read(addrs, held);
	prefixes_read(net, nets);
	prefixes_read(except, excepts);
	return 0;
}

static bool is_in(
	const struct prefix *prefixes, unsigned count, uint8_t family, const uint8_t *addr)
{
	for (unsigned i = 0; i < count; i++) {
		if (prefix_contains(&prefixes[i], family, addr))
			return true;
	}
	return false;
}

/* What every packet that we send must be. */
static void answer_is_right(const struct packet *asked, struct packet *p)
{
	parse(p);
	layers_check(p);
	/* What we record may use up an option's last room, or its overflow count. */
	CHECK(packet_is_sound(p) ||
		(asked->traits & TRAIT_RECORD && p->malformed == MALFORMED_options));
	CHECK(p->layer_count);
	CHECK(ip_verifies(p));
	CHECK(!(p->traits & (TRAIT_FRAGMENT | TRAIT_ROUTED | TRAIT_UNKNOWN_OPT)));
	if (transport_layer(p))
		CHECK(transport_verifies(p));
	/* No padding, nor anything else of the question behind the datagram. */
	if (network_layer(p))
		CHECK(p->datagram_end == packet_length(p));
}

static bool is_advertisement(const struct packet *p)
{
	const struct layer *icmp = packet_layer(p, LAYER_icmpv6);

	return icmp && layer_bytes(p, icmp)[0] == ICMPV6_NA;
}

/* RFC 792, RFC 4443 4.2: data, identifier and sequence number go back unchanged. */
static void echo_is_right(const struct packet *asked, const struct packet *p)
{
	const struct layer *network = network_layer(p), *was = network_layer(asked);
	bool is_4 = network->id == LAYER_ip;
	size_t src = is_4 ? IP_SRC : IPV6_SRC, dst = is_4 ? IP_DST : IPV6_DST;
	size_t bytes = is_4 ? 4 : 16;
	const uint8_t *ip = layer_bytes(p, network), *asked_ip = layer_bytes(asked, was);
	const struct layer *icmp = transport_layer(p), *request = transport_layer(asked);
	size_t len = p->datagram_end - icmp->offset;

	CHECK(!memcmp(ip + src, asked_ip + dst, bytes) && !memcmp(ip + dst, asked_ip + src, bytes));
	CHECK(len == asked->datagram_end - request->offset);
	CHECK(layer_bytes(p, icmp)[0] == (is_4 ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY));
	CHECK(layer_bytes(p, icmp)[1] == layer_bytes(asked, request)[1]);
	CHECK(!memcmp(layer_bytes(p, icmp) + 4, layer_bytes(asked, request) + 4, len - 4));
	CHECK(is_4 ? scope_is_unicast4(ip + dst) : scope_is_unicast6(ip + dst));
	CHECK(ip[is_4 ? IP_TTL : IPV6_HLIM] == 64);
}

/* Only for whom we speak: never for what the kernel holds, nor for an exception. */
static void answer_is_ours(const struct reflect *r, const struct packet *p)
{
	const struct layer *network = network_layer(p), *arp = packet_layer(p, LAYER_arp);
	uint8_t family = network && network->id == LAYER_ipv6 ? FAMILY_6 : FAMILY_4;
	const uint8_t *from =
		arp ? layer_bytes(p, arp) + 14
		    : layer_bytes(p, network) + (family == FAMILY_4 ? IP_SRC : IPV6_SRC);

	CHECK(is_in(r->net_count ? r->net : addrs, r->net_count ? r->net_count : 4, family, from));
	CHECK(!is_in(r->except, r->except_count, family, from));
	for (unsigned i = 0; i < 4; i++)
		CHECK(addrs[i].addr.family != family ||
			memcmp(addrs[i].addr.bytes, from, family_bytes(family)) != 0);
}

static void frame_goes_back(const struct packet *asked, const struct packet *p)
{
	static const uint8_t all_nodes[] = { 0x33, 0x33, 0, 0, 0, 1 };

	if (p->first != LAYER_eth)
		return;
	if (is_advertisement(p) && !memcmp(p->data, all_nodes, MAC_BYTES))
		return;
	/* RFC 826: to the sender that the question names, whoever carried it here. */
	const struct layer *arp = packet_layer(asked, LAYER_arp);
	const uint8_t *from = arp ? layer_bytes(asked, arp) + 8 : asked->data + MAC_BYTES;

	CHECK(!memcmp(p->data, from, MAC_BYTES) && !(from[0] & 1) && !(p->data[MAC_BYTES] & 1));
}

static bool is_right_question(const struct packet *asked)
{
	if (packet_layer(asked, LAYER_arp))
		return true;
	return is_whole(asked) && ip_verifies(asked) &&
	       (!transport_layer(asked) || transport_verifies(asked));
}

static void reflect_check(const struct packet *asked, struct packet *p, bool has_net)
{
	struct reflect *r =
		has_net ? reflect_new(net, 3, except, 2) : reflect_new(NULL, 0, NULL, 0);

	if (reflect_verdict(r, &station, p) == VERDICT_REPLY) {
		CHECK(is_right_question(asked));
		answer_is_right(asked, p);
		answer_is_ours(r, p);
		frame_goes_back(asked, p);
		if (is_advertisement(p))
			CHECK(packet_length(p) <= packet_length(asked) + ND_OPTION);
		else
			CHECK(packet_length(p) <= packet_length(asked));
		if (network_layer(p) && !is_advertisement(p))
			echo_is_right(asked, p);
		struct packet *answer = packet_copy(p);

		CHECK(reflect_verdict(r, &station, p) == VERDICT_NONE && same_bytes(p, answer));
		packet_free(answer);
	} else {
		CHECK(same_bytes(p, asked) && p->written == asked->written);
	}
	reflect_release(r);
}

/* The verdict "reply", for whatever kind of packet. */
static void reply_check_all(const struct packet *asked, struct packet *p)
{
	enum reply_check check = reply_check(p);

	CHECK(same_bytes(p, asked) && reply_check_text(check));
	if (check == REPLY_MAY) {
		CHECK(is_right_question(asked));
		reply_turn(p, &station.self, 64);
		answer_is_right(asked, p);
		frame_goes_back(asked, p);
		CHECK(packet_length(p) <=
			packet_length(asked) + (is_advertisement(p) ? ND_OPTION : 0));
		if (packet_layer(p, LAYER_arp) || packet_layer(p, LAYER_icmp) ||
			packet_layer(p, LAYER_icmpv6))
			CHECK(reply_check(p) != REPLY_MAY);
	}
}

/* RFC 1122 3.2.2, RFC 4443 2.4: it quotes the start of what it is about, to who sent that. */
static void error_is_right(const struct packet *asked, const struct packet *p)
{
	const struct layer *network = network_layer(p), *was = network_layer(asked);
	bool is_4 = network->id == LAYER_ip;
	const uint8_t *ip = layer_bytes(p, network), *asked_ip = layer_bytes(asked, was);
	size_t more = is_4 ? ERROR4_MORE : ERROR6_MORE;
	size_t quoted = packet_length(p) - network->offset - more;

	CHECK(!memcmp(ip + (is_4 ? IP_DST : IPV6_DST), asked_ip + (is_4 ? IP_SRC : IPV6_SRC),
		is_4 ? 4 : 16));
	CHECK(packet_length(p) - network->offset <= (is_4 ? 576 : 1280));
	CHECK(packet_length(p) <= packet_length(asked) + more);
	CHECK(quoted <= asked->datagram_end - was->offset && !memcmp(ip + more, asked_ip, quoted));
	CHECK(!error_may(p));
}

static void reset_is_right(const struct packet *asked, const struct packet *p)
{
	const struct layer *tcp = packet_layer(p, LAYER_tcp), *was = packet_layer(asked, LAYER_tcp);
	const uint8_t *reset = layer_bytes(p, tcp), *segment = layer_bytes(asked, was);

	CHECK(reset[TCP_FLAGS] & 4 && !(segment[TCP_FLAGS] & 4));
	CHECK(packet_length(p) <= packet_length(asked) && tcp->length == TCP_HEADER);
	CHECK(!memcmp(reset, segment + 2, 2) && !memcmp(reset + 2, segment, 2));
	CHECK(!(p->traits & TRAIT_OPTIONS));
	CHECK(!error_may(p) && reply_check(p) != REPLY_MAY);
}

static void reject_check(const struct packet *asked, struct packet *p, int kind)
{
	struct reject *r = reject_new(kind);
	enum drop_reason reason = DROP_none;

	if (reject_verdict(r, &station, p, &reason) == VERDICT_REPLY) {
		CHECK(ip_verifies(asked) && packet_is_sound(asked));
		answer_is_right(asked, p);
		frame_goes_back(asked, p);
		CHECK(layer_bytes(p,
			      network_layer(p))[packet_layer(p, LAYER_ip) ? IP_TTL : IPV6_HLIM] ==
			64);
		if (packet_layer(p, LAYER_tcp))
			reset_is_right(asked, p);
		else
			error_is_right(asked, p);
		struct packet *answer = packet_copy(p);

		CHECK(reject_verdict(r, &station, p, &reason) == VERDICT_DROP &&
			same_bytes(p, answer));
		packet_free(answer);
	} else {
		CHECK(reason != DROP_none && same_bytes(p, asked));
	}
	reject_release(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet *p[4];

	if (!size)
		return 0;
	for (unsigned i = 0; i < 4; i++)
		p[i] = fuzz_packet(data + 1, size - 1, data[0]);
	reflect_check(p[0], p[1], data[0] & FUZZ_NET);
	reply_check_all(p[0], p[2]);
	reject_check(p[0], p[3], (data[0] >> FUZZ_KIND & 7) - 1);
	for (unsigned i = 0; i < 4; i++)
		packet_free(p[i]);
	return 0;
}
