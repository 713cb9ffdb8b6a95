/* SPDX-License-Identifier: MIT */
/* What stands in front of a packet in a capture file: Ethernet and IP stay, other links' headers
 * are taken off. */
#pragma once

#include "host/port/pcapng.h"

enum { LINKTYPE_ETHERNET = 1, LINKTYPE_RAW_IP = 101, LINKTYPE_HEADER_MAX = 20 };

struct linktype_view {
	enum layer_id first; /* LAYER_ip or LAYER_eth */
	size_t skip;	     /* bytes before the packet */
	bool is_made;	     /* an Ethernet header was made up for what is no IP: put it in front */
	uint8_t eth[14];
	enum capture_dir dir;
};

/* The first layer of such a link's packets; LAYER_none: we cannot read it. */
enum layer_id linktype_first(unsigned linktype);

/* Where the packet is. false: it is none of ours (nothing that Ethernet could carry). Linux cooked
 * packets that are no IP (ARP, VLAN) get an Ethernet header of what is known: source and type. */
bool linktype_view(unsigned linktype, const uint8_t *bytes, size_t len, struct linktype_view *out);
