/* SPDX-License-Identifier: MIT */
/* How bytes lie on the wire: loads, stores and the numbers that the RFCs give. */
#pragma once

#include <stdint.h>
#include <string.h>

static inline uint16_t load_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void store_be16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void store_be32(uint8_t *at, uint32_t value)
{
	store_be16(at, (uint16_t)(value >> 16));
	store_be16(at + 2, (uint16_t)value);
}

enum { ETH_HEADER = 14, VLAN_HEADER = 4, MAC_BYTES = 6, ARP_HEADER = 28 };

/* RFC 826, for IPv4 over Ethernet. */
enum { ARP_OPCODE = 6, ARP_SRC_MAC = 8, ARP_SRC_IP = 14, ARP_DST_MAC = 18, ARP_DST_IP = 24 };

/* EtherTypes: IANA ieee-802-numbers. */
enum {
	ETH_TYPE_IP4 = 0x0800,
	ETH_TYPE_ARP = 0x0806,
	ETH_TYPE_TEB = 0x6558, /* an Ethernet frame in GRE */
	ETH_TYPE_RARP = 0x8035,
	ETH_TYPE_IP6 = 0x86dd,
	ETH_TYPE_8021Q = 0x8100,
	ETH_TYPE_8021AD = 0x88a8,
};

/* RFC 791 3.1: offsets in the IPv4 header. */
enum {
	IP_HEADER = 20,
	IP_SERVICE = 1,
	IP_LEN = 2,
	IP_ID = 4,
	IP_FRAG = 6,
	IP_TTL = 8,
	IP_PROTO = 9,
	IP_CHECKSUM = 10,
	IP_SRC = 12,
	IP_DST = 16,
	IP_FRAG_MORE = 0x2000,
	IP_FRAG_DONT = 0x4000,
	IP_FRAG_OFFSET = 0x1fff,
};

/* RFC 8200 3: offsets in the IPv6 header. */
enum {
	IPV6_HEADER = 40,
	IPV6_PLEN = 4,
	IPV6_NXT = 6,
	IPV6_HLIM = 7,
	IPV6_SRC = 8,
	IPV6_DST = 24,
};

/* IANA protocol-numbers. */
enum {
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_IGMP = 2,
	PROTO_IP4 = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IP6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_ICMPV6 = 58,
	PROTO_NONE = 59,
	PROTO_DSTOPTS = 60,
	PROTO_SCTP = 132,
};

/* RFC 792 and RFC 4443. */
enum {
	ICMP_HEADER = 8,
	ICMP_CHECKSUM = 2,
	ICMP_IDENT = 4,
	ICMP_SEQ = 6,
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_REDIRECT = 5,
	ICMP_ECHO_REQUEST = 8,
	ICMP_ROUTER_ADVERT = 9,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMP_REPLY = 14,
	ICMP_MASK_REPLY = 18,
	ICMPV6_TOO_BIG = 2,
	ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_RS = 133,
	ICMPV6_RA = 134,
	ICMPV6_NS = 135,
	ICMPV6_NA = 136,
	ICMPV6_REDIRECT = 137,
	ND_HEADER = 24,
	ND_TARGET = 8,
};

enum { UDP_HEADER = 8, UDP_LENGTH = 4, UDP_CHECKSUM = 6 };
enum { TCP_HEADER = 20, TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_CHECKSUM = 16 };

enum { SCTP_HEADER = 12, SCTP_CHECKSUM = 8 };

/* RFC 2784, RFC 2890: which optional words follow; RFC 2637 for version 1. */
enum {
	GRE_HEADER = 4,
	GRE_HAS_CHECKSUM = 0x8000,
	GRE_HAS_ROUTING = 0x4000,
	GRE_HAS_KEY = 0x2000,
	GRE_HAS_SEQ = 0x1000,
	GRE_HAS_ACK = 0x0080,
	GRE_VERSION = 0x0007,
	GRE_PROTO = 2,
	GRE_CHECKSUM = 4,
};

/* IANA service-names: what the transport's ports announce. */
enum {
	PORT_DNS = 53,
	PORT_DHCP_SERVER = 67,
	PORT_DHCP_CLIENT = 68,
	PORT_VXLAN = 4789,
	PORT_MDNS = 5353,
};

enum { VXLAN_HEADER = 8, DNS_HEADER = 12, BOOTP_HEADER = 236, DHCP_COOKIE = 0x63825363 };
