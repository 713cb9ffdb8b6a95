/* SPDX-License-Identifier: MIT */
/* A packet: a view on bytes, and apart from them what is known about them. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/clock.h"

struct pool;
struct port;

enum layer_id {
	LAYER_none,
#define LAYER(name, ...) LAYER_##name,
#include "host/packet/layers.def"
#undef LAYER
	LAYER_COUNT
};

enum malformed_reason {
	MALFORMED_none,
#define MALFORMED(name, text) MALFORMED_##name,
#include "host/packet/malformed.def"
#undef MALFORMED
	MALFORMED_COUNT
};

struct layer {
	uint8_t id;	 /* enum layer_id */
	uint16_t length; /* bytes of the header: options and extension headers included */
	uint32_t offset; /* bytes from packet.data */
};

/* What parse learnt of the outermost network header. */
enum packet_trait {
	TRAIT_FRAGMENT = 1 << 0, /* a part of a datagram, the first one included */
	TRAIT_LATER = 1 << 1,	 /* not the first fragment: no transport header here */
	TRAIT_ATOMIC = 1 << 2,	 /* RFC 6946: a fragment header around a whole datagram */
	TRAIT_OPTIONS = 1 << 3,	 /* IPv4 options or IPv6 extension headers */
	TRAIT_ROUTED =
		1 << 4, /* a source route, or a routing header with segments left or of type 0 */
	TRAIT_RECORD = 1 << 6,	    /* an IPv4 option that wants to be updated */
	TRAIT_UNKNOWN_OPT = 1 << 5, /* an IPv6 option or AH that cannot be ignored (RFC 8200 4.2) */
};

/* What somebody wrote by hand: reply and the builders respect it. */
enum packet_written {
	WRITTEN_ADDRESS = 1 << 0,
	WRITTEN_PORT = 1 << 1,
	WRITTEN_TTL = 1 << 2,
	WRITTEN_CHECKSUM = 1 << 3,
	WRITTEN_LENGTH = 1 << 4,
	WRITTEN_TURNED = 1 << 5, /* turned round by pkt:turn() */
};

enum packet_csum_state {
	CSUM_NONE,    /* nobody vouches for the checksum */
	CSUM_VALID,   /* somebody verified it */
	CSUM_PARTIAL, /* the field holds the pseudo-header's sum; the rest from `start` is to come
		       */
};

struct packet_csum {
	uint8_t state;		/* enum packet_csum_state */
	uint16_t start, offset; /* bytes from data; from start. Only for CSUM_PARTIAL */
};

struct packet_gso {
	uint8_t type;	  /* VIRTIO_NET_HDR_GSO_*; 0: none */
	uint16_t size;	  /* bytes of payload a segment */
	uint16_t hdr_len; /* bytes of headers before the payload */
};

enum { PACKET_LAYERS = 16, PACKET_HEADROOM = 128, PACKET_BYTES_MAX = 65535 + 64 };

struct packet {
	uint8_t *head, *data, *tail, *end; /* head <= data <= tail <= end */
	struct pool *home;		   /* NULL: a slab of its own (packet_copy) */
	struct port *port;		   /* came in by; NULL: built here */
	struct packet *outer;		   /* whose bytes a view shares (inner.h); else NULL */
	struct mono time;
	uint32_t datagram_end; /* bytes from data where the IP datagram ends; padding follows */
	uint32_t has;	       /* 1 << enum layer_id, for each layer */
	uint16_t vlan_tag;     /* stripped by the kernel: TCI, valid if vlan_tpid is not 0 */
	uint16_t vlan_tpid;
	struct packet_csum csum;
	struct packet_gso gso;
	uint8_t first; /* enum layer_id: LAYER_ip (v4 or v6) or LAYER_eth */
	uint8_t layer_count;
	uint8_t proto;	       /* of the outermost network header, extension headers passed */
	uint8_t wish;	       /* enum drop_reason to count if nobody wants it; 0: none */
	uint16_t traits;       /* enum packet_trait */
	uint16_t written;      /* enum packet_written */
	uint8_t malformed;     /* enum malformed_reason */
	uint32_t malformed_at; /* bytes from data */
	struct layer layer[PACKET_LAYERS];
};

static inline size_t packet_length(const struct packet *p)
{
	return (size_t)(p->tail - p->data);
}

static inline size_t packet_headroom(const struct packet *p)
{
	return (size_t)(p->data - p->head);
}

static inline size_t packet_tailroom(const struct packet *p)
{
	return (size_t)(p->end - p->tail);
}

/* The one way to bytes: `len` of them at `offset` from data, or NULL if they are not all there. */
static inline uint8_t *packet_at(const struct packet *p, size_t offset, size_t len)
{
	size_t have = packet_length(p);

	return offset <= have && len <= have - offset ? p->data + offset : NULL;
}

/* Takes `len` bytes off the front. false: there are not so many, nothing changed.
 * Layers keep their old offsets: parse again after pull and push. */
bool packet_pull(struct packet *p, size_t len);

/* Makes `len` bytes of headroom part of the packet. false: no room, nothing changed. */
bool packet_push(struct packet *p, size_t len);

/* Cuts to `len` bytes. false: it is not that long, nothing changed. */
bool packet_trim(struct packet *p, size_t len);

/* Appends `len` bytes of tailroom, uninitialised. NULL: no room, nothing changed. */
uint8_t *packet_put(struct packet *p, size_t len);

/* Makes all that is known of one packet known of another, whose bytes and home stay its own. */
void packet_know(struct packet *p, const struct packet *of);

/* Makes an empty packet, which has place for them, one of the same bytes, of which the same is
 * known. */
void packet_fill(struct packet *p, const struct packet *from);

/* Empties the view, `headroom` bytes into the buffer, and forgets all that was known. */
void packet_reset(struct packet *p, size_t headroom);

/* Knows of the first `count` layers only. */
static inline void packet_layers_keep(struct packet *p, unsigned count)
{
	p->layer_count = (uint8_t)count;
	p->has = 0;
	for (unsigned i = 0; i < count; i++)
		p->has |= UINT32_C(1) << p->layer[i].id;
}

/* Knows of one layer more, behind the others. false: there are PACKET_LAYERS already. */
static inline bool packet_layer_add(
	struct packet *p, enum layer_id id, size_t offset, size_t length)
{
	if (p->layer_count == PACKET_LAYERS)
		return false;
	p->layer[p->layer_count++] =
		(struct layer){ (uint8_t)id, (uint16_t)length, (uint32_t)offset };
	p->has |= UINT32_C(1) << id;
	return true;
}

/* The outermost layer of that kind, or NULL. */
static inline const struct layer *packet_layer(const struct packet *p, enum layer_id id)
{
	if (!(p->has >> id & 1))
		return NULL;
	for (unsigned i = 0; i < p->layer_count; i++) {
		if (p->layer[i].id == id)
			return &p->layer[i];
	}
	return NULL;
}

/* Do all headers fit up to the transport's? What it carries hinders no answer. */
static inline bool packet_is_sound(const struct packet *p)
{
	return p->malformed == MALFORMED_none || p->malformed >= MALFORMED_payload;
}

/* Bytes of the header, which parse has found to be all there. */
static inline uint8_t *layer_bytes(const struct packet *p, const struct layer *layer)
{
	return p->data + layer->offset;
}

/* A copy in a slab of its own, exact size plus headroom, that packet_free releases; NULL: no
 * memory. Not on the data path. */
struct packet *packet_copy(const struct packet *p);

/* The same from bytes, not yet parsed. */
struct packet *packet_from_bytes(const uint8_t *bytes, size_t len, enum layer_id first);

/* A payload with place for so many bytes of headers in front, beside the usual headroom. */
struct packet *packet_new(size_t headers, const uint8_t *payload, size_t len);

/* Gives p so much headroom and, from there on, place for `len` bytes, not fewer than it has: one of
 * a pool stays where it is, a slab moves. What p is from then on; NULL: no memory, p is untouched.
 * Not on the data path. */
struct packet *packet_grow(struct packet *p, size_t headroom, size_t len);

/* Gives the packet back to its home, whatever that is. */
void packet_free(struct packet *p);

/* What layers.def says of a layer. */
struct layer_kind {
	const char *name, *doc;
	uint8_t min_length; /* bytes of the fixed header */
	bool inner;	    /* may carry a whole packet */
	uint8_t ip_proto;   /* this and the next two: 0 if it is not announced so */
	uint16_t ether_type, udp_port;
	uint32_t parents; /* 1 << enum layer_id */
};

extern const struct layer_kind layer_kinds[LAYER_COUNT];

static inline const char *layer_name(enum layer_id id)
{
	return layer_kinds[id].name;
}

const char *malformed_name(enum malformed_reason reason);
const char *malformed_text(enum malformed_reason reason);
