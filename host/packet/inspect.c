/* SPDX-License-Identifier: MIT */
/* Walks a packet's options and records to their ends. */
#include "host/packet/inspect.h"

#include "host/packet/dns.h"
#include "host/packet/option.h"

/* How many names the record's data are, and how many bytes stand before them. */
static unsigned names_in(uint16_t type, size_t *before)
{
	*before = type == DNS_TYPE_MX ? 2 : 0;
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
	case DNS_TYPE_MX:
		return 1;
	case DNS_TYPE_SOA:
		return 2;
	}
	return 0;
}

/* RFC 1035 3.3: names that end within the record's data. */
static bool data_fits(const struct dns_walk *walk, const struct dns_record *record)
{
	char name[DNS_NAME];
	size_t before, end = record->data + record->length;
	unsigned names = record->section == DNS_QUESTION ? 0 : names_in(record->type, &before);

	for (size_t at = names ? record->data + before : 0; names; names--) {
		if (!dns_name(walk, &at, name) || at > end)
			return false;
	}
	return true;
}

static bool is_over(const struct dns_walk *walk)
{
	return !(walk->left[DNS_QUESTION] | walk->left[DNS_ANSWER] | walk->left[DNS_AUTHORITY] |
		 walk->left[DNS_ADDITIONAL]);
}

/* false: a record lies, *at says where it starts. */
static bool records_fit(const struct packet *p, const struct layer *dns, size_t *at)
{
	struct dns_walk walk;
	struct dns_record record;

	for (dns_walk(&walk, p, dns); !is_over(&walk);) {
		*at = dns->offset + walk.at;
		if (!dns_next(&walk, &record) || !data_fits(&walk, &record))
			return false;
	}
	return true;
}

static bool options_fit(const struct packet *p, const struct layer *layer, size_t *at)
{
	struct option_walk walk;
	struct option option;

	if (!option_walk(&walk, p, layer))
		return true;
	while (option_next(&walk, &option))
		continue;
	*at = (size_t)(walk.at - p->data);
	return !walk.lies;
}

enum malformed_reason inspect(const struct packet *p, size_t *at)
{
	/* Those of IPv4 and of extension headers parse has walked. */
	static const enum malformed_reason reasons[LAYER_COUNT] = {
		[LAYER_tcp] = MALFORMED_tcp_options,
		[LAYER_icmpv6] = MALFORMED_nd_options,
		[LAYER_dhcp] = MALFORMED_dhcp_options,
		[LAYER_dns] = MALFORMED_dns_records,
	};
	size_t where = p->malformed_at;
	enum malformed_reason found = p->malformed;
	const struct layer *ip = packet_layer(p, LAYER_ip);

	/* parse says of IPv4's options where the first one lies. */
	if (found == MALFORMED_options && ip && options_fit(p, ip, &where))
		where = p->malformed_at;
	/* A fragment's options and records may go on in the next one. */
	bool may_look = !(p->traits & TRAIT_FRAGMENT);

	for (unsigned i = 0; i < p->layer_count && found == MALFORMED_none && may_look; i++) {
		const struct layer *layer = &p->layer[i];
		bool is_fit = layer->id == LAYER_dns ? records_fit(p, layer, &where)
			      : reasons[layer->id]   ? options_fit(p, layer, &where)
						     : true;

		found = is_fit ? MALFORMED_none : reasons[layer->id];
	}
	if (found != MALFORMED_none)
		*at = where;
	return found;
}
