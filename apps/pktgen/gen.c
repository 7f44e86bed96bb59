// SPDX-License-Identifier: BSD-3-Clause
// gen.c - the sending half of pktgen: making a generator, starting and stopping it, its counters
#include "apps/pktgen/gen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/gen_priv.h"
#include "core/lcore.h"
#include "core/plat.h"
#include "core/x86_64/cpu.h"

static bool is_ours(const struct gen_conf *conf, uint32_t i)
{
	return conf->blob->streams[i].port == conf->port && i % conf->lcores == conf->lcore;
}

static void *zeroed(size_t n, size_t size)
{
	size_t bytes = (n * size + CACHE_LINE) / CACHE_LINE * CACHE_LINE;
	void *p = aligned_alloc(CACHE_LINE, bytes);

	return p ? memset(p, 0, bytes) : NULL;
}

static int compare_hops(const void *a, const void *b)
{
	const struct gen_hop *x = a, *y = b;

	return x->family != y->family ? x->family - y->family : memcmp(x->via, y->via, 16);
}

static struct gen_hop *find_hop(const struct gen *g, uint8_t family, const uint8_t via[16])
{
	struct gen_hop key = {.family = family};

	memcpy(key.via, via, 16);
	return bsearch(&key, g->hop, g->hops, sizeof(key), compare_hops);
}

// The next hops of all streams, each once.
static void make_hops(struct gen *g)
{
	uint32_t n = 0, kept = 0;

	for (uint32_t i = 0; i < g->streams; i++) {
		const struct blob_stream *b = &g->blob->streams[g->stream[i]->number];

		if (!(b->flags & BLOB_STREAM_RESOLVE))
			continue;
		g->hop[n].family = b->via_family;
		memcpy(g->hop[n++].via, b->via, 16);
	}
	qsort(g->hop, n, sizeof(*g->hop), compare_hops);
	for (uint32_t i = 0; i < n; i++)
		if (!kept || compare_hops(&g->hop[kept - 1], &g->hop[i]))
			g->hop[kept++] = g->hop[i];
	g->hops = kept;
	for (uint32_t i = 0; i < g->streams; i++) {
		const struct blob_stream *b = &g->blob->streams[g->stream[i]->number];

		if (b->flags & BLOB_STREAM_RESOLVE)
			g->stream[i]->hop = (uint32_t)(find_hop(g, b->via_family, b->via) - g->hop);
	}
}

static int make_streams(struct gen *g, const struct gen_conf *conf, struct err *err)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->indexes; i++) {
		const struct blob_stream *b = &g->blob->streams[i];
		struct gen_stream *s;
		int rc;

		if (!is_ours(conf, i))
			continue;
		rc = gen_when_check(g, b, err);
		if (rc)
			return rc;
		s = g->stream[n] = gen_stream_make(g, i, conf->mac);
		if (!s)
			rc = err_set(err, -ENOMEM, "stream %s: no memory for its %u heads",
				     blob_str(g->blob, b->name), b->variants);
		else if (s->len_max > g->room * (GRAPH_BURST - 1))
			rc = err_set(err, -EINVAL, "stream %s: its packets of %u bytes need over %u buffers of %u",
				     blob_str(g->blob, b->name), s->len_max, GRAPH_BURST - 1, g->room);
		g->streams = ++n;
		if (rc)
			return rc;
		s->link = &g->link[n - 1];
		g->warm = s->lines > g->warm ? s->lines : g->warm;
		g->index[i] = n;
	}
	if (g->warm > GEN_WARM_MAX)
		g->warm = GEN_WARM_MAX;
	make_hops(g);
	return 0;
}

static int make(struct gen *g, const struct gen_conf *conf, struct err *err)
{
	uint32_t n = 0;

	g->blob = conf->blob;
	g->pool = conf->pool;
	g->tx = conf->tx;
	g->origin = mbuf_origin(conf->port);
	g->line_bps = conf->line_bps;
	g->room = mempool_room(conf->pool);
	g->fill = cpu_has_avx512() ? gen_fill_avx512 : gen_fill_avx2;
	g->hz = plat_tsc_hz();
	g->arrears = g->hz / 1000000 * GEN_ARREARS_US;
	g->late = g->hz / 1000000 * GEN_LATE_NS / 1000;
	clock_init(&g->clock, CLOCK_REAL);
	gen_exponential_start();
	g->indexes = conf->blob->n_streams;
	for (uint32_t i = 0; i < g->indexes; i++)
		n += is_ours(conf, i);
	g->stream = zeroed(n, sizeof(struct gen_stream *));
	g->link = zeroed(n, sizeof(*g->link));
	g->hop = zeroed(n, sizeof(*g->hop));
	g->top = zeroed(n, sizeof(struct gen_stream *));
	g->index = zeroed(g->indexes, sizeof(*g->index));
	if (!g->stream || !g->link || !g->hop || !g->top || !g->index)
		return err_set(err, -ENOMEM, "port %u: no memory for its %u streams", conf->port, n);
	return make_streams(g, conf, err);
}

struct gen *gen_create(const struct gen_conf *conf, struct err *err)
{
	struct gen *g = zeroed(1, sizeof(*g));

	if (!g) {
		err_set(err, -ENOMEM, "port %u: no memory for its generator", conf->port);
		return NULL;
	}
	if (make(g, conf, err)) {
		gen_destroy(g);
		return NULL;
	}
	return g;
}

void gen_destroy(struct gen *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; g->stream && i < g->streams; i++)
		free(g->stream[i]);
	free(g->stream);
	free(g->link);
	free(g->hop);
	free(g->top);
	free(g->index);
	free(g);
}

static void clear_pace(struct gen_pace *p)
{
	__atomic_store_n(&p->late_ns_max, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&p->late_ns_sum, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&p->late_packets, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&p->blocked, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&p->nombuf, 0, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 4; i++)
		__atomic_store_n(&p->gap[i], 0, __ATOMIC_RELAXED);
}

static void start_stream(struct gen *g, struct gen_stream *s, const struct gen_order *order, uint32_t k, uint32_t n)
{
	const struct blob_stream *b = &g->blob->streams[s->number];

	gen_stream_reset(s, b->seed);
	gen_when_start(g, s, b, order);
	if (n && !s->ended && !s->top)
		gen_when_shift(s, k, n);
	s->waits = s->flags & BLOB_STREAM_RESOLVE && !g->hop[s->hop].known;
	if (s->ended)
		return;
	g->open++;
	if (s->when.end > g->end)
		g->end = s->when.end;
	if (!s->waits)
		gen_begin_stream(g, s);
}

static bool paced_by(const struct gen_order *order, const struct gen_stream *s)
{
	return order->rate && order->rate[s->number] && order->rate[s->number] != UINT64_MAX;
}

void gen_start(struct gen *g, const struct gen_order *order)
{
	uint32_t n = 0, k = 0;

	g->start = order->start_tsc;
	g->epoch_ns = order->epoch_ns;
	g->run = order->run;
	g->open = g->paced = g->tops = g->top_at = 0;
	g->end = 0;
	clear_pace(&g->pace);
	gen_wheel_start(&g->wheel, g->start);
	for (uint32_t i = 0; i < g->streams; i++)
		n += paced_by(order, g->stream[i]);
	for (uint32_t i = 0; i < g->streams; i++) {
		start_stream(g, g->stream[i], order, k, n);
		k += paced_by(order, g->stream[i]);
	}
	g->running = g->open > 0;
}

void gen_stop(struct gen *g)
{
	if (g->running)
		gen_end(g, tsc_read());
}

bool gen_done(const struct gen *g)
{
	return !g->running;
}

void gen_resolved(struct gen *g, uint8_t family, const uint8_t via[16], const uint8_t mac[6])
{
	struct gen_hop *h = find_hop(g, family, via);

	if (!h)
		return;
	h->known = true;
	memcpy(h->mac, mac, 6);
	for (uint32_t i = 0; i < g->streams; i++) {
		struct gen_stream *s = g->stream[i];

		if (!(s->flags & BLOB_STREAM_RESOLVE) || s->hop != h - g->hop)
			continue;
		gen_stream_mac(s, mac);
		if (g->running && s->waits && !s->ended)
			gen_begin_stream(g, s);
		s->waits = false;
	}
}

bool gen_unresolved(const struct gen *g, uint32_t *at, uint8_t *family, uint8_t via[16])
{
	for (; *at < g->hops; ++*at) {
		const struct gen_hop *h = &g->hop[*at];

		if (h->known)
			continue;
		*family = h->family;
		memcpy(via, h->via, 16);
		++*at;
		return true;
	}
	return false;
}

// Counters -------------------------------------------------------------------------------------

static uint64_t read_count(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void gen_count(const struct gen *g, uint32_t stream, struct gen_count *c)
{
	const struct gen_stream *s;
	uint64_t asked, count;

	memset(c, 0, sizeof(*c));
	if (stream >= g->indexes || !g->index[stream])
		return;
	s = g->stream[g->index[stream] - 1];
	c->packets = read_count(&s->packets);
	c->bytes = read_count(&s->bytes);
	asked = c->packets + read_count(&s->skipped) + gen_when_behind(s, tsc_read());
	count = s->count;
	c->due = asked < count ? asked : count;
}

void gen_pace(const struct gen *g, struct gen_pace *p)
{
	const struct gen_pace *from = &g->pace;

	p->late_ns_max = clock_tsc_to_ns(&g->clock, read_count(&from->late_ns_max));
	p->late_ns_sum = clock_tsc_to_ns(&g->clock, read_count(&from->late_ns_sum));
	p->late_packets = read_count(&from->late_packets);
	p->blocked = read_count(&from->blocked);
	p->nombuf = read_count(&from->nombuf);
	for (unsigned i = 0; i < 4; i++)
		p->gap[i] = read_count(&from->gap[i]);
}
