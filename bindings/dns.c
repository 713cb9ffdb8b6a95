/* SPDX-License-Identifier: MIT */
/* Lets scripts read DNS messages and turn questions into answers. */
#include "bindings/dns.h"

#include <stdio.h>
#include <string.h>

#include "bindings/layer.h"
#include "bindings/value.h"
#include "host/base/prefix.h"
#include "host/packet/dns.h"
#include "host/packet/names.h"
#include "host/packet/wire.h"

enum { QR = 0x80, AUTHORITATIVE = 0x04, TRUNCATED = 0x02, KEPT_OF_QUERY = 0x79, CLASS_IN = 1 };

/* Records that a script writes: in whose name, and what they say unless told otherwise. */
struct writing {
	const char *what;
	uint16_t type, class; /* 0: a type must be told */
	bool has_name;	      /* that of the question, at the message's start */
	size_t most;	      /* bytes of data that are kept */
};

/* The registry's word, or the number. */
static void word_push(lua_State *L, const char *field, uint16_t number)
{
	const char *word = names_word(field_find(LAYER_dns, field), number);

	if (word)
		lua_pushstring(L, word);
	else
		lua_pushinteger(L, number);
}

static void addr_push(lua_State *L, uint8_t family, const uint8_t *bytes)
{
	struct addr addr = { .family = family };
	char text[ADDR_TEXT];

	memcpy(addr.bytes, bytes, family_bytes(family));
	lua_pushstring(L, addr_text(&addr, text));
}

/* RFC 1035 3.3.14: one or more strings; they are read as one. */
static void strings_push(lua_State *L, const uint8_t *data, size_t length)
{
	luaL_Buffer out;

	luaL_buffinit(L, &out);
	for (size_t at = 0; at < length && at + 1 + data[at] <= length; at += 1 + (size_t)data[at])
		luaL_addlstring(&out, (const char *)data + at + 1, data[at]);
	luaL_pushresult(&out);
}

/* An address, a name or a text where the type is of such; else the bytes. */
static void data_push(lua_State *L, const struct dns_walk *walk, const struct dns_record *record)
{
	const uint8_t *data = walk->message + record->data;
	size_t at = record->data;
	char name[DNS_NAME];

	switch (record->type) {
	case DNS_TYPE_A:
		if (record->length != 4)
			break;
		addr_push(L, FAMILY_4, data);
		return;
	case DNS_TYPE_AAAA:
		if (record->length != 16)
			break;
		addr_push(L, FAMILY_6, data);
		return;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		if (!dns_name(walk, &at, name))
			break;
		lua_pushstring(L, name);
		return;
	case DNS_TYPE_MX:
		at += 2;
		if (record->length < 3 || !dns_name(walk, &at, name))
			break;
		lua_pushfstring(L, "%d %s", load_be16(data), name);
		return;
	case DNS_TYPE_TXT:
		strings_push(L, data, record->length);
		return;
	}
	lua_pushlstring(L, (const char *)data, record->length);
}

static void record_push(lua_State *L, const struct dns_walk *walk, const struct dns_record *record)
{
	lua_createtable(L, 0, 5);
	lua_pushstring(L, record->name);
	lua_setfield(L, -2, "name");
	word_push(L, "qtype", record->type);
	lua_setfield(L, -2, "type");
	word_push(L, "qclass", record->class);
	lua_setfield(L, -2, "class");
	if (record->section == DNS_QUESTION)
		return;
	lua_pushinteger(L, record->ttl);
	lua_setfield(L, -2, "ttl");
	data_push(L, walk, record);
	lua_setfield(L, -2, "data");
}

static int section_push(lua_State *L, enum dns_section section)
{
	const struct layer *dns;
	struct packet *p = check_layer_view(L, 1, LAYER_dns, &dns);
	struct dns_walk walk;
	struct dns_record record;
	lua_Integer count = 0;

	lua_newtable(L);
	dns_walk(&walk, p, dns);
	while (dns_next(&walk, &record) && record.section <= section) {
		if (record.section != section)
			continue;
		record_push(L, &walk, &record);
		lua_rawseti(L, -2, ++count);
	}
	return 1;
}

static int ldns_questions(lua_State *L)
{
	return section_push(L, DNS_QUESTION);
}

static int ldns_answers(lua_State *L)
{
	return section_push(L, DNS_ANSWER);
}

static void add_be16(luaL_Buffer *out, uint16_t number)
{
	uint8_t bytes[2];

	store_be16(bytes, number);
	luaL_addlstring(out, (const char *)bytes, sizeof(bytes));
}

static void check_name(lua_State *L, const char *what, const char *name, uint8_t *out, size_t *len)
{
	*len = dns_name_pack(name, out);
	if (!*len)
		luaL_error(L, "%s: \"%s\" is no domain name", what, name);
}

/* The number of the type or class in the table at idx; `other` unless it is told. */
static uint16_t check_number(
	lua_State *L, int idx, const char *key, const char *field, uint16_t other)
{
	struct value value = { .number = other };

	if (lua_getfield(L, idx, key) != LUA_TNIL)
		check_field_value(L, -1, field_find(LAYER_dns, field), &value);
	lua_pop(L, 1);
	return (uint16_t)value.number;
}

/* The record's type: told, else that of an address, else what was asked for. */
static uint16_t check_type(
	lua_State *L, int record, const char *data, const struct writing *writing)
{
	struct addr addr;
	uint16_t type = writing->type;

	if (addr_parse(&addr, data))
		type = addr.family == FAMILY_4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
	type = check_number(L, record, "type", "qtype", type);
	if (!type)
		luaL_error(L, "%s: a record of \"%s\" needs a type", writing->what, data);
	return type;
}

/* Pushes the record's data as they go on the wire. */
static void data_pack(lua_State *L, const char *what, uint16_t type, const char *data, size_t len)
{
	uint8_t name[DNS_NAME];
	struct addr addr;
	luaL_Buffer out;
	size_t bytes;
	int preference = 0, behind = 0;

	switch (type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		if (!addr_parse(&addr, data) ||
			addr.family != (type == DNS_TYPE_A ? FAMILY_4 : FAMILY_6))
			luaL_error(L, "%s: data of type %s is an address, not \"%s\"", what,
				type == DNS_TYPE_A ? "A" : "AAAA", data);
		lua_pushlstring(L, (const char *)addr.bytes, family_bytes(addr.family));
		return;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		check_name(L, what, data, name, &bytes);
		lua_pushlstring(L, (const char *)name, bytes);
		return;
	case DNS_TYPE_MX:
		if (sscanf(data, "%5d %n", &preference, &behind) != 1 || preference < 0 ||
			preference > UINT16_MAX || !behind)
			luaL_error(L, "%s: data of type MX is like \"10 mail.example\"", what);
		check_name(L, what, data + behind, name, &bytes);
		luaL_buffinit(L, &out);
		add_be16(&out, (uint16_t)preference);
		luaL_addlstring(&out, (const char *)name, bytes);
		luaL_pushresult(&out);
		return;
	case DNS_TYPE_TXT:
		luaL_buffinit(L, &out);
		do {
			bytes = len < 255 ? len : 255;
			luaL_addchar(&out, (char)bytes);
			luaL_addlstring(&out, data, bytes);
			data += bytes;
			len -= bytes;
		} while (len);
		luaL_pushresult(&out);
		return;
	}
	lua_pushlstring(L, data, len);
}

/* Makes of the record in the table at the top what goes on the wire. */
static void record_pack(lua_State *L, const struct writing *writing)
{
	uint8_t head[DNS_NAME + 10] = { 0xc0, DNS_HEADER };
	size_t name = 2, len;
	int idx = lua_gettop(L);
	const char *what = writing->what;

	if (lua_getfield(L, idx, "data") != LUA_TSTRING)
		luaL_error(L, "%s: data must be a string, not a %s", what, luaL_typename(L, -1));
	const char *data = lua_tolstring(L, -1, &len);
	uint16_t type = check_type(L, idx, data, writing);

	if (lua_getfield(L, idx, "name") != LUA_TNIL)
		check_name(L, what, luaL_checkstring(L, -1), head, &name);
	else if (!writing->has_name)
		luaL_error(L, "%s: a record of \"%s\" needs a name", what, data);
	lua_getfield(L, idx, "ttl");
	lua_Integer ttl = luaL_optinteger(L, -1, 60);

	if (ttl < 0 || ttl > INT32_MAX)
		luaL_error(L, "%s: ttl = %I is out of range (0 to %I)", what, ttl,
			(lua_Integer)INT32_MAX);
	data_pack(L, what, type, data, len);
	data = lua_tolstring(L, -1, &len);
	if (len > writing->most)
		len = writing->most; /* it will not fit, and be truncated as a whole */
	store_be16(head + name, type);
	store_be16(head + name + 2, check_number(L, idx, "class", "qclass", writing->class));
	store_be32(head + name + 4, (uint32_t)ttl);
	store_be16(head + name + 8, (uint16_t)len);
	lua_pushlstring(L, (const char *)head, name + 10);
	lua_pushlstring(L, data, len);
	lua_concat(L, 2);
	lua_replace(L, idx);
	lua_settop(L, idx);
}

/* The list of records at the top becomes one string; their number. */
static uint16_t list_pack(lua_State *L, const struct writing *writing,
	void (*pack)(lua_State *L, const struct writing *writing))
{
	int list = lua_gettop(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, list);

	if (count > (lua_Integer)writing->most / 12)
		luaL_error(L, "%s: too many records", writing->what);
	lua_pushliteral(L, "");
	for (lua_Integer i = 1; i <= count; i++) {
		if (lua_rawgeti(L, list, i) != LUA_TTABLE)
			luaL_error(L, "%s: record %d must be a table like { data = \"192.0.2.1\" }",
				writing->what, (int)i);
		pack(L, writing);
		lua_concat(L, 2);
	}
	lua_replace(L, list);
	return (uint16_t)count;
}

/* The records in the table at 2 (one, or a list) as one string, pushed; their number. */
static uint16_t records_pack(lua_State *L, const struct writing *writing)
{
	bool is_one = lua_getfield(L, 2, "data") != LUA_TNIL;

	lua_pop(L, 1);
	lua_pushvalue(L, 2);
	if (!is_one)
		return list_pack(L, writing, record_pack);
	record_pack(L, writing);
	return 1;
}

/* pkt.dns:answer{ data=, type=, name=, ttl=, rcode=, aa= } or { { data= ... }, ..., rcode= } */
static int ldns_answer(lua_State *L)
{
	static const char *const what = "pkt.dns:answer";
	const struct layer *dns;
	struct packet *p = check_layer_view(L, 1, LAYER_dns, &dns);
	struct dns_walk walk;
	struct dns_record asked;
	uint8_t head[DNS_HEADER];

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	dns_walk(&walk, p, dns);
	if ((walk.message[2] & QR) || walk.left[DNS_QUESTION] != 1 || !dns_next(&walk, &asked))
		return luaL_error(L, "%s: this is no query with one question", what);
	uint8_t rcode = (uint8_t)check_number(L, 2, "rcode", "rcode", 0);
	size_t question = asked.data, len;

	lua_getfield(L, 2, "aa");
	bool is_authoritative = lua_isnil(L, -1) || lua_toboolean(L, -1);

	lua_pop(L, 1);
	memset(head, 0, sizeof(head));
	memcpy(head, walk.message, 4);
	head[2] =
		(uint8_t)((head[2] & KEPT_OF_QUERY) | QR | (is_authoritative ? AUTHORITATIVE : 0));
	head[3] = (uint8_t)((head[3] & 0x10) | rcode); /* RFC 4035 3.2.2: CD is copied */
	const struct writing writing = { what, asked.type, asked.class, true, DNS_UDP_MAX };
	uint16_t count = records_pack(L, &writing);

	lua_tolstring(L, 3, &len);
	if (question + len > DNS_UDP_MAX) {
		head[2] |= TRUNCATED;
		count = 0;
		lua_pushliteral(L, "");
		lua_replace(L, 3);
	}
	store_be16(head + 4, 1);
	store_be16(head + 6, count);
	lua_pushlstring(L, (const char *)head, sizeof(head));
	lua_pushlstring(L, (const char *)walk.message + DNS_HEADER, question - DNS_HEADER);
	lua_pushvalue(L, 3);
	lua_concat(L, 3);
	layer_view_packet_push(L, 1);
	lua_insert(L, -2);
	lua_setfield(L, -2, "payload");
	lua_settop(L, 1);
	return 1;
}

/* Makes of the question in the table at the top what goes on the wire. */
static void question_pack(lua_State *L, const struct writing *writing)
{
	uint8_t bytes[DNS_NAME + 4];
	int idx = lua_gettop(L);
	size_t len;

	if (lua_getfield(L, idx, "name") != LUA_TSTRING)
		luaL_error(L, "%s: a question needs a name", writing->what);
	check_name(L, writing->what, lua_tostring(L, -1), bytes, &len);
	store_be16(bytes + len, check_number(L, idx, "type", "qtype", writing->type));
	store_be16(bytes + len + 2, check_number(L, idx, "class", "qclass", writing->class));
	lua_pushlstring(L, (const char *)bytes, len + 4);
	lua_replace(L, idx);
	lua_settop(L, idx);
}

/* The list in the field of the table at idx as one string, pushed; how many are in it. */
static uint16_t section_pack(lua_State *L, int idx, const char *key, const struct writing *writing,
	void (*pack)(lua_State *L, const struct writing *writing))
{
	int type = lua_getfield(L, idx, key);

	if (type == LUA_TTABLE)
		return list_pack(L, writing, pack);
	if (type != LUA_TNIL)
		luaL_error(L,
			"%s: dns.%s takes a list like { { name = \"moon.example\" } }, not a %s",
			writing->what, key, luaL_typename(L, -1));
	lua_pop(L, 1);
	lua_pushliteral(L, "");
	return 0;
}

void dns_records_take(lua_State *L, int idx, const char *what, struct build_layer *layer)
{
	struct writing writing = { what, DNS_TYPE_A, CLASS_IN, false, UINT16_MAX };

	layer->questions = section_pack(L, idx, "questions", &writing, question_pack);
	writing.type = 0;
	writing.has_name = layer->questions;
	layer->answers = section_pack(L, idx, "answers", &writing, record_pack);
	lua_concat(L, 2);
	size_t len;
	const char *bytes = lua_tolstring(L, -1, &len);

	layer->extra = (const uint8_t *)bytes;
	layer->extra_length = len;
}

const struct luaL_Reg dns_methods[] = { { "questions", ldns_questions },
	{ "answers", ldns_answers }, { "answer", ldns_answer }, { NULL, NULL } };
