/* SPDX-License-Identifier: MIT */
/* A port in memory that stands for a tun, a tap or a link: a test or a file is at its far side. */
#pragma once

#include "host/port/port.h"

/* A closed port; free(3) it after close. kind: a literal, what it stands for. NULL: no memory. */
struct port *memory_port_new(const char *kind, enum layer_id first);

bool memory_port_is(const struct port *port);

/* What it will receive next: one packet of its worker's pool, taken over. The one before must
 * have been received. */
void memory_port_feed(struct port *port, struct packet *p);
