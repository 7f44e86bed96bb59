// SPDX-License-Identifier: BSD-3-Clause
// gen_run.c - a burst: whatever is due by now, stream by stream in the order of their times
#include "apps/pktgen/gen_priv.h"
#include "core/lcore.h"
#include "pmd/port_node.h"

static inline void count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

void gen_end_stream(struct gen *g, struct gen_stream *s)
{
	if (s->ended)
		return;
	s->ended = true;
	g->open--;
	if (s->waits)
		return;
	if (!s->top) {
		g->paced--;
		return;
	}
	g->top[s->place] = g->top[--g->tops];
	g->top[s->place]->place = s->place;
}

static always_inline void wait(struct gen *g, struct gen_stream *s)
{
	uint64_t due = gen_when_next(s);

	s->link->due = due < s->when.end ? due : s->when.end; // it ends in time, however long it has nothing to send
	gen_wheel_add(&g->wheel, s->link);
}

void gen_begin_stream(struct gen *g, struct gen_stream *s)
{
	s->waits = false;
	if (s->top) {
		s->place = g->tops;
		g->top[g->tops++] = s;
	} else {
		g->paced++;
		wait(g, s);
	}
}

// How packets that are sent now kept to their time; the first of n was due at `due`.
static void note_late(struct gen *g, uint64_t late, unsigned n)
{
	if (late > g->pace.late_ns_max)
		__atomic_store_n(&g->pace.late_ns_max, late, __ATOMIC_RELAXED);
	count(&g->pace.late_ns_sum, late * n);
	count(&g->pace.late_packets, n);
}

static void note_gaps(struct gen *g, const struct gen_stream *s, uint64_t was_due, uint64_t due, uint64_t now,
		      unsigned n, unsigned bursts)
{
	uint64_t gap = now - s->last, wanted = due - was_due;
	unsigned class = (gap > wanted / 8) + (gap > wanted - wanted / 8) + (gap > wanted + wanted / 8);

	count(&g->pace.gap[2], n - bursts); // of a burst: meant to be back to back
	if (!bursts)
		return;
	count(&g->pace.gap[0], bursts - 1);
	if (s->seq)
		count(&g->pace.gap[class], 1);
}

static void sent(struct gen_stream *s, struct mbuf **pkts, unsigned n, uint64_t now)
{
	uint64_t bytes = 0;

	if (s->variants == 1)
		bytes = (uint64_t)n * s->variant->len;
	else
		for (unsigned i = 0; i < n; i++)
			bytes += pkts[i]->pkt_len;
	count(&s->packets, n);
	count(&s->bytes, bytes);
	s->seq += n;
	s->last = now;
}

// One packet that is longer than a buffer, in pkts[0] and further ones.
static bool visit_long(struct gen *g, struct gen_stream *s, struct mbuf **pkts, uint64_t until, uint64_t now,
		       uint64_t ns)
{
	const struct gen_variant *v[GRAPH_BURST];
	struct mbuf *segs[GRAPH_BURST];
	unsigned more = (s->len_max - 1) / g->room, used;

	if (mempool_get_bulk(g->pool, segs + 1, more)) {
		count(&g->pace.nombuf, 1);
		return false;
	}
	segs[0] = pkts[0];
	if (s->top ? !gen_when_top(s, now, 1, v) : !gen_when_due(s, until, 1, v)) {
		mempool_put_bulk(g->pool, segs + 1, more);
		return false;
	}
	used = gen_fill_long(g, s, segs, v[0], ns);
	mempool_put_bulk(g->pool, segs + used, more + 1 - used);
	return true;
}

struct burst {
	struct mbuf **pkts;
	unsigned n, made;
	uint64_t now, ns;
};

static always_inline unsigned make(struct gen *g, struct gen_stream *s, struct burst *b, uint64_t until, unsigned max)
{
	const struct gen_variant *v[GRAPH_BURST];
	struct mbuf **pkts = b->pkts + b->made;
	unsigned n;

	if (unlikely(s->len_max > g->room)) {
		n = visit_long(g, s, pkts, until, b->now, b->ns);
	} else {
		n = s->top ? gen_when_top(s, b->now, max, v) : gen_when_due(s, until, max, v);
		if (n)
			g->fill(g, s, pkts, v, n, b->ns);
	}
	return n;
}

// A stream that is due. False: there were no buffers.
static bool visit(struct gen *g, struct gen_stream *s, struct burst *b)
{
	uint64_t until = g->paced == 1 ? b->now : gen_wheel_slot_end(s->link->due);
	uint64_t due = gen_when_next(s), was_due = s->when.was_due;
	uint32_t begun = s->when.burst_left;
	unsigned n;

	if (s->ended)
		return true;
	if (unlikely(b->now - due > g->arrears && due < b->now && due < s->when.end)) {
		gen_when_skip(s, b->now - g->arrears);
		due = gen_when_next(s);
	}
	if (unlikely(due >= s->when.end)) {
		gen_end_stream(g, s);
		return true;
	}
	if (unlikely(due > until)) { // it was skipped
		wait(g, s);
		return true;
	}
	n = make(g, s, b, until, b->n - b->made);
	if (unlikely(!n)) {
		gen_wheel_again(&g->wheel, s->link);
		return false;
	}
	if (unlikely(b->now - due > g->late))
		note_late(g, b->now - due, n);
	note_gaps(g, s, was_due, due, b->now, n,
		  s->when.burst == 1 ? n : (n + s->when.burst - begun) / s->when.burst);
	sent(s, b->pkts + b->made, n, b->now);
	b->made += n;
	if (unlikely(!s->when.left))
		gen_end_stream(g, s);
	else
		wait(g, s);
	return true;
}

// Streams that go as fast as they can share what room is left.
static void visit_tops(struct gen *g, struct burst *b)
{
	for (unsigned idle = 0; g->tops && b->made < b->n && idle < g->tops;) {
		struct gen_stream *s;
		unsigned room = b->n - b->made, n;

		if (g->top_at >= g->tops)
			g->top_at = 0;
		s = g->top[g->top_at++];
		if (b->now >= s->when.end) {
			gen_end_stream(g, s);
			continue;
		}
		n = make(g, s, b, 0, g->tops > 1 && room > GEN_TOP_RUN ? GEN_TOP_RUN : room);
		idle = n ? 0 : idle + 1;
		sent(s, b->pkts + b->made, n, b->now);
		b->made += n;
		if (!s->when.left)
			gen_end_stream(g, s);
	}
}

void gen_end(struct gen *g, uint64_t now)
{
	for (uint32_t i = 0; i < g->streams; i++) {
		struct gen_stream *s = g->stream[i];

		count(&s->skipped, gen_when_behind(s, now));
		gen_end_stream(g, s);
	}
	g->running = false;
}

static __attribute__((noinline)) uint16_t blocked(struct gen *g, uint64_t now)
{
	count(&g->pace.blocked, 1);
	if (now > g->end && now - g->end > g->arrears) // nothing that is late will go any more
		gen_end(g, now);
	return 0;
}

// Takes the next streams that are due, and begins to fetch them into the cache.
static always_inline unsigned gather(struct gen *g, struct gen_stream **due, unsigned max, uint64_t now)
{
	unsigned m = 0;

	while (m < max) {
		struct gen_link *l = gen_wheel_take(&g->wheel, now);
		struct gen_stream *s;

		if (!l)
			break;
		s = g->stream[l - g->link];
		due[m++] = s;
		for (unsigned i = 0; g->streams > GEN_BATCH && i < g->warm; i++)
			__builtin_prefetch((uint8_t *)s + i * GEN_LINE, 1);
	}
	return m;
}

static void visit_all(struct gen *g, struct burst *b, struct gen_stream **due, unsigned m)
{
	while (m) {
		for (unsigned i = 0; i < m; i++) {
			bool room = b->made < b->n; // those before may have taken all

			if (likely(room) && visit(g, due[i], b))
				continue;
			while (m-- > i + room) // they come first next time
				gen_wheel_back(&g->wheel, due[m]->link);
			return;
		}
		m = b->n - b->made;
		m = gather(g, due, m < GEN_BATCH ? m : GEN_BATCH, b->now);
	}
}

uint16_t gen_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	struct gen *g = arg;
	struct burst b = {.pkts = pkts, .n = n, .now = tsc_read()};
	struct gen_stream *due[GEN_BATCH];
	unsigned m;

	if (!g->running || b.now < g->start)
		return 0;
	if (g->tx && unlikely(port_tx_backlog(g->tx) > GEN_BACKLOG))
		return blocked(g, b.now);
	m = gather(g, due, n < GEN_BATCH ? n : GEN_BATCH, b.now);
	if (!m && !g->tops)
		return 0;
	if (unlikely(mempool_get_bulk(g->pool, pkts, n))) {
		count(&g->pace.nombuf, 1);
		while (m--)
			gen_wheel_back(&g->wheel, due[m]->link);
		return 0;
	}
	b.ns = g->epoch_ns + clock_tsc_to_ns(&g->clock, b.now - g->start);
	visit_all(g, &b, due, m);
	if (g->tops)
		visit_tops(g, &b);
	if (b.made < n)
		mempool_put_bulk(g->pool, pkts + b.made, n - b.made);
	g->running = g->open > 0;
	return (uint16_t)b.made;
}
