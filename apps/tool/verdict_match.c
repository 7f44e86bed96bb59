// SPDX-License-Identifier: BSD-3-Clause
// verdict_match.c - pair what was sent with what was expected
#include "apps/tool/verdict_match.h"

#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

#define SLOTS (4 * VMATCH_WINDOW) // of a hash of a window, a power of two

struct skip { // from where the lists part to where they meet again
	size_t want, sent;
};

static void pair(struct vpackets *sent, size_t s, struct vpackets *want, size_t w)
{
	sent->list[s].pair = (uint32_t)w;
	want->list[w].pair = (uint32_t)s;
}

// --- 1: walk both, and meet again ---

static size_t slot_of(const uint32_t *slot, const struct vpacket *from, uint64_t identity)
{
	size_t i = identity >> 20 & (SLOTS - 1);

	while (slot[i] && from[slot[i] - 1].identity != identity)
		i = (i + 1) & (SLOTS - 1);
	return i;
}

// The nearest pair within n packets of either; false: none.
static bool meet(const struct vpacket *want, size_t wants, const struct vpacket *sent, size_t sents,
		 size_t n, struct skip *skip)
{
	static uint32_t slot[SLOTS];
	size_t best = SIZE_MAX;

	memset(slot, 0, sizeof(slot));
	for (size_t b = 0; b < n && b < sents; b++) {
		size_t i = slot_of(slot, sent, sent[b].identity);

		if (!slot[i])
			slot[i] = (uint32_t)b + 1;
	}
	for (size_t a = 0; a < n && a < wants && a < best; a++) {
		uint32_t b = slot[slot_of(slot, sent, want[a].identity)];

		if (b && a + b - 1 < best) {
			best = a + b - 1;
			*skip = (struct skip){a, b - 1};
		}
	}
	return best != SIZE_MAX;
}

static struct skip part(const struct vpacket *want, size_t wants, const struct vpacket *sent, size_t sents)
{
	struct skip skip = {0};

	for (size_t n = 16; n <= VMATCH_WINDOW; n *= 4)
		if (meet(want, wants, sent, sents, n, &skip))
			return skip;
	skip.want = wants < VMATCH_WINDOW ? wants : VMATCH_WINDOW;
	skip.sent = sents < VMATCH_WINDOW ? sents : VMATCH_WINDOW;
	return skip;
}

static void walk(struct vpackets *sent, struct vpackets *want)
{
	size_t w = 0, s = 0;
	uint32_t gap = 0;

	while (w < want->n || s < sent->n) {
		struct skip skip = {0};

		if (w < want->n && s < sent->n && want->list[w].identity == sent->list[s].identity) {
			pair(sent, s++, want, w++);
			continue;
		}
		skip = part(want->list + w, want->n - w, sent->list + s, sent->n - s);
		while (skip.want--)
			want->list[w++].gap = gap;
		while (skip.sent--)
			sent->list[s++].gap = gap;
		gap++;
	}
}

// --- 2: what has moved ---

struct loose { // a packet without a pair
	uint64_t identity;
	uint32_t index;
};

static int by_identity(const void *a, const void *b)
{
	const struct loose *x = a, *y = b;

	if (x->identity != y->identity)
		return x->identity < y->identity ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static struct loose *loose(const struct vpackets *p, size_t *n)
{
	struct loose *list = NULL;
	size_t room = 0;

	*n = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (p->list[i].pair != VNONE)
			continue;
		list = array_add(list, n, &room, sizeof(*list));
		list[*n - 1] = (struct loose){p->list[i].identity, (uint32_t)i};
	}
	if (*n)
		qsort(list, *n, sizeof(*list), by_identity);
	return list;
}

static void pair_moved(struct vpackets *sent, struct vpackets *want)
{
	size_t ws, ss, w = 0, s = 0;
	struct loose *lw = loose(want, &ws), *ls = loose(sent, &ss);

	while (w < ws && s < ss) {
		if (lw[w].identity == ls[s].identity)
			pair(sent, ls[s++].index, want, lw[w++].index);
		else if (lw[w].identity < ls[s].identity)
			w++;
		else
			s++;
	}
	free(lw);
	free(ls);
}

// --- 3: what is alike ---

static void dissect(struct vframe *f, const struct vpackets *p, size_t i)
{
	vframe_dissect(f, vpacket_bytes(p, &p->list[i]), p->list[i].len);
}

// The sent packet of the `n` at `sents` that is most like golden packet w, whose place in the gap is k.
static uint32_t most_alike(const struct vpackets *sent, const uint32_t *sents, size_t n,
			   const struct vpackets *want, uint32_t w, size_t k, const struct vignore *g)
{
	struct vframe x, y;
	unsigned best = VMATCH_LIKE - 1;
	uint32_t found = VNONE;

	dissect(&x, want, w);
	for (size_t d = 0; d <= 2 * VMATCH_NEAR && best < 90; d++) {
		size_t at = d & 1 ? k + (d + 1) / 2 : k - d / 2; // k, k + 1, k - 1, k + 2, …
		unsigned like;

		if (at >= n || sent->list[sents[at]].pair != VNONE)
			continue;
		dissect(&y, sent, sents[at]);
		like = vframe_likeness(&x, &y, g);
		if (like > best) {
			best = like;
			found = sents[at];
		}
	}
	return found;
}

// The packets without a pair of one gap, from *at on; returns how many.
static size_t of_gap(const struct vpackets *p, uint32_t gap, size_t *at, uint32_t *list)
{
	size_t n = 0;

	while (*at < p->n && (p->list[*at].gap == VNONE || p->list[*at].gap < gap))
		++*at;
	for (; *at < p->n && (p->list[*at].gap == VNONE || p->list[*at].gap == gap); ++*at)
		if (p->list[*at].gap == gap && p->list[*at].pair == VNONE)
			list[n++] = (uint32_t)*at;
	return n;
}

static uint32_t next_gap(const struct vpackets *p, size_t at)
{
	while (at < p->n && p->list[at].gap == VNONE)
		at++;
	return at < p->n ? p->list[at].gap : VNONE;
}

static void pair_alike(struct vpackets *sent, struct vpackets *want, const struct vignore *g)
{
	uint32_t wants[VMATCH_WINDOW], sents[VMATCH_WINDOW], gap;
	size_t w = 0, s = 0;

	while ((gap = next_gap(want, w)) != VNONE) {
		size_t ws = of_gap(want, gap, &w, wants), ss = of_gap(sent, gap, &s, sents);

		for (size_t k = 0; k < ws && ss; k++) {
			uint32_t found = most_alike(sent, sents, ss, want, wants[k], k, g);

			if (found != VNONE)
				pair(sent, found, want, wants[k]);
		}
	}
}

// --- 4: verdicts ---

static uint8_t judge(struct vpacket *s, struct vpacket *w, const struct verdict_run *r)
{
	uint64_t apart = s->time > w->time ? s->time - w->time : w->time - s->time;

	s->late = w->late = r->timed && apart > r->tolerance;
	if (s->exact != w->exact || s->late)
		return V_DIFFERENT;
	// Paired on the walk, neither is in a gap.
	return s->gap == VNONE || r->ignore_order ? V_EXPECTED : V_MOVED;
}

void verdict_match(struct vpackets *sent, struct vpackets *want, const struct verdict_run *r)
{
	walk(sent, want);
	pair_moved(sent, want);
	pair_alike(sent, want, &r->ignore);
	for (size_t s = 0; s < sent->n; s++)
		if (sent->list[s].pair == VNONE)
			sent->list[s].verdict = V_UNEXPECTED;
	for (size_t w = 0; w < want->n; w++) {
		struct vpacket *k = &want->list[w];

		k->verdict = V_MISSING;
		if (k->pair != VNONE)
			k->verdict = sent->list[k->pair].verdict = judge(&sent->list[k->pair], k, r);
	}
}
