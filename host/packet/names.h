/* SPDX-License-Identifier: MIT */
/* Words for a field's numbers: "echo-request" is 8 in icmp.type. */
#pragma once

#include "host/packet/field.h"

enum names {
	NAMES_none,
	NAMES_ether_type,
	NAMES_ip_proto,
	NAMES_dscp,
	NAMES_ecn,
	NAMES_arp_opcode,
	NAMES_icmp_type,
	NAMES_icmpv6_type,
	NAMES_tcp_flag,
	NAMES_dns_type,
	NAMES_dns_class,
	NAMES_dns_opcode,
	NAMES_dns_rcode,
	NAMES_dhcp_op,
	NAMES_dhcp_type,
};

/* The number that the word stands for in this field; of flags several words with "|" between them.
 * false: none (out untouched). */
bool names_number(const struct field *field, const char *word, uint64_t *out);

/* The word for the number in this field, or NULL. */
const char *names_word(const struct field *field, uint64_t number);

/* The words of the field, NULL-terminated, into `out` of `room`; returns how many. */
unsigned names_list(const struct field *field, const char **out, unsigned room);
