/* SPDX-License-Identifier: MIT */
/* Says where in a packet a field's number lies, and what is not to be had without checks. */
#include "host/policy/probe.h"

bool field_is_number(const struct field *field)
{
	switch ((enum field_kind)field->kind) {
	case FIELD_UINT:
	case FIELD_BOOL:
	case FIELD_FLAGS:
	case FIELD_MAC:
	case FIELD_IP4:
	case FIELD_IP6:
		return true;
	default:
		return false;
	}
}

struct probe probe_of(const struct field *field, struct layer_ref place)
{
	bool is_word = kind_is_number(field->kind);
	bool is_plain = is_word ? field->width == 1 || field->width == 2 || field->width == 4
				: field_is_number(field);

	return (struct probe){
		.place = place,
		.offset = field->offset,
		.width = field->width,
		.shift = field->shift,
		.scale = field->scale > 1 ? field->scale : 1,
		.is_direct =
			is_plain && field->when == WHEN_ALWAYS && !field->at && !field->call &&
			(size_t)field->offset + field->width <= layer_kinds[place.layer].min_length,
		.mask = is_word && field->mask ? field->mask : UINT32_MAX,
		.field = field,
	};
}

static wide number_of_bytes(const uint8_t *bytes, unsigned count)
{
	wide number = 0;

	for (unsigned i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

wide value_number(const struct value *value)
{
	switch ((enum field_kind)value->kind) {
	case FIELD_MAC:
		return number_of_bytes(value->bytes, MAC_BYTES);
	case FIELD_IP4:
		return number_of_bytes(value->bytes, 4);
	case FIELD_IP6:
		return number_of_bytes(value->bytes, 16);
	default:
		return value->number;
	}
}

void value_of_number(const struct field *field, wide number, struct value *out)
{
	out->kind = field->kind;
	out->number = (uint64_t)number;
	out->length = field->width;
	if (kind_is_number(field->kind))
		return;
	for (unsigned i = field->width; i--; number >>= 8)
		out->bytes[i] = (uint8_t)number;
}

const struct packet *views_find(struct views *views, const struct packet *p, unsigned depth)
{
	while (views->there < depth && !views->is_all) {
		/* A view shares the packet's bytes; here nobody writes them. */
		struct packet *outer = views->there ? &views->view[views->there - 1]
						    : (struct packet *)(uintptr_t)p;

		if (views->there < INNER_DEPTH && inner_view(&views->view[views->there], outer))
			views->there++;
		else
			views->is_all = true;
	}
	return depth <= views->there ? &views->view[depth - 1] : NULL;
}

bool probe_read_checked(
	const struct probe *probe, const struct packet *p, const struct layer *layer, uint64_t *out)
{
	struct value value;

	if (field_get(p, layer, probe->field, &value) != FIELD_OK)
		return false;
	*out = (uint64_t)value_number(&value);
	return true;
}

static uint64_t load_be64(const uint8_t *at)
{
	return (uint64_t)load_be32(at) << 32 | load_be32(at + 4);
}

bool probe_read_wide(
	const struct probe *probe, const struct packet *p, const struct layer *layer, wide *out)
{
	struct value value;

	if (probe->is_direct) {
		const uint8_t *at = layer_bytes(p, layer) + probe->offset;

		*out = (wide)load_be64(at) << 64 | load_be64(at + 8);
		return true;
	}
	if (field_get(p, layer, probe->field, &value) != FIELD_OK)
		return false;
	*out = value_number(&value);
	return true;
}
