// SPDX-License-Identifier: BSD-3-Clause
// verdict_explain.c - of which packet received should a missing one have been made?
//
// One with the same identity; else of the same flow and identification, as it stands or as it is quoted in an
// ICMP error. Of several the first counts that has not become another expected packet already.
#include <stdlib.h>

#include "apps/tool/util.h"
#include "apps/tool/verdict_match.h"

struct entry {
	uint64_t hash;
	uint32_t record;
	uint32_t next; // of the first of a hash: where to go on
};

struct list {
	struct entry *e;
	size_t n;
};

static int by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

static struct list list_make(const struct vtrace *t, bool flow)
{
	struct list l = {xrealloc(NULL, (vtrace_records(t) + 1) * sizeof(struct entry)), 0};

	for (uint32_t i = 1; i <= vtrace_records(t); i++) {
		const struct vrecord *r = vtrace_record(t, i);
		uint64_t hash = flow ? r->flow : r->identity;

		if (r->number && hash)
			l.e[l.n++] = (struct entry){hash, i, 0};
	}
	if (l.n)
		qsort(l.e, l.n, sizeof(*l.e), by_hash);
	return l;
}

// The first of a hash that is not used yet; 0: none.
static uint32_t list_find(struct list *l, struct vtrace *t, uint64_t hash)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->e[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!hash || lo == l->n || l->e[lo].hash != hash)
		return 0;
	for (size_t i = lo + l->e[lo].next; i < l->n && l->e[i].hash == hash; i++) {
		struct vrecord *r = vtrace_record(t, l->e[i].record);

		l->e[lo].next = (uint32_t)(i - lo) + 1;
		if (!r->used) {
			r->used = true;
			return l->e[i].record;
		}
	}
	return 0;
}

static uint32_t explain(struct list *same, struct list *flow, struct vtrace *t, const struct vpackets *want,
			const struct vpacket *k)
{
	struct vframe f;
	uint32_t record = list_find(same, t, k->identity);

	if (record)
		return record;
	vframe_dissect(&f, vpacket_bytes(want, k), k->len);
	record = list_find(flow, t, vframe_flow(&f, 1));
	return record ? record : list_find(flow, t, vframe_flow(&f, 0));
}

void verdict_explain(struct vtrace *t, struct vpackets *sent, struct vpackets *want)
{
	struct list same = {0}, flow = {0};

	for (uint32_t i = 1; i <= vtrace_records(t); i++)
		vtrace_record(t, i)->used = false;
	for (size_t i = 0; i < sent->n; i++)
		if (sent->list[i].pair != VNONE)
			vtrace_record(t, sent->list[i].record)->used = true;
	for (size_t i = 0; i < want->n; i++) {
		if (want->list[i].verdict != V_MISSING)
			continue;
		if (!same.e) {
			same = list_make(t, false);
			flow = list_make(t, true);
		}
		want->list[i].record = explain(&same, &flow, t, want, &want->list[i]);
	}
	free(same.e);
	free(flow.e);
}
