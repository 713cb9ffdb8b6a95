/* SPDX-License-Identifier: MIT */
/* Finds by a packet's field the rules that may hold for it. */
#include "host/policy/index.h"

#include <stdlib.h>
#include <string.h>

#include "host/policy/rule.h"

/* A run shorter than RUN_MIN is as fast without; a rule with more than VALUES_MAX is no key. */
enum { RUN_MIN = 4, VALUES_MAX = 4096 };

/* The rules of a run that want one value: `count` of them in index.order, ascending. */
struct slot {
	wide value;
	unsigned first, count; /* count 0: the slot is free */
};

/* Rules in a row, each of which wants certain values of one field. */
struct run {
	unsigned first, end; /* rules */
	struct probe probe;
	unsigned mask;	/* slots - 1 */
	unsigned total; /* values, each once a rule that wants it */
	struct slot *slots;
};

struct index {
	unsigned rule_count, run_count;
	uint32_t *run_of; /* rule -> its run + 1; 0: none */
	bool *is_key;	  /* rule -> what its run looks up is all that it tests */
	struct run *runs;
	unsigned *order;
};

static unsigned slot_hash(wide value)
{
	uint64_t word = (uint64_t)value ^ (uint64_t)(value >> 64) * 0x9e3779b97f4a7c15u;

	return (unsigned)((word * 0xd6e8feb86659fd93u) >> 32);
}

/* The slot of the value, or the free one where it would be. */
static struct slot *slot_find(const struct run *run, wide value)
{
	unsigned i = slot_hash(value) & run->mask;

	while (run->slots[i].count && run->slots[i].value != value)
		i = (i + 1) & run->mask;
	return &run->slots[i];
}

static bool key_read(
	const struct probe *probe, const struct packet *p, struct views *views, wide *out)
{
	const struct packet *view = view_of(views, p, probe->place.depth);
	const struct layer *layer = view ? packet_layer(view, probe->place.layer) : NULL;
	uint64_t number;

	if (!layer)
		return false;
	if (probe->width > 8)
		return probe_read_wide(probe, view, layer, out);
	if (!probe_read(probe, view, layer, &number))
		return false;
	*out = number;
	return true;
}

/* The first of the ascending rules that is not before `from`; the last one is not. */
static unsigned order_next(const unsigned *order, unsigned count, unsigned from)
{
	while (count > 1) {
		unsigned half = count / 2;

		if (order[half - 1] < from) {
			order += half;
			count -= half;
		} else {
			count = half;
		}
	}
	return *order;
}

static unsigned run_next(const struct index *index, const struct run *run, unsigned from,
	const struct packet *p, struct views *views)
{
	wide value;

	if (!key_read(&run->probe, p, views, &value))
		return run->end;
	const struct slot *slot = slot_find(run, value);
	const unsigned *order = index->order + slot->first;

	if (!slot->count || order[slot->count - 1] < from)
		return run->end;
	return order_next(order, slot->count, from);
}

unsigned index_next(const struct index *index, unsigned from, const struct packet *p,
	struct views *views, bool *is_sure)
{
	*is_sure = false;
	while (from < index->rule_count && index->run_of[from]) {
		const struct run *run = &index->runs[index->run_of[from] - 1];
		unsigned next = run_next(index, run, from, p, views);

		if (next < run->end) {
			*is_sure = index->is_key[next];
			return next;
		}
		from = run->end;
	}
	return from;
}

/* How many values a key has, 0: too many to write down. */
static unsigned key_values(const struct match_key *key)
{
	unsigned count = 0;

	for (unsigned i = 0; i < key->count; i++) {
		wide more = key->wants[i].high - key->wants[i].low;

		if (key->wants[i].low > key->wants[i].high)
			continue;
		if (more >= VALUES_MAX - count)
			return 0;
		count += (unsigned)more + 1;
	}
	return count;
}

/* The rule's key for the field that `probe` reads. */
static bool key_for(const struct rule *rule, const struct probe *probe, struct match_key *out)
{
	for (unsigned n = 0; rule->match && match_key(rule->match, n, out); n++) {
		if (out->probe.field == probe->field &&
			is_same_layer(out->probe.place, probe->place))
			return key_values(out) > 0;
	}
	return false;
}

/* The longest run from `first` on by one of its first rule's keys. */
static struct run run_longest(struct rule *const *rules, unsigned count, unsigned first)
{
	struct run best = { .first = first, .end = first };
	struct match_key key, other;

	for (unsigned n = 0; rules[first]->match && match_key(rules[first]->match, n, &key); n++) {
		struct run run = { .first = first, .end = first, .probe = key.probe };

		while (run.end < count && key_for(rules[run.end], &key.probe, &other)) {
			run.total += key_values(&other);
			run.end++;
		}
		if (run.end > best.end)
			best = run;
	}
	return best;
}

/* A rule of a run and a value that it wants. */
struct pair {
	wide value;
	unsigned rule;
};

static int pair_compare(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

static unsigned pairs_collect(const struct run *run, struct rule *const *rules, struct pair *pairs)
{
	struct match_key key;
	unsigned count = 0;

	for (unsigned rule = run->first; rule < run->end; rule++) {
		key_for(rules[rule], &run->probe, &key);
		for (unsigned i = 0; i < key.count; i++) {
			for (wide n = key.wants[i].low; n <= key.wants[i].high; n++) {
				pairs[count++] = (struct pair){ n, rule };
				if (n == key.wants[i].high)
					break;
			}
		}
	}
	qsort(pairs, count, sizeof(*pairs), pair_compare);
	return count;
}

/* Fills the run's slots, and `order` with the rules of each; false: no memory. */
static bool run_fill(
	struct run *run, struct rule *const *rules, unsigned *order, unsigned order_first)
{
	struct pair *pairs = malloc(run->total * sizeof(*pairs));
	unsigned slots = 2;

	while (slots < 2 * run->total)
		slots *= 2;
	run->slots = calloc(slots, sizeof(*run->slots));
	run->mask = slots - 1;
	if (!pairs || !run->slots) {
		free(pairs);
		return false;
	}
	unsigned count = pairs_collect(run, rules, pairs);

	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = slot_find(run, pairs[i].value);

		if (!slot->count)
			*slot = (struct slot){ pairs[i].value, order_first + i, 0 };
		/* A rule may want a value twice. */
		else if (order[slot->first + slot->count - 1] == pairs[i].rule)
			continue;
		order[slot->first + slot->count++] = pairs[i].rule;
	}
	free(pairs);
	return true;
}

/* Finds the runs; their values in all. */
static unsigned runs_find(struct index *index, struct rule *const *rules, unsigned count)
{
	unsigned total = 0;

	for (unsigned i = 0; i < count;) {
		struct run run = run_longest(rules, count, i);

		if (run.end - run.first < RUN_MIN) {
			i++;
			continue;
		}
		index->runs[index->run_count++] = run;
		total += run.total;
		for (; i < run.end; i++) {
			index->run_of[i] = index->run_count;
			index->is_key[i] = match_is_key(rules[i]->match);
		}
	}
	return total;
}

struct index *index_new(struct rule *const *rules, unsigned count)
{
	struct index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	index->rule_count = count;
	index->run_of = calloc(count + 1, sizeof(*index->run_of));
	index->runs = calloc(count / RUN_MIN + 1, sizeof(*index->runs));
	index->is_key = calloc(count + 1, sizeof(*index->is_key));
	bool has_room = index->run_of && index->runs && index->is_key;
	unsigned total = has_room ? runs_find(index, rules, count) : 0;
	unsigned first = 0;

	index->order = calloc(total + 1, sizeof(*index->order));
	bool is_made = total && index->order;

	for (unsigned i = 0; is_made && i < index->run_count; i++) {
		is_made = run_fill(&index->runs[i], rules, index->order, first);
		first += index->runs[i].total;
	}
	if (is_made)
		return index;
	index_free(index);
	return NULL;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	for (unsigned i = 0; i < index->run_count; i++)
		free(index->runs[i].slots);
	free(index->run_of);
	free(index->is_key);
	free(index->runs);
	free(index->order);
	free(index);
}
