/* SPDX-License-Identifier: MIT */
/* Looks at the frames of several links without taking them: one packet socket sees all links of a
 * namespace, in the order of time. */
#pragma once

#include "host/base/refusal.h"
#include "host/packet/packet.h"

enum sniff_dir { SNIFF_IN, SNIFF_OUT };

struct sniffed {
	struct packet *packet; /* a slab of its own, parsed; the caller's */
	int ifindex;
	enum sniff_dir dir;
};

/* Makes a descriptor of socket_open(0) one for looking: sent frames too, stamped by the kernel. */
int sniffer_prepare(int fd);

/* The next frame. epoch_ns: what to take from the kernel's calendar time. false: none now. On lo a
 * packet is seen once: as it comes in. is_ours(arg, ifindex) says which links are looked at. */
bool sniffer_next(int fd, int64_t epoch_ns, bool (*is_ours)(void *arg, int ifindex), void *arg,
	struct sniffed *out);

/* How many frames the socket lost since the last call, because nobody read it in time. */
unsigned sniffer_lost(int fd);
