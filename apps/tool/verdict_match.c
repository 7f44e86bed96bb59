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

// --- 1b: nothing near: a long run that one of the lists lacks ---

struct loose { // a packet to be found by its identity
	uint64_t identity;
	uint32_t index;
};

struct loosely { // a sorted list of them; NULL: not made yet
	struct loose *e;
	size_t n;
};

static int by_identity(const void *a, const void *b)
{
	const struct loose *x = a, *y = b;

	if (x->identity != y->identity)
		return x->identity < y->identity ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

// Of all packets, or of those without a pair.
static struct loosely loosely(const struct vpackets *p, bool all)
{
	struct loosely l = {xrealloc(NULL, (p->n + 1) * sizeof(*l.e)), 0};

	for (size_t i = 0; i < p->n; i++)
		if (all || p->list[i].pair == VNONE)
			l.e[l.n++] = (struct loose){p->list[i].identity, (uint32_t)i};
	qsort(l.e, l.n, sizeof(*l.e), by_identity);
	return l;
}

// The first of an identity whose index is `from` or more; SIZE_MAX: none.
static size_t first_of(const struct loosely *l, uint64_t identity, size_t from)
{
	const struct loose key = {identity, (uint32_t)from};
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (by_identity(&l->e[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->e[lo].identity == identity ? l->e[lo].index : SIZE_MAX;
}

// So far away one packet is no proof: VMATCH_PROOF in a row are, or all there are.
static bool proven(const struct vpackets *want, size_t w, const struct vpackets *sent, size_t s)
{
	for (unsigned k = 1; k < VMATCH_PROOF && w + k < want->n && s + k < sent->n; k++)
		if (want->list[w + k].identity != sent->list[s + k].identity)
			return false;
	return true;
}

// From w and s on: the nearest pair of which one is within the window.
static bool meet_far(const struct vpackets *want, size_t w, const struct loosely *wants,
		     const struct vpackets *sent, size_t s, const struct loosely *sents,
		     struct skip *skip)
{
	size_t best = SIZE_MAX;

	for (size_t k = 0; k < VMATCH_WINDOW && k < best; k++) {
		size_t at;

		if (w + k < want->n) {
			at = first_of(sents, want->list[w + k].identity, s);
			if (at != SIZE_MAX && at - s + k < best && proven(want, w + k, sent, at)) {
				best = at - s + k;
				*skip = (struct skip){k, at - s};
			}
		}
		if (s + k < sent->n) {
			at = first_of(wants, sent->list[s + k].identity, w);
			if (at != SIZE_MAX && at - w + k < best && proven(want, at, sent, s + k)) {
				best = at - w + k;
				*skip = (struct skip){at - w, k};
			}
		}
	}
	return best != SIZE_MAX;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct walk {
	struct vpackets *sent, *want;
	struct loosely wants, sents;
	size_t w, s;
	uint32_t gap;
};

static struct skip part(struct walk *k)
{
	size_t wants = k->want->n - k->w, sents = k->sent->n - k->s;
	struct skip skip = {wants, sents};

	if (!wants || !sents)
		return skip;
	for (size_t n = 16; n <= VMATCH_WINDOW; n *= 4)
		if (meet(k->want->list + k->w, wants, k->sent->list + k->s, sents, n, &skip))
			return skip;
	if (!k->wants.e) {
		k->wants = loosely(k->want, true);
		k->sents = loosely(k->sent, true);
	}
	if (meet_far(k->want, k->w, &k->wants, k->sent, k->s, &k->sents, &skip))
		return skip;
	return (struct skip){least(wants, VMATCH_WINDOW), least(sents, VMATCH_WINDOW)};
}

// What is skipped falls into a gap; into several where it is more than a window.
static void leave_out(struct walk *k, struct skip skip)
{
	while (skip.want || skip.sent) {
		for (size_t n = least(skip.want, VMATCH_WINDOW); n; n--, skip.want--)
			k->want->list[k->w++].gap = k->gap;
		for (size_t n = least(skip.sent, VMATCH_WINDOW); n; n--, skip.sent--)
			k->sent->list[k->s++].gap = k->gap;
		k->gap++;
	}
}

static void walk(struct vpackets *sent, struct vpackets *want)
{
	struct walk k = {.sent = sent, .want = want};

	while (k.w < want->n || k.s < sent->n) {
		if (k.w < want->n && k.s < sent->n &&
		    want->list[k.w].identity == sent->list[k.s].identity)
			pair(sent, k.s++, want, k.w++);
		else
			leave_out(&k, part(&k));
	}
	free(k.wants.e);
	free(k.sents.e);
}

// --- 2: what has moved ---

static void pair_moved(struct vpackets *sent, struct vpackets *want)
{
	struct loosely lw = loosely(want, false), ls = loosely(sent, false);
	size_t w = 0, s = 0;

	while (w < lw.n && s < ls.n) {
		if (lw.e[w].identity == ls.e[s].identity)
			pair(sent, ls.e[s++].index, want, lw.e[w++].index);
		else if (lw.e[w].identity < ls.e[s].identity)
			w++;
		else
			s++;
	}
	free(lw.e);
	free(ls.e);
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
