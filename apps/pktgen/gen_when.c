// SPDX-License-Identifier: BSD-3-Clause
// gen_when.c - when a stream's packets are due: rate, shape, bursts, arrears
#include <errno.h>

#include "apps/pktgen/gen_priv.h"
#include "core/lcore.h"

#define L1_OVERHEAD 24u // preamble 7, start of frame 1, FCS 4, gap 12
#define L2_OVERHEAD 4u
#define LEAST ((unsigned __int128)1 << 52) // of a unit: 4,096 a cycle

// Cycles of one of what comes `rate` times a second, with 64 bits of fraction: rounded up, so that a second has no
// more than `rate` of them.
static unsigned __int128 cycles_each(const struct gen *g, uint64_t scale, uint64_t rate)
{
	unsigned __int128 c = (((unsigned __int128)(g->hz * scale) << 64) + rate - 1) / rate;

	return c > LEAST ? c : LEAST;
}

// n units; what takes longer than centuries does so anyway.
static always_inline unsigned __int128 times(unsigned __int128 unit, uint64_t n)
{
	const unsigned __int128 most = (unsigned __int128)1 << (64 + 61);

	return (unit >> 64) * n + n < most >> 64 ? unit * n : most;
}

static uint64_t us_cycles(const struct gen *g, uint64_t us)
{
	return (uint64_t)((unsigned __int128)us * g->hz / 1000000);
}

static uint64_t ns_cycles(const struct gen *g, uint64_t ns)
{
	unsigned __int128 c = (unsigned __int128)ns * g->hz / NSEC_PER_SEC;

	return c > UINT64_MAX / 4 ? UINT64_MAX / 4 : (uint64_t)c;
}

int gen_when_check(const struct gen *g, const struct blob_stream *b, struct err *err)
{
	if (b->rate_kind == BLOB_RATE_LINE && (unsigned __int128)g->line_bps * b->rate < 1000000)
		return err_set(err, -EINVAL,
			       "stream %s: it sends at a share of its port's line rate, which is not "
			       "known: give the port `line: 10G`, or the stream a rate",
			       blob_str(g->blob, b->name));
	return 0;
}

static void set_unit(const struct gen *g, struct gen_when *w, const struct blob_stream *b)
{
	uint64_t bps = b->rate;

	w->bytes = true;
	w->overhead = L1_OVERHEAD;
	switch (b->rate_kind) {
	case BLOB_RATE_L2:
		w->overhead = L2_OVERHEAD;
		break;
	case BLOB_RATE_LINE:
		bps = (uint64_t)((unsigned __int128)g->line_bps * b->rate / 1000000);
		break;
	case BLOB_RATE_PPS:
		w->bytes = false;
		w->unit = cycles_each(g, 1000, b->rate);
		return;
	}
	w->unit = cycles_each(g, 8, bps);
}

// The mean of what a packet counts of units.
static unsigned __int128 mean_span(const struct gen_stream *s)
{
	unsigned __int128 unit = s->when.unit;
	uint64_t sum = 0, weights = 0;

	if (!s->when.bytes)
		return unit;
	for (uint32_t i = 0; i < s->variants; i++) {
		sum += (uint64_t)s->variant[i].weight * (s->variant[i].len + s->when.overhead);
		weights += s->variant[i].weight;
	}
	// In two steps, of which none is too long for 128 bits.
	return times(unit, sum / weights) + (((unit >> 40) * (sum % weights) / weights) << 40);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void gen_when_start(const struct gen *g, struct gen_stream *s, const struct blob_stream *b,
		    const struct gen_order *order)
{
	struct gen_when *w = &s->when;
	uint64_t rate = order->rate ? order->rate[s->number] : 0, from;
	uint64_t count = order->count ? order->count : b->count;

	*w = (struct gen_when){.burst = order->burst ? order->burst : b->burst, .window = UINT64_MAX,
			       .end = UINT64_MAX, .left = count ? count : UINT64_MAX};
	s->count = w->left;
	s->top = order->rate ? rate == UINT64_MAX : b->rate_kind == BLOB_RATE_TOP;
	s->ended = order->rate && !rate;
	if (order->rate && rate && !s->top)
		w->unit = cycles_each(g, 1000, rate);
	else if (!order->rate && !s->top)
		set_unit(g, w, b);
	from = g->start + ns_cycles(g, b->start_ns);
	if (order->duration_ns)
		w->end = g->start + ns_cycles(g, order->duration_ns);
	else if (b->duration_ns)
		w->end = from + ns_cycles(g, b->duration_ns);
	w->due = (unsigned __int128)from << 64;
	w->was_due = from;
	w->burst_left = w->burst;
	w->random = (uint64_t)b->seed << 32 | 1;
	w->poisson = b->shape == BLOB_SHAPE_POISSON;
	w->mean = times(mean_span(s), w->burst);
	if (b->shape == BLOB_SHAPE_ONOFF) {
		w->on_cycles = us_cycles(g, b->on_us);
		w->off_cycles = us_cycles(g, b->off_us);
		w->window = from + w->on_cycles;
	}
}

// On/off: what is due after the stream has gone off is due that much later.
static __attribute__((noinline)) void next_window(struct gen_when *w)
{
	uint64_t n = ((uint64_t)(w->due >> 64) - w->window) / w->on_cycles + 1;

	w->off += n * w->off_cycles;
	w->window += n * w->on_cycles;
}

void gen_when_shift(struct gen_stream *s, uint32_t k, uint32_t n)
{
	struct gen_when *w = &s->when;

	w->due += w->mean / n * k;
	if ((uint64_t)(w->due >> 64) >= w->window)
		next_window(w);
}

static __attribute__((noinline)) unsigned __int128 exponential_span(struct gen_when *w, unsigned __int128 span)
{
	const unsigned __int128 most = (unsigned __int128)1 << 106;
	uint64_t mean = (uint64_t)((span < most ? span : most) >> 44);

	return (unsigned __int128)mean * gen_exponential(gen_random(&w->random)) << 12;
}

static always_inline const struct gen_variant *choose(struct gen_stream *s)
{
	if (s->flags & BLOB_STREAM_SHUFFLED) {
		uint64_t r = gen_random(&s->shuffle);
		const struct gen_variant *v = &s->variant[(r >> 32) * s->variants >> 32];

		return (uint32_t)r < v->share ? v : &s->variant[v->other];
	}
	if (!s->at_left) {
		s->at = s->at + 1 == s->variants ? 0 : s->at + 1;
		s->at_left = s->variant[s->at].weight;
	}
	s->at_left--;
	return &s->variant[s->at];
}

static always_inline void choose_all(struct gen_stream *s, const struct gen_variant **v, unsigned n)
{
	uint32_t bytes = 0;

	if (s->variants == 1) {
		v[0] = s->variant;
		s->when.burst_bytes += (uint64_t)n * (v[0]->len + s->when.overhead);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		v[i] = choose(s);
		bytes += v[i]->len + s->when.overhead;
	}
	s->when.burst_bytes += bytes;
}

static always_inline unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// Packet by packet at one distance, all alike: nothing but adding.
static always_inline unsigned due_plain(struct gen_stream *s, uint64_t limit, unsigned max,
					const struct gen_variant **v)
{
	struct gen_when *w = &s->when;
	unsigned __int128 due = w->due, before;
	unsigned k = 0;

	do {
		before = due;
		due += w->mean;
		k++;
	} while (k < max && (uint64_t)(due >> 64) <= limit);
	w->due = due;
	w->was_due = (uint64_t)(before >> 64) + w->off;
	v[0] = s->variant;
	return k;
}

static unsigned due_any(struct gen_stream *s, uint64_t limit, unsigned max, const struct gen_variant **v)
{
	struct gen_when *w = &s->when;
	unsigned k = 0;

	do {
		unsigned take = smaller(w->burst_left, max - k);
		unsigned __int128 span;

		choose_all(s, s->variants == 1 ? v : v + k, take);
		k += take;
		w->burst_left -= take;
		if (w->burst_left)
			break;
		span = w->bytes ? times(w->unit, w->burst_bytes) : w->mean;
		w->was_due = (uint64_t)(w->due >> 64) + w->off;
		w->due += w->poisson ? exponential_span(w, span) : span;
		w->burst_left = w->burst;
		w->burst_bytes = 0;
	} while (k < max && (uint64_t)(w->due >> 64) <= limit);
	return k;
}

unsigned gen_when_due(struct gen_stream *s, uint64_t until, unsigned max, const struct gen_variant **v)
{
	struct gen_when *w = &s->when;
	uint64_t limit = earliest(until, w->end - 1) - w->off;
	unsigned k;

	limit = earliest(limit, w->window - 1);
	if (max > w->left)
		max = (unsigned)w->left;
	if (likely(s->variants == 1 && w->burst == 1 && !w->poisson))
		k = due_plain(s, limit, max, v);
	else
		k = due_any(s, limit, max, v);
	if (unlikely((uint64_t)(w->due >> 64) >= w->window))
		next_window(w);
	w->left -= k;
	return k;
}

unsigned gen_when_top(struct gen_stream *s, uint64_t now, unsigned max, const struct gen_variant **v)
{
	struct gen_when *w = &s->when;

	if (now < gen_when_next(s))
		return 0;
	// While it is on, it is always due just now; else when it goes on.
	w->due = (unsigned __int128)(now - w->off) << 64;
	if (unlikely(now - w->off >= w->window)) {
		next_window(w);
		w->due = (unsigned __int128)(w->window - w->on_cycles) << 64;
		return 0;
	}
	if (max > w->left)
		max = (unsigned)w->left;
	choose_all(s, v, max);
	w->burst_bytes = 0;
	w->left -= max;
	return max;
}

// The stream's own time at a moment of the clock which is not before its next burst.
static uint64_t own_time(const struct gen_when *w, uint64_t t)
{
	uint64_t beyond, period = w->on_cycles + w->off_cycles, rest;

	t -= w->off;
	if (t < w->window || !period) // none while another lcore begins a trial, and we read half of it
		return t;
	beyond = t - w->window;
	rest = beyond % period;
	return w->window + beyond / period * w->on_cycles + (rest > w->off_cycles ? rest - w->off_cycles : 0);
}

// How many bursts after the next are due by t as well.
static uint64_t bursts_until(const struct gen_when *w, uint64_t t)
{
	unsigned __int128 end = (unsigned __int128)(own_time(w, t) + 1) << 64;

	return (uint64_t)((end - 1 - w->due) / w->mean);
}

void gen_when_skip(struct gen_stream *s, uint64_t from)
{
	struct gen_when *w = &s->when;
	uint64_t n = bursts_until(w, earliest(from, w->end - 1));

	w->due += w->mean * n;
	if ((uint64_t)(w->due >> 64) >= w->window)
		next_window(w);
	__atomic_store_n(&s->skipped, s->skipped + n * w->burst, __ATOMIC_RELAXED);
}

uint64_t gen_when_behind(const struct gen_stream *s, uint64_t now)
{
	const struct gen_when w = s->when;

	if (s->top || s->ended || !w.mean || (uint64_t)(w.due >> 64) + w.off > earliest(now, w.end - 1))
		return 0;
	return bursts_until(&w, earliest(now, w.end - 1)) * w.burst + w.burst_left;
}
