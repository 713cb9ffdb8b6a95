/* SPDX-License-Identifier: MIT */
/* Hostile text -> filter -> a packet matched: no crash, and never a look-up of a name, which would
 * make a worker wait. Input: a flag byte, the text, a newline, the packet's bytes. */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/ether.h>

#include "host/policy/filter.h"

enum { TEXT_MAX = 400 }; /* longer ones only cost time */

/* These stand before libc's for libpcap too. Numbers may be read; whatever else asks fails. */
static void looked_up(const char *what, const char *name)
{
	fprintf(stderr, "looked up %s \"%s\"\n", what, name);
	abort();
}

static bool is_address(const char *name)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	static int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!libc)
		libc = (int (*)(const char *, const char *, const struct addrinfo *,
			struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
	if (node && !(hints->ai_flags & AI_NUMERICHOST) && !is_address(node))
		looked_up("host", node);
	if (service && strspn(service, "0123456789") != strlen(service))
		looked_up("service", service);
	return libc(node, service, hints, out);
}

struct hostent *gethostbyname(const char *name)
{
	looked_up("host", name);
	return NULL;
}

int getnetbyname_r(const char *name, struct netent *entry, char *buffer, size_t len,
	struct netent **out, int *error)
{
	(void)entry, (void)buffer, (void)len, (void)out, (void)error;
	looked_up("network", name);
	return 0;
}

int getprotobyname_r(
	const char *name, struct protoent *entry, char *buffer, size_t len, struct protoent **out)
{
	(void)entry, (void)buffer, (void)len, (void)out;
	looked_up("protocol", name);
	return 0;
}

int ether_hostton(const char *name, struct ether_addr *addr)
{
	(void)addr;
	looked_up("MAC address", name);
	return 0;
}

static void refusal_is_said(const struct refusal *why)
{
	size_t len = strnlen(why->text, sizeof(why->text));

	CHECK(why->code > 0 && len > 0 && len < sizeof(why->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filter *filter = NULL;
	struct refusal why = { 0 };
	char text[TEXT_MAX + 1];

	if (!size)
		return 0;
	enum layer_id first = data[0] & FUZZ_ETH ? LAYER_eth : LAYER_ip;
	const uint8_t *newline = memchr(data + 1, '\n', size - 1);
	const uint8_t *end = data + size;
	size_t len = (size_t)((newline ? newline : end) - (data + 1));

	if (len > TEXT_MAX)
		return 0;
	memcpy(text, data + 1, len);
	text[len] = '\0';
	if (filter_open(&filter, text, first, &why)) {
		CHECK(!filter);
		refusal_is_said(&why);
		return 0;
	}
	CHECK(filter);
	const uint8_t *bytes = newline ? newline + 1 : end;
	struct packet *p = fuzz_packet(bytes, (size_t)(end - bytes), data[0]);
	bool is_match = filter_match(filter, p);

	CHECK(filter_match(filter_hold(filter), p) == is_match);
	filter_close(filter);
	filter_close(filter);
	packet_free(p);
	return 0;
}
