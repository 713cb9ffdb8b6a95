/* SPDX-License-Identifier: MIT */
/* pcap-filter strings, compiled once and run on every packet. */
#pragma once

#include "host/base/refusal.h"
#include "host/packet/packet.h"

struct filter;

/* Compiles `text` (pcap-filter(7)) for packets whose first layer is `first`. Names of hosts,
 * networks and services are refused: they would be looked up, and a worker must not wait.
 * 0, -EINVAL or -ENOMEM; out is untouched on failure and why says which word. */
int filter_open(struct filter **out, const char *text, enum layer_id first, struct refusal *why);
struct filter *filter_hold(struct filter *filter);
void filter_close(struct filter *filter);

/* What pcap does not look behind, though most who write such a filter think that it does. */
enum filter_surprise {
	SURPRISE_EXTENSIONS = 1 << 0, /* IPv6 extension headers, but a fragment's */
	SURPRISE_TAGS = 1 << 1,	      /* VLAN tags of Ethernet frames */
};

/* enum filter_surprise in `text`, a filter that filter_open takes; and in words. */
unsigned filter_surprise(const char *text, enum layer_id first);
const char *filter_surprise_text(unsigned surprise);

bool filter_match(const struct filter *filter, const struct packet *p);
