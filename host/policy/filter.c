/* SPDX-License-Identifier: MIT */
/* Asks libpcap's program whether a packet matches. */
#include "host/policy/filter.h"

#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/nearest.h"

enum { WORD_MAX = 64 };

struct filter {
	struct bpf_program program;
	unsigned refs;
};

/* pcap-filter(7)'s words. What is neither one of them nor numeric is a name. */
static const char *const keywords[] = { "ah", "aarp", "action", "address1", "address2", "address3",
	"address4", "and", "arp", "atalk", "broadcast", "carp", "clns", "csnp", "decnet", "dir",
	"dst", "esis", "esp", "ether", "fddi", "gateway", "geneve", "greater", "host", "icmp",
	"icmp6", "icmp6type", "icmp6code", "icmpcode", "icmptype", "ifname", "igmp", "igrp",
	"inbound", "ip", "ip6", "ipx", "isis", "iso", "l1", "l2", "lat", "len", "less", "link",
	"llc", "lsp", "moprc", "mopdl", "mpls", "multicast", "net", "netbeui", "mask", "not", "on",
	"or", "outbound", "pim", "port", "portrange", "ppp", "pppoed", "pppoes", "proto",
	"protochain", "psnp", "ra", "ta", "radio", "random", "rarp", "reason", "rnr", "rset",
	"rulenum", "ruleset", "sca", "sctp", "slip", "snp", "src", "srnr", "stp", "subrulenum",
	"subtype", "ta", "tcp", "tr", "type", "udp", "vlan", "vrrp", "wlan", "tcpflags", "tcp-fin",
	"tcp-syn", "tcp-rst", "tcp-push", "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr",
	"icmp-echoreply", "icmp-unreach", "icmp-sourcequench", "icmp-redirect", "icmp-echo",
	"icmp-routeradvert", "icmp-routersolicit", "icmp-timxceed", "icmp-paramprob", "icmp-tstamp",
	"icmp-tstampreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreq", "icmp-maskreply",
	"icmp6-destinationunreach", "icmp6-packettoobig", "icmp6-timeexceeded",
	"icmp6-parameterproblem", "icmp6-echo", "icmp6-echoreply", "icmp6-multicastlistenerquery",
	"icmp6-multicastlistenerreportv1", "icmp6-multicastlistenerdone", "icmp6-routersolicit",
	"icmp6-routeradvert", "icmp6-neighborsolicit", "icmp6-neighboradvert", "icmp6-redirect",
	"icmp6-multicastlistenerreportv2", NULL };

static bool is_keyword(const char *word)
{
	for (const char *const *k = keywords; *k; k++) {
		if (!strcmp(*k, word))
			return true;
	}
	return false;
}

static unsigned count_of(const char *word, char wanted)
{
	unsigned count = 0;

	for (; *word; word++)
		count += *word == wanted;
	return count;
}

/* An address, a MAC, a slice (6:2), a port range or a number. "1.de" is none: hosts and their
 * domains may be made of digits and the letters a to f alone. */
static bool is_numeric(const char *word)
{
	size_t len = strlen(word);

	if (strchr(word, ':'))
		return strspn(word, "0123456789abcdefABCDEFx.:") == len &&
		       (strstr(word, "::") || count_of(word, ':') >= 5 ||
			       strspn(word, "0123456789x:") == len);
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return len > 2 && strspn(word + 2, "0123456789abcdefABCDEF") == len - 2;
	return strspn(word, "0123456789.-") == len && count_of(word, '.') <= 3;
}

/* The next word of the text, cut to `word`; false: there is none. */
static bool word_next(const char **text, char word[WORD_MAX])
{
	for (;;) {
		size_t len = 0;

		while (isalnum((unsigned char)(*text)[len]) ||
			((*text)[len] && strchr(".:_-", (*text)[len])))
			len++;
		/* A word never starts with a minus: "ip[0]-1" is arithmetic. */
		if (len && **text != '-') {
			size_t keep = len < WORD_MAX - 1 ? len : WORD_MAX - 1;

			memcpy(word, *text, keep);
			word[keep] = '\0';
			*text += len;
			return true;
		}
		if (!**text)
			return false;
		++*text;
	}
}

static int names_refuse(const char *text, struct refusal *why)
{
	char word[WORD_MAX];

	while (word_next(&text, word)) {
		if (is_keyword(word) || is_numeric(word))
			continue;
		const char *meant = nearest(word, keywords);

		if (meant)
			return refuse(why, EINVAL,
				"filter: unknown word \"%s\" (did you mean \"%s\"?)", word, meant);
		return refuse(why, EINVAL,
			"filter: \"%s\" is a name (write addresses, networks and ports as numbers)",
			word);
	}
	return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word))
		words++;
	return *words != NULL;
}

unsigned filter_surprise(const char *text, enum layer_id first)
{
	static const char *const over_6[] = { "tcp", "udp", "sctp", "icmp6", "port", "portrange",
		NULL };
	static const char *const over_eth[] = { "arp", "ip", "ip6", "icmp", "net", NULL };
	bool has_6 = false, has_eth = false, has_vlan = false, has_chain = false;
	bool has_4 = false, has_or = strstr(text, "||") != NULL;
	char word[WORD_MAX];

	while (word_next(&text, word)) {
		has_6 |= is_one_of(word, over_6);
		has_eth |= is_one_of(word, over_eth);
		has_vlan |= !strcmp(word, "vlan");
		has_chain |= !strcmp(word, "protochain");
		has_or |= !strcmp(word, "or");
		has_4 |= !strcmp(word, "ip") || count_of(word, '.') == 3;
	}
	unsigned surprise = has_6 && !has_chain && (has_or || !has_4) ? SURPRISE_EXTENSIONS : 0;

	if (first == LAYER_eth && (has_6 || has_eth) && !has_vlan)
		surprise |= SURPRISE_TAGS;
	return surprise;
}

const char *filter_surprise_text(unsigned surprise)
{
	static const char *const texts[] = { "nothing", "IPv6 extension headers", "VLAN tags",
		"IPv6 extension headers and VLAN tags" };

	return texts[surprise & 3];
}

int filter_open(struct filter **out, const char *text, enum layer_id first, struct refusal *why)
{
	int error = names_refuse(text, why);

	if (error)
		return error;
	struct filter *filter = calloc(1, sizeof(*filter));
	pcap_t *pcap = pcap_open_dead(first == LAYER_eth ? DLT_EN10MB : DLT_RAW, 65535 + 14);

	if (!filter || !pcap) {
		error = refuse(why, ENOMEM, "filter: out of memory");
		goto fail;
	}
	filter->refs = 1;
	if (pcap_compile(pcap, &filter->program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		error = refuse(why, EINVAL, "filter \"%s\": %s (see pcap-filter(7))", text,
			pcap_geterr(pcap));
		goto fail;
	}
	pcap_close(pcap);
	*out = filter;
	return 0;

fail:
	if (pcap)
		pcap_close(pcap);
	free(filter);
	return error;
}

struct filter *filter_hold(struct filter *filter)
{
	filter->refs++;
	return filter;
}

void filter_close(struct filter *filter)
{
	if (--filter->refs)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

bool filter_match(const struct filter *filter, const struct packet *p)
{
	unsigned len = (unsigned)packet_length(p);

	return bpf_filter(filter->program.bf_insns, p->data, len, len) != 0;
}
