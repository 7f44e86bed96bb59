// SPDX-License-Identifier: BSD-3-Clause
// fuzz_gen.c - a blob with any streams: refused, or a generator sends what they say, in whole packets
//
// The first bytes are the trial's order. The rest is what a blob is made of: how many streams, variants and
// fields, then those, then bytes for heads, bodies and lists. Whatever one of them names lies where it may most
// of the time, so that blob_open() lets many pass.
#include <stdlib.h>
#include <string.h>

#include "core/lcore.h"
#include "core/plat.h"
#include "tests/unit/apps/gen_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS	 4
#define VARIANTS 8
#define FIELDS	 16

struct input {
	const uint8_t *at;
	size_t left;
};

static void take(struct input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	memcpy(to, in->at, have);
	in->at += have;
	in->left -= have;
}

static uint8_t byte(struct input *in)
{
	uint8_t b;

	take(in, &b, 1);
	return b;
}

// Numbers that name things stay in range, but for one in 16.
static uint32_t near(struct input *in, uint32_t v, uint32_t n)
{
	return byte(in) % 16 ? (n ? v % n : 0) : v;
}

static void make(struct gen_world *w, struct input *in)
{
	uint8_t streams = byte(in) % STREAMS, variants = 1 + byte(in) % VARIANTS, fields = byte(in) % FIELDS;
	uint8_t bytes[4096];

	for (unsigned i = 0; i < streams; i++) {
		struct blob_stream *s = &w->streams[w->n_streams++];

		take(in, s, sizeof(*s));
		s->name = near(in, s->name, 8);
		s->port = (uint16_t)near(in, s->port, 2);
		s->flags &= byte(in) | 15;
		s->head_len = (uint16_t)(14 + near(in, s->head_len, 100));
		s->body_len = (uint16_t)near(in, s->body_len, 4000);
		s->body = near(in, s->body, 96);
		s->variant = near(in, s->variant, variants);
		s->variants = near(in, s->variants, variants - s->variant % variants + 1u);
		s->field = near(in, s->field, fields);
		s->fields = near(in, s->fields, fields + 1u);
		s->sums = (uint8_t)near(in, s->sums, 5);
		s->rate_kind = (uint8_t)near(in, s->rate_kind, BLOB_RATE_KINDS);
		s->shape = (uint8_t)near(in, s->shape, BLOB_SHAPES);
		for (unsigned k = 0; k < 4; k++)
			s->sum_at[k] = (uint16_t)(near(in, s->sum_at[k], s->head_len - 2u) & 0xfffe);
		s->sum_ip &= (uint16_t)((1u << s->sums % 5) - 1);
		s->sig_sums &= (uint8_t)((1u << s->sums % 5) - 1);
	}
	for (unsigned i = 0; i < variants; i++) {
		struct blob_variant *v = &w->variants[w->n_variants++];

		take(in, v, sizeof(*v));
		v->head = near(in, v->head, 3900);
		v->len = (uint16_t)near(in, v->len, 4096);
	}
	for (unsigned i = 0; i < fields; i++) {
		struct blob_field *f = &w->fields[w->n_fields++];

		take(in, f, sizeof(*f));
		f->size = (uint8_t)(1u << (near(in, f->size, 4) & 7));
		f->bits = (uint8_t)(1 + near(in, f->bits, 8));
		f->shift = (uint8_t)near(in, f->shift, 8u * f->size + 1u - f->bits % 8u);
		f->offset = (uint16_t)near(in, f->offset, 90);
		f->sums &= 1;
		f->minus &= 2;
		f->kind = (uint8_t)near(in, f->kind, BLOB_FIELD_KINDS);
		f->list = near(in, f->list, 500) & ~7u;
	}
	take(in, bytes, sizeof(bytes));
	gw_bytes(w, bytes, sizeof(bytes));
}

static void check(bool right)
{
	if (!right)
		abort();
}

static void run(struct gen_world *w, struct mempool *pool, struct gen_order *order, uint8_t room)
{
	struct gen_conf conf = {.blob = &w->blob, .port = room & 1, .lcores = 1, .pool = pool,
				.mac = (const uint8_t *)"\2\0\0\0\0\1", .line_bps = 10000000000};
	struct err err;
	struct gen *g = gen_create(&conf, &err);
	struct gen_count c, all = {0};
	uint64_t packets = 0, bytes = 0;
	uint8_t family, via[16];
	uint32_t at = 0;

	if (!g)
		return;
	order->start_tsc = tsc_read();
	gen_start(g, order);
	while (gen_unresolved(g, &at, &family, via))
		gen_resolved(g, family, via, conf.mac);
	for (unsigned i = 0; i < 20 && !gen_done(g); i++) {
		struct mbuf *pkts[GRAPH_BURST];
		uint16_t n = gen_burst(g, pkts, (uint16_t)(1 + room % GRAPH_BURST));

		check(n <= 1 + room % GRAPH_BURST);
		for (unsigned k = 0; k < n; k++) {
			check(!mbuf_check(pkts[k]) && pkts[k]->refcnt == 1);
			check(pkts[k]->pkt_len >= 14 && pkts[k]->pkt_len <= BLOB_FRAME_MAX);
			bytes += pkts[k]->pkt_len;
		}
		packets += n;
		mbuf_free_bulk(pkts, n);
	}
	gen_stop(g);
	check(gen_done(g));
	for (uint32_t i = 0; i < w->blob.n_streams; i++) {
		gen_count(g, i, &c);
		check(c.packets <= c.due);
		all.packets += c.packets;
		all.bytes += c.bytes;
	}
	check(all.packets == packets && all.bytes == bytes);
	gen_destroy(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mempool *pool;
	static struct gen_world w;
	struct input in = {data, size};
	struct gen_order order = {0};
	uint64_t rate[STREAMS];
	uint8_t room, flags;
	struct err err;

	if (!pool) {
		struct mempool_conf conf = {.name = "fuzz", .count = 512};

		pool = mempool_create(&conf, NULL);
		gw_init(&w);
	}
	check(pool != NULL);
	w.n_streams = w.n_variants = w.n_fields = w.n_bytes = 0;
	flags = byte(&in);
	room = byte(&in);
	take(&in, rate, sizeof(rate));
	take(&in, &order.duration_ns, 4);
	take(&in, &order.count, 1);
	take(&in, &order.burst, flags & 2 ? 4 : 1);
	order.rate = flags & 1 ? rate : NULL;
	make(&w, &in);
	if (!gw_open(&w, &err))
		run(&w, pool, &order, room);
	check(mempool_available(pool) == mempool_count(pool));
	return 0;
}
