/* SPDX-License-Identifier: MIT */
/* The packet that another one carries: a view on its bytes. */
#pragma once

#include "host/packet/packet.h"

enum { INNER_DEPTH = 4 }; /* tunnels in tunnels that are followed */

/* Makes `view` the packet that `outer` carries: in VXLAN, in GRE (IPv4, IPv6, or a frame), or IP in
 * IP. Its bytes are outer's, its layers its own; it lives no longer than outer and must never be
 * freed or sent; make it anew when outer's edges have moved. What is wrong inside is the view's
 * `malformed`. false: there is no tunnel, or only a fragment of one, or too many; view is
 * untouched.
 */
bool inner_view(struct packet *view, struct packet *outer);

/* The packet `depth` tunnels inside p, made in `views` (of INNER_DEPTH); p itself for 0; NULL:
 * there is none. */
struct packet *inner_at(struct packet *p, struct packet *views, unsigned depth);
