/* SPDX-License-Identifier: MIT */
/* DNS messages (RFC 1035): names and records, walked with a bound; answers to a question. */
#pragma once

#include "host/packet/field.h"

enum { DNS_NAME = 256, DNS_UDP_MAX = 512 /* RFC 1035 4.2.1 */ };

enum {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41, /* RFC 6891 6.1: a pseudo-record, whose fields mean other things */
};

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

struct dns_walk {
	uint8_t *message;
	size_t len, at;
	uint16_t left[DNS_SECTIONS];
};

struct dns_record {
	enum dns_section section;
	char name[DNS_NAME];
	uint16_t type, class;
	uint32_t ttl;	 /* not of questions */
	size_t fixed;	 /* where type, class and the rest of it start in the message */
	size_t data;	 /* where its data start */
	uint16_t length; /* of its data */
};

/* Starts a walk along the records of a dns layer. */
void dns_walk(struct dns_walk *walk, const struct packet *p, const struct layer *dns);

/* The next record, question after question, then the sections; false: there are no more that fit.
 */
bool dns_next(struct dns_walk *walk, struct dns_record *out);

/* The name at *at as text with "." between labels ("" is the root; other than letters, digits, "-"
 * and the like as "\046"), and *at behind it. false: it does not fit, its pointers lie or it is too
 * long. Every pointer must point before what led to it, and the labels there must end before it: so
 * there is an end, and a name is told by what lies before it alone. */
bool dns_name(const struct dns_walk *walk, size_t *at, char *out);

/* The name as it lies on the wire into `out` of DNS_NAME bytes; its length, or 0: it is none. */
size_t dns_name_pack(const char *name, uint8_t *out);

/* For rows of fields.def: the first question's name, type and class; the first record of the type
 * in .option: its address, its name; the first record's time to live. */
field_get_fn dns_qname, dns_target;
field_find_fn dns_qtype, dns_address, dns_ttl;
