/* SPDX-License-Identifier: MIT */
/* Prints the tables of layers, fields, words and options: `reference md` is docs/fields.md,
 * `reference lua` annotations that Lua editors read. Runs when moontap is built. */
#include <stdio.h>
#include <string.h>

#include "host/packet/field.h"
#include "host/packet/names.h"
#include "host/packet/pack.h"

enum { WORDS_MAX = 64 };

static const struct {
	const char *list, *name;
	unsigned number;
} options[] = {
#define OPTION(LIST, NUMBER, LEAST, NAME) { #LIST, NAME, NUMBER },
#include "host/packet/options.def"
#undef OPTION
};

static const char *const markdown[] = { "number", "boolean", "flags", "MAC address", "IPv4 address",
	"IPv6 address", "bytes", "text" };
static const char *const lua[] = { "integer", "boolean", "integer", "string", "string", "string",
	"string", "string" };

static void field_md(const struct field *field)
{
	const char *words[WORDS_MAX];

	printf("| `%s.%s` | %s%s", layer_name(field->layer), field->name, markdown[field->kind],
		field->is_read_only ? ", read only" : "");
	if (field->kind == FIELD_UINT)
		printf(", to %llu", (unsigned long long)field_max(field));
	printf(" | %s", field->doc);
	for (unsigned i = 0, count = names_list(field, words, WORDS_MAX); i < count; i++)
		printf("%s`%s`", i ? " " : ". Words: ", words[i]);
	printf(" | %s%s%s |\n", field->tshark ? "`" : "", field->tshark ? field->tshark : "none",
		field->tshark ? "`" : "");
}

static void layer_md(enum layer_id layer)
{
	unsigned count;
	const struct field *field = field_of_layer(layer, &count);

	printf("\n## %s\n\n%s.\n", layer_name(layer), layer_kinds[layer].doc);
	if (layer == LAYER_vlan2) {
		printf("\nIts fields are vlan's.\n");
		return;
	}
	printf("\n| field | kind | what it is | tshark |\n|---|---|---|---|\n");
	for (; count; field++, count--)
		field_md(field);
}

static void print_md(void)
{
	printf("# Layers and fields\n\nPrinted by the build (tools/reference.c) from the tables in "
	       "host/packet/*.def: change those.\n");
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++)
		layer_md(layer);
	printf("\n## Options\n\nThe names that `options()` of ip, ipv6 (ip6), tcp, icmpv6 "
	       "(nd) and dhcp gives, and `options=` of `mt.packet{}` takes.\n"
	       "\n| list | number | name |\n|---|---|---|\n");
	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		printf("| %s | %u | `%s` |\n", options[i].list, options[i].number, options[i].name);
}

/* The methods of a layer whose lists mt.packet takes too. */
static void methods_lua(enum layer_id layer)
{
	if (pack_has(layer))
		printf("---@field options fun(self): moontap.option[] in their order\n");
	if (layer == LAYER_dns)
		printf("---@field questions fun(self): moontap.record[]\n"
		       "---@field answers fun(self): moontap.record[]\n"
		       "---@field answer fun(self, answer: table) makes the query its answer\n");
}

static void layer_lua(enum layer_id layer)
{
	unsigned count;
	const struct field *field = field_of_layer(layer, &count);
	const char *words[WORDS_MAX];

	printf("\n---%s.\n---@class moontap.%s\n", layer_kinds[layer].doc, layer_name(layer));
	for (; count; field++, count--)
		printf("---@field %s %s%s? %s\n", field->name, lua[field->kind],
			names_list(field, words, WORDS_MAX) ? "|string" : "", field->doc);
	methods_lua(layer);
}

static void lists_lua(void)
{
	printf("\n---An option, as options() gives and mt.packet takes it.\n"
	       "---@class moontap.option\n---@field name string?\n---@field number integer?\n"
	       "---@field bytes string?\n"
	       "---@field header \"hop-by-hop\"|\"destination\"? of ipv6\n"
	       "\n---A question or record of DNS, as questions() and answers() give and mt.packet "
	       "takes it.\n"
	       "---@class moontap.record\n---@field name string?\n---@field type string|integer?\n"
	       "---@field class string|integer?\n---@field ttl integer? seconds, of answers\n"
	       "---@field data string? of answers\n");
}

static void print_lua(void)
{
	printf("---@meta\n-- Layers and fields of packets, for editors. Printed by the build from "
	       "its "
	       "tables.\n");
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++)
		layer_lua(layer);
	lists_lua();
	printf("\n---A packet: lent to a function until that returns; pkt:copy() keeps one.\n"
	       "---@class moontap.packet\n");
	for (enum layer_id layer = LAYER_none + 1; layer < LAYER_COUNT; layer++)
		printf("---@field %s moontap.%s? %s\n", layer_name(layer), layer_name(layer),
			layer_kinds[layer].doc);
	printf("---@field inner moontap.packet? the packet in a tunnel\n"
	       "---@field payload string the bytes after the transport header\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "md"))
		print_md();
	else if (argc == 2 && !strcmp(argv[1], "lua"))
		print_lua();
	else
		fprintf(stderr, "usage: reference md|lua\n");
	return argc != 2 || ferror(stdout) || fclose(stdout) ? 1 : 0;
}
