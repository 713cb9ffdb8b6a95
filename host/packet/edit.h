/* SPDX-License-Identifier: MIT */
/* Edits that move a packet's bytes: another payload, tags put on and taken off. */
#pragma once

#include "host/packet/packet.h"

enum edit_status {
	EDIT_OK,
	EDIT_ABSENT, /* there is no such layer */
	EDIT_FULL,   /* no third tag is followed */
	EDIT_FIRST,  /* it would become another kind of packet than its port carries */
	EDIT_ROOM,   /* packet_grow helps: by the bytes that are to come */
};

/* Where the payload starts, bytes from data: behind the transport header, or behind the last there
 * is. It ends with the datagram; padding is none of it. */
size_t edit_payload_at(const struct packet *p);

/* The longest payload in a packet of at most `most` bytes whose length fields hold 65535. */
size_t edit_payload_most(const struct packet *p, size_t most);

/* Replaces the payload by one of at most edit_payload_most; padding goes. Lengths become right (of
 * a fragment the UDP length stays), checksums stay right if they were right. Of a view all packets
 * around it follow, and what follows it in them goes too. Parsed anew, views made anew. EDIT_OK, or
 * EDIT_ROOM: the outermost packet lacks it, and nothing is changed but a checksum completed. */
enum edit_status edit_payload(struct packet *p, const uint8_t *bytes, size_t len);

/* Puts a tag behind the Ethernet addresses: VLAN 1, to be edited. Around another it is the
 * provider's (IEEE 802.1ad). On any other status than EDIT_OK p is untouched. */
enum edit_status edit_push_vlan(struct packet *p);

/* Takes the tag `id` (vlan or vlan2) off. EDIT_OK, or EDIT_ABSENT and p is untouched. */
enum edit_status edit_pop_vlan(struct packet *p, enum layer_id id);

/* Leaves of a tunnel's packet the one inside, behind p's own link header if that one has none. id
 * is that of the header which carries it (vxlan, gre, or the outer ip or ipv6). On any other status
 * than EDIT_OK p is untouched. */
enum edit_status edit_pop_tunnel(struct packet *p, enum layer_id id, bool may_change_first);
