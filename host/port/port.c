/* SPDX-License-Identifier: MIT */
/* What all kinds of ports share. */
#include "host/port/port.h"

const char *tx_drop_name(enum tx_drop_reason reason)
{
	static const char *const names[] = {
#define TX_DROP(name, doc) [TX_DROP_##name] = #name,
#include "host/port/tx_drops.def"
#undef TX_DROP
	};

	return names[reason];
}

uint64_t port_tx_dropped(const struct port *port)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TX_DROP_COUNT; i++)
		sum += counter_get(&port->counters.tx_drop[i]);
	return sum;
}
