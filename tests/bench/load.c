/* SPDX-License-Identifier: MIT */
/* Sends echo requests into a link, as many as it takes or one at a time, and checks what comes
 * back.
 *
 *   load flood LINK [OPTION=VALUE...]    frames by a packet socket, in batches; the kernel checks
 *       l2=1 size=84 flows=1 rate=PPS ms=300 from=ADDR to=ADDR mac=MAC bypass=1
 *   load ping  ADDR [OPTION=VALUE...]    one at a time by a ping socket: source, ident, seq and
 * data size=84 count=1000 spin=1        are compared; prints percentiles
 *
 * `size` is the whole IP packet's, in bytes. Prints one line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, SIZE_MAX_BYTES = 1500, COUNT_MAX = 1000000, PATIENCE_MS = 1000 };

struct options {
	const char *from, *to, *mac;
	unsigned size, flows, rate, ms, count;
	bool l2, bypass, spin;
};

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static uint16_t sum(const uint8_t *bytes, size_t len, uint32_t start)
{
	uint32_t total = start;

	for (size_t i = 0; i + 1 < len; i += 2)
		total += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (len & 1)
		total += (uint32_t)(bytes[len - 1] << 8);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static void store16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* An echo request of `size` bytes over IPv4 or IPv6, the family of its addresses. */
static void request_make(uint8_t *ip, const struct options *o, uint16_t ident, uint16_t seq)
{
	bool is_6 = strchr(o->to, ':') != NULL;
	size_t header = is_6 ? 40 : 20;
	uint8_t *icmp = ip + header;
	uint32_t pseudo = 0;

	memset(ip, 0, o->size);
	if (is_6) {
		ip[0] = 0x60;
		store16(ip + 4, (uint16_t)(o->size - header));
		ip[6] = IPPROTO_ICMPV6;
		ip[7] = 64;
		if (!inet_pton(AF_INET6, o->from, ip + 8) || !inet_pton(AF_INET6, o->to, ip + 24))
			fail("an IPv6 address");
		pseudo = (uint16_t)~sum(ip + 8, 32, (uint32_t)(o->size - header) + IPPROTO_ICMPV6);
	} else {
		ip[0] = 0x45;
		store16(ip + 2, (uint16_t)o->size);
		store16(ip + 4, seq);
		ip[8] = 64;
		ip[9] = IPPROTO_ICMP;
		if (!inet_pton(AF_INET, o->from, ip + 12) || !inet_pton(AF_INET, o->to, ip + 16))
			fail("an IPv4 address");
		store16(ip + 10, sum(ip, 20, 0));
	}
	icmp[0] = is_6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	store16(icmp + 4, ident);
	store16(icmp + 6, seq);
	for (size_t i = header + 8; i < o->size; i++)
		ip[i] = (uint8_t)i;
	store16(icmp + 2, sum(icmp, o->size - header, pseudo));
}

struct flood {
	int fd;
	struct sockaddr_ll where;
	struct mmsghdr msgs[BATCH];
	struct iovec parts[BATCH];
	uint8_t frames[BATCH][SIZE_MAX_BYTES + ETH_HLEN];
	uint64_t sent, refused;
};

/* The kernel's end: where answers have to go. */
static const uint8_t *link_mac(int fd, const char *link)
{
	static struct ifreq ifr;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", link);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		fail(link);
	return (const uint8_t *)ifr.ifr_hwaddr.sa_data;
}

static void flood_open(struct flood *f, const char *link, const struct options *o)
{
	bool is_6 = strchr(o->to, ':') != NULL;
	int one = 1;

	f->where = (struct sockaddr_ll){ .sll_family = AF_PACKET,
		.sll_protocol = htons(is_6 ? ETH_P_IPV6 : ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(link) };
	f->fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (f->fd < 0 || !f->where.sll_ifindex)
		fail(link);
	if (o->bypass && setsockopt(f->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		fail("PACKET_QDISC_BYPASS");
	size_t before = o->l2 ? ETH_HLEN : 0;
	const uint8_t *own = link_mac(f->fd, link);

	for (unsigned i = 0; i < BATCH; i++) {
		uint8_t *frame = f->frames[i];
		unsigned mac[6] = { 0 };

		if (o->l2) {
			if (sscanf(o->mac, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3],
				    &mac[4], &mac[5]) != 6)
				fail("mac=");
			for (unsigned j = 0; j < 6; j++)
				frame[j] = (uint8_t)mac[j];
			memcpy(frame + 6, own, 6);
			store16(frame + 12, is_6 ? ETH_P_IPV6 : ETH_P_IP);
		}
		request_make(frame + before, o, (uint16_t)(1 + i % o->flows), (uint16_t)i);
		f->parts[i] = (struct iovec){ frame, o->size + before };
		f->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &f->where,
			.msg_namelen = sizeof(f->where),
			.msg_iov = &f->parts[i],
			.msg_iovlen = 1 };
	}
}

/* One batch; what the device refuses is counted, and the rest tried again. */
static void batch_send(struct flood *f)
{
	for (unsigned at = 0; at < BATCH;) {
		int n = sendmmsg(f->fd, f->msgs + at, BATCH - at, 0);

		if (n > 0) {
			f->sent += (unsigned)n;
			at += (unsigned)n;
			continue;
		}
		if (errno != ENOBUFS && errno != EAGAIN && errno != EIO)
			fail("sendmmsg");
		f->refused++;
		at++;
	}
}

static void flood(const char *link, const struct options *o)
{
	static struct flood f;

	flood_open(&f, link, o);
	int64_t start = now_ns(), end = start + o->ms * INT64_C(1000000), now = start;

	while (now < end) {
		batch_send(&f);
		now = now_ns();
		if (!o->rate)
			continue;
		int64_t due =
			start + (int64_t)((f.sent + f.refused) * UINT64_C(1000000000) / o->rate);

		for (; now < due && now < end; now = now_ns())
			;
	}
	printf("{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.4f}\n",
		(unsigned long long)f.sent, (unsigned long long)f.refused,
		(double)(now - start) / 1e9);
}

static int ping_open(const char *addr)
{
	bool is_6 = strchr(addr, ':') != NULL;
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	int fd =
		socket(is_6 ? AF_INET6 : AF_INET, SOCK_DGRAM, is_6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	if (fd < 0)
		fail("a ping socket (net.ipv4.ping_group_range)");
	if (is_6 ? !inet_pton(AF_INET6, addr, &to6.sin6_addr)
		 : !inet_pton(AF_INET, addr, &to4.sin_addr))
		fail(addr);
	if (is_6 ? connect(fd, (struct sockaddr *)&to6, sizeof(to6))
		 : connect(fd, (struct sockaddr *)&to4, sizeof(to4)))
		fail(addr);
	return fd;
}

/* Waits for the answer to `seq`; false: it did not come. A wrong one ends the program. */
static bool answer_take(int fd, const uint8_t *sent, size_t len, bool spin)
{
	uint8_t got[SIZE_MAX_BYTES];
	int64_t end = now_ns() + PATIENCE_MS * INT64_C(1000000);

	for (;;) {
		struct pollfd wait = { fd, POLLIN, 0 };

		if (!spin && poll(&wait, 1, PATIENCE_MS) != 1)
			return false;
		ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

		if (n < 0) {
			if (spin && now_ns() > end)
				return false;
			continue;
		}
		/* The socket is connected and has its own ident: the kernel saw to those two. */
		if ((size_t)n == len && !memcmp(got + 6, sent + 6, len - 6))
			return true;
		errno = EBADMSG;
		fail("an answer with other data");
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void ping(const char *addr, const struct options *o)
{
	int64_t *took = calloc(o->count, sizeof(*took));
	bool is_6 = strchr(addr, ':') != NULL;
	size_t len = o->size - (is_6 ? 40 : 20);
	uint8_t icmp[SIZE_MAX_BYTES] = { is_6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO };
	unsigned lost = 0, got = 0;
	int fd = ping_open(addr);

	for (unsigned i = 0; i < o->count; i++) {
		store16(icmp + 6, (uint16_t)i);
		for (size_t j = 8; j < len; j++)
			icmp[j] = (uint8_t)(i + j);
		int64_t start = now_ns();

		if (send(fd, icmp, len, 0) < 0)
			fail("send");
		if (answer_take(fd, icmp, len, o->spin))
			took[got++] = now_ns() - start;
		else
			lost++;
	}
	qsort(took, got, sizeof(*took), compare);
	if (!got)
		printf("{\"lost\": %u}\n", lost);
	else
		printf("{\"lost\": %u, \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f}\n",
			lost, (double)took[got / 2] / 1e3, (double)took[got * 99 / 100] / 1e3,
			(double)took[got * 999 / 1000] / 1e3);
	free(took);
	close(fd);
}

static void option_take(struct options *o, char *text)
{
	char *value = strchr(text, '=');
	struct {
		const char *name;
		unsigned *number;
		bool *flag;
		const char **word;
	} known[] = { { "size", &o->size, NULL, NULL }, { "flows", &o->flows, NULL, NULL },
		{ "rate", &o->rate, NULL, NULL }, { "ms", &o->ms, NULL, NULL },
		{ "count", &o->count, NULL, NULL }, { "l2", NULL, &o->l2, NULL },
		{ "bypass", NULL, &o->bypass, NULL }, { "spin", NULL, &o->spin, NULL },
		{ "from", NULL, NULL, &o->from }, { "to", NULL, NULL, &o->to },
		{ "mac", NULL, NULL, &o->mac } };

	if (value)
		*value++ = '\0';
	for (unsigned i = 0; value && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(text, known[i].name))
			continue;
		if (known[i].number)
			*known[i].number = (unsigned)strtoul(value, NULL, 10);
		else if (known[i].flag)
			*known[i].flag = *value == '1';
		else
			*known[i].word = value;
		return;
	}
	errno = EINVAL;
	fail(text);
}

int main(int argc, char **argv)
{
	struct options o = { .from = "192.168.1.134",
		.to = "192.168.1.100",
		.mac = "02:00:00:00:00:99",
		.size = 84,
		.flows = 1,
		.ms = 300,
		.count = 1000 };

	for (int i = 3; i < argc; i++)
		option_take(&o, argv[i]);
	if (argc < 3 || o.size < 48 || o.size > SIZE_MAX_BYTES || !o.flows || !o.count ||
		o.count > COUNT_MAX) {
		fputs("usage: load flood LINK | ping ADDR [OPTION=VALUE...]\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "flood"))
		flood(argv[2], &o);
	else
		ping(argv[2], &o);
	return 0;
}
