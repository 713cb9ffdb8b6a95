/* SPDX-License-Identifier: MIT */
/* Knows the numbers by which one header of a packet announces the next. */
#include "host/packet/stack.h"

#include "host/packet/wire.h"

enum {
	ETH_TYPE_TRIAL = 0x88b5, /* IEEE 802: local experimental, for what has no number */
	PROTO_TRIAL = 253,	 /* RFC 3692 2.1 */
};

int stack_ether_type(enum layer_id child)
{
	switch (child) {
	case LAYER_vlan:
	case LAYER_vlan2:
		return ETH_TYPE_8021Q;
	case LAYER_arp:
		return ETH_TYPE_ARP;
	case LAYER_ip:
		return ETH_TYPE_IP4;
	case LAYER_ipv6:
		return ETH_TYPE_IP6;
	case LAYER_eth:
		return ETH_TYPE_TEB;
	case LAYER_none:
		return ETH_TYPE_TRIAL;
	default:
		return -1;
	}
}

int stack_ip_proto(enum layer_id child)
{
	switch (child) {
	case LAYER_icmp:
		return PROTO_ICMP;
	case LAYER_icmpv6:
		return PROTO_ICMPV6;
	case LAYER_udp:
		return PROTO_UDP;
	case LAYER_tcp:
		return PROTO_TCP;
	case LAYER_sctp:
		return PROTO_SCTP;
	case LAYER_gre:
		return PROTO_GRE;
	case LAYER_ip:
		return PROTO_IP4;
	case LAYER_ipv6:
		return PROTO_IP6;
	case LAYER_none:
		return PROTO_TRIAL;
	default:
		return -1;
	}
}

uint16_t stack_udp_port(enum layer_id child)
{
	switch (child) {
	case LAYER_vxlan:
		return PORT_VXLAN;
	case LAYER_dns:
		return PORT_DNS;
	case LAYER_dhcp:
		return PORT_DHCP_SERVER;
	default:
		return 0;
	}
}

bool stack_may_follow(enum layer_id parent, enum layer_id child)
{
	bool is_tag = child == LAYER_vlan || child == LAYER_vlan2;

	if (child == LAYER_none)
		return parent != LAYER_none;
	switch (parent) {
	case LAYER_none:
		return child == LAYER_eth || child == LAYER_ip || child == LAYER_ipv6;
	case LAYER_eth:
	case LAYER_vlan:
	case LAYER_vlan2:
		return child != LAYER_eth && stack_ether_type(child) >= 0 &&
		       (!is_tag || child == parent + 1);
	case LAYER_ip:
		return child != LAYER_icmpv6 && stack_ip_proto(child) >= 0;
	case LAYER_ipv6:
		return child != LAYER_icmp && stack_ip_proto(child) >= 0;
	case LAYER_gre:
		return !is_tag && child != LAYER_arp && stack_ether_type(child) >= 0;
	case LAYER_udp:
		return stack_udp_port(child);
	case LAYER_vxlan:
		return child == LAYER_eth;
	default:
		return false;
	}
}
