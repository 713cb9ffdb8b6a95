/* SPDX-License-Identifier: MIT */
/* Merges capture files by time, and fits their packets to the ports they are for. */
#include "host/cli/sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/base/log.h"
#include "host/packet/parse.h"
#include "host/packet/wire.h"

void source_next(struct sources *sources, struct source *source)
{
	struct refusal why;

	if (source->has_next)
		packet_free(source->next.packet);
	enum capfile_status status = capfile_next(source->file, &source->next, &why);

	source->has_next = status == CAPFILE_PACKET;
	if (status != CAPFILE_BROKEN)
		return;
	log_line(LOG_LEVEL_ERROR, "%s", why.text);
	sources->is_broken = true;
}

int sources_add(struct sources *sources, const char *text, struct refusal *why)
{
	const char *equals = strchr(text, '='), *slash = strchr(text, '/');
	bool has_port = equals && equals > text && (!slash || slash > equals);
	size_t len = has_port ? (size_t)(equals - text) : 0;

	if (sources->count == SOURCES_MAX)
		return refuse(why, E2BIG, "%s: more than %d files", text, SOURCES_MAX);
	if (len >= PORT_NAME)
		return refuse(why, EINVAL, "%s: no port has so long a name", text);
	struct source *source = &sources->all[sources->count];

	*source = (struct source){ .path = has_port ? equals + 1 : text };
	memcpy(source->port, text, len);
	int error = capfile_open(&source->file, source->path, why);

	if (error)
		return error;
	sources->count++;
	source_next(sources, source);
	return 0;
}

struct source *sources_first(struct sources *sources)
{
	struct source *first = NULL;

	for (unsigned i = 0; i < sources->count; i++) {
		struct source *source = &sources->all[i];

		if (source->has_next && (!first || source->next.time_ns < first->next.time_ns))
			first = source;
	}
	return first;
}

void sources_close(struct sources *sources)
{
	for (unsigned i = 0; i < sources->count; i++) {
		if (sources->all[i].has_next)
			packet_free(sources->all[i].next.packet);
		capfile_close(sources->all[i].file);
	}
	sources->count = 0;
}

static bool ethernet_take_off(struct packet *p)
{
	const struct layer *ip = packet_layer(p, LAYER_ip), *ip6 = packet_layer(p, LAYER_ipv6);
	const struct layer *outer = !ip || (ip6 && ip6->offset < ip->offset) ? ip6 : ip;

	return outer && packet_pull(p, outer->offset);
}

/* To us, from the other end of the link; from a made-up one where the link has only one MAC. */
static bool ethernet_put_on(struct packet *p, const struct lane *lane)
{
	const uint8_t made_up[6] = { 0x02, 0, 0, 0, 0, 0xfe };
	const uint8_t *mac = lane->port->mac, *far = lane->station.link_mac;
	bool is_6 = packet_length(p) && p->data[0] >> 4 == 6;

	if (!packet_push(p, 14))
		return false;
	memcpy(p->data, mac, 6);
	memcpy(p->data + 6, memcmp(mac, far, 6) ? far : made_up, 6);
	p->data[12] = is_6 ? 0x86 : 0x08;
	p->data[13] = is_6 ? 0xdd : 0x00;
	return true;
}

bool source_fit(struct packet *p, const struct lane *lane)
{
	bool is_fit = p->first == lane->port->first ||
		      (p->first == LAYER_eth ? ethernet_take_off(p) : ethernet_put_on(p, lane));

	p->first = lane->port->first;
	parse(p);
	return is_fit;
}
