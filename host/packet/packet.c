/* SPDX-License-Identifier: MIT */
/* Moves a packet's edges and copies packets that outlive their burst. */
#include "host/packet/packet.h"

#include <stdlib.h>
#include <string.h>

#include "host/packet/pool.h"
#include "host/packet/wire.h"

_Static_assert(LAYER_COUNT <= 32, "packet.has has a bit for each layer");

bool packet_pull(struct packet *p, size_t len)
{
	if (len > packet_length(p))
		return false;
	p->data += len;
	return true;
}

bool packet_push(struct packet *p, size_t len)
{
	if (len > packet_headroom(p))
		return false;
	p->data -= len;
	return true;
}

bool packet_trim(struct packet *p, size_t len)
{
	if (len > packet_length(p))
		return false;
	p->tail = p->data + len;
	return true;
}

uint8_t *packet_put(struct packet *p, size_t len)
{
	uint8_t *at = p->tail;

	if (len > packet_tailroom(p))
		return NULL;
	p->tail += len;
	return at;
}

void packet_reset(struct packet *p, size_t headroom)
{
	assert(headroom <= (size_t)(p->end - p->head));
	memset((uint8_t *)p + offsetof(struct packet, port), 0,
		offsetof(struct packet, layer) - offsetof(struct packet, port));
	p->data = p->tail = p->head + headroom;
}

static struct packet *slab_new(size_t headroom, size_t len)
{
	size_t room = headroom + len;
	struct packet *p = malloc(sizeof(*p) + room);

	if (!p)
		return NULL;
	p->head = (uint8_t *)(p + 1);
	p->end = p->head + room;
	p->home = NULL;
	packet_reset(p, headroom);
	return p;
}

void packet_know(struct packet *p, const struct packet *of)
{
	struct packet own = *p;

	*p = *of;
	p->head = own.head;
	p->data = own.data;
	p->tail = own.tail;
	p->end = own.end;
	p->home = own.home;
	p->outer = NULL;
}

void packet_fill(struct packet *p, const struct packet *from)
{
	memcpy(packet_put(p, packet_length(from)), from->data, packet_length(from));
	packet_know(p, from);
}

/* All that p holds and is known of it, in a slab. */
static struct packet *slab_copy(const struct packet *p, size_t headroom, size_t len)
{
	struct packet *copy = slab_new(headroom, len);

	if (copy)
		packet_fill(copy, p);
	return copy;
}

struct packet *packet_copy(const struct packet *p)
{
	return slab_copy(p, PACKET_HEADROOM, packet_length(p));
}

struct packet *packet_new(size_t headers, const uint8_t *payload, size_t len)
{
	struct packet *p = slab_new(PACKET_HEADROOM + headers, len);

	if (p && len)
		memcpy(packet_put(p, len), payload, len);
	return p;
}

struct packet *packet_from_bytes(const uint8_t *bytes, size_t len, enum layer_id first)
{
	struct packet *p = packet_new(0, bytes, len);

	if (p)
		p->first = (uint8_t)first;
	return p;
}

/* The bytes move between two slots, and the slots between two packets. */
static struct packet *slot_grow(struct packet *p, size_t headroom, size_t len)
{
	struct packet *other = pool_take(p->home, headroom + len);

	if (!other)
		return NULL;
	uint8_t *head = p->head, *end = p->end;
	size_t have = packet_length(p);

	memcpy(other->head + headroom, p->data, have);
	p->head = other->head;
	p->end = other->end;
	p->data = p->head + headroom;
	p->tail = p->data + have;
	other->head = other->data = other->tail = head;
	other->end = end;
	pool_put(p->home, other);
	return p;
}

struct packet *packet_grow(struct packet *p, size_t headroom, size_t len)
{
	assert(len >= packet_length(p));
	if (p->home)
		return slot_grow(p, headroom, len);
	struct packet *slab = slab_copy(p, headroom, len);

	if (!slab)
		return NULL;
	free(p);
	return slab;
}

void packet_free(struct packet *p)
{
	if (p->home)
		pool_put(p->home, p);
	else
		free(p);
}

#define ON(NAME) (1u << LAYER_##NAME)
#define ON_LINK (ON(eth) | ON(vlan) | ON(vlan2))
#define ON_NETWORK (ON(ip) | ON(ipv6))

const struct layer_kind layer_kinds[LAYER_COUNT] = {
	[LAYER_none] = { .name = "none", .doc = "" },
#define LAYER(NAME, ...) [LAYER_##NAME] = { .name = #NAME, __VA_ARGS__ },
#include "host/packet/layers.def"
#undef LAYER
};

#undef ON
#undef ON_LINK
#undef ON_NETWORK

const char *malformed_name(enum malformed_reason reason)
{
	static const char *const names[] = {
		[MALFORMED_none] = "none",
#define MALFORMED(name, text) [MALFORMED_##name] = #name,
#include "host/packet/malformed.def"
#undef MALFORMED
	};

	return names[reason];
}

const char *malformed_text(enum malformed_reason reason)
{
	static const char *const texts[] = {
		[MALFORMED_none] = "well formed",
#define MALFORMED(name, text) [MALFORMED_##name] = (text),
#include "host/packet/malformed.def"
#undef MALFORMED
	};

	return texts[reason];
}
