/* SPDX-License-Identifier: MIT */
/* What moontap is measured against: the loops that people write by hand.
 *
 *   loops bare tun|tap    read, write the same buffer: the least that a process can do
 *   loops naive tun|tap   the tutorial's: read, print a line, swap, sum it all, write
 *   loops quiet tun|tap   the same without the line
 *   loops policy tun      echo to 192.168.1.100 from 192.168.1.128/25, TTL 42; no other
 *   loops spin tun        quiet, but never sleeping
 *   loops socket LINK     quiet, by recv and send on a packet socket
 *
 * The device is called after its kind: tun0 or tap0. One packet a system call, as such loops do. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536, IP = 20 };

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "loops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int device_open(const char *kind, bool blocking)
{
	struct ifreq ifr = { .ifr_flags = IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | (blocking ? 0 : O_NONBLOCK));

	ifr.ifr_flags |= strcmp(kind, "tap") ? IFF_TUN : IFF_TAP;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s0", kind);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		fail("/dev/net/tun");
	return fd;
}

static int link_open(const char *link)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(link) };
	struct packet_mreq all = { .mr_ifindex = where.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
	int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
		bind(fd, (struct sockaddr *)&where, sizeof(where)))
		fail(link);
	return fd;
}

static uint16_t sum(const uint8_t *bytes, size_t len)
{
	uint32_t total = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		total += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (len & 1)
		total += (uint32_t)(bytes[len - 1] << 8);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static bool is_echo_request(const uint8_t *ip, size_t len)
{
	return len >= IP + 8 && ip[0] == 0x45 && ip[9] == IPPROTO_ICMP && ip[IP] == ICMP_ECHO;
}

static void addresses_swap(uint8_t *ip)
{
	uint8_t was[4];

	memcpy(was, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, was, 4);
}

/* Makes the request its reply, with the whole message summed anew. */
static bool naive_turn(uint8_t *ip, size_t len)
{
	if (!is_echo_request(ip, len))
		return false;
	addresses_swap(ip);
	ip[IP] = ICMP_ECHOREPLY;
	ip[IP + 2] = ip[IP + 3] = 0;
	uint16_t now = sum(ip + IP, len - IP);

	ip[IP + 2] = (uint8_t)(now >> 8);
	ip[IP + 3] = (uint8_t)now;
	return true;
}

/* The same for a policy: one destination, one source prefix, TTL 42. */
static bool policy_turn(uint8_t *ip, size_t len)
{
	static const uint8_t us[] = { 192, 168, 1, 100 };

	if (!is_echo_request(ip, len) || memcmp(ip + 16, us, 4) || memcmp(ip + 12, us, 3) ||
		!(ip[15] & 0x80))
		return false;
	naive_turn(ip, len);
	ip[8] = 42;
	ip[10] = ip[11] = 0;
	uint16_t now = sum(ip, IP);

	ip[10] = (uint8_t)(now >> 8);
	ip[11] = (uint8_t)now;
	return true;
}

static void line_print(const uint8_t *ip, ssize_t n)
{
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];

	printf("read %zd bytes: %s > %s\n", n, inet_ntop(AF_INET, ip + 12, from, sizeof(from)),
		inet_ntop(AF_INET, ip + 16, to, sizeof(to)));
}

static void device_loop(const char *mode, const char *kind)
{
	static uint8_t bytes[ROOM];
	bool is_bare = !strcmp(mode, "bare"), prints = !strcmp(mode, "naive");
	bool is_policy = !strcmp(mode, "policy"), spins = !strcmp(mode, "spin");
	size_t before = strcmp(kind, "tap") ? 0 : ETH_HLEN;
	int fd = device_open(kind, !spins);

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n < 0 && spins && errno == EAGAIN)
			continue;
		if (n < 0)
			fail("read");
		size_t len = (size_t)n > before ? (size_t)n - before : 0;

		if (prints && len >= IP)
			line_print(bytes + before, n);
		if (!is_bare && !(is_policy ? policy_turn(bytes + before, len)
					    : naive_turn(bytes + before, len)))
			continue;
		if (!is_bare && before) {
			uint8_t mac[6];

			memcpy(mac, bytes, 6);
			memcpy(bytes, bytes + 6, 6);
			memcpy(bytes + 6, mac, 6);
		}
		if (write(fd, bytes, (size_t)n) < 0 && errno != EIO && errno != EINVAL)
			fail("write");
	}
}

static void socket_loop(const char *link)
{
	static uint8_t bytes[ROOM];
	int fd = link_open(link);

	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		uint8_t mac[6];

		if (n < 0 && errno != ENETDOWN)
			fail("recv");
		if (n <= ETH_HLEN || bytes[12] != 8 || bytes[13] != 0 ||
			!naive_turn(bytes + ETH_HLEN, (size_t)n - ETH_HLEN))
			continue;
		memcpy(mac, bytes, 6);
		memcpy(bytes, bytes + 6, 6);
		memcpy(bytes + 6, mac, 6);
		if (send(fd, bytes, (size_t)n, 0) < 0 && errno != ENOBUFS && errno != ENETDOWN)
			fail("send");
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: loops bare|naive|quiet|policy|spin tun|tap, loops socket LINK\n",
			stderr);
		return 2;
	}
	if (!strcmp(argv[1], "socket"))
		socket_loop(argv[2]);
	device_loop(argv[1], argv[2]);
}
