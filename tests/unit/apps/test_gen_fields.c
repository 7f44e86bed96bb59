// SPDX-License-Identifier: BSD-3-Clause
// test_gen_fields.c - fields of every kind, size and place, against frames made one by one and summed whole
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/gen_priv.h"
#include "apps/pktgen/sig.h"
#include "core/clock.h"
#include "core/x86_64/cpu.h"
#include "tests/unit/apps/gen_world.h"

#define PACKETS 700
#define ROOM	2048

static struct mempool *pool;
static uint64_t seed = 1;

static uint64_t draw(uint64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 24) % n;
}

// Words of a UDP datagram over IPv4 that may change, and the checksums they count in. Those of one region overlap.
static const struct place {
	uint8_t region, offset, size, sums;
} places[] = {
	{0, 0, 4, 0},  {0, 1, 2, 0},  {0, 5, 1, 0},  {1, 15, 1, 1}, {2, 18, 2, 1}, {2, 19, 1, 1}, {3, 22, 1, 1},
	{4, 26, 8, 3}, {4, 26, 4, 3}, {4, 27, 2, 3}, {4, 25 + 2, 4, 3}, {4, 29, 1, 3},
	{5, 34, 4, 2}, {5, 34, 2, 2}, {5, 36, 2, 2}, {5, 35, 2, 2}, {5, 37, 1, 2},
};
#define PLACES	(sizeof(places) / sizeof(places[0]))
#define REGIONS 6

static uint64_t get(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void put(uint8_t *p, unsigned n, uint64_t v)
{
	for (; n--; v >>= 8)
		p[n] = (uint8_t)v;
}

static void random_field(struct gen_world *w, const struct place *p)
{
	struct blob_field *f = gw_field(w, p->offset, p->size, p->sums);
	uint64_t list[40];

	if (draw(2)) {
		f->bits = (uint8_t)(1 + draw(8u * p->size));
		f->shift = (uint8_t)draw(8u * p->size - f->bits + 1u);
	}
	f->kind = (uint8_t)draw(BLOB_FIELD_KINDS);
	f->every = draw(2) ? 1 : 1 + (uint32_t)draw(5);
	f->min = draw(UINT32_MAX);
	f->step = draw(3) ? 1 : draw(UINT32_MAX) - 1000;
	f->count = draw(4) ? 1 + draw(200) : 1 + draw(3);
	if (f->kind == BLOB_FIELD_RANDOM && f->bits < 8)
		f->count = 1 + draw(1u << f->bits);
	if (f->kind != BLOB_FIELD_LIST)
		return;
	f->count = 1 + draw(40);
	for (unsigned i = 0; i < 40; i++)
		list[i] = draw(UINT32_MAX) * 0x100000001u;
	f->list = gw_bytes(w, list, f->count * 8);
}

static void random_stream(struct gen_world *w)
{
	static const uint16_t lens[4][3] = {{60, 0, 0}, {61, 100, 1514}, {1000, 63, 0}, {128, 0, 0}};
	unsigned which = (unsigned)draw(4);

	gw_udp4(w, lens[which], which == 1 ? 3 : which == 2 ? 2 : 1, draw(3) == 0);
	for (uint8_t region = 0; region < REGIONS; region++) {
		const struct place *p;

		do
			p = &places[draw(PLACES)];
		while (p->region != region);
		if (draw(4))
			random_field(w, p);
	}
}

static uint64_t mask_of(const struct blob_field *f)
{
	return (f->bits == 64 ? 0 : 1ull << f->bits) - 1;
}

// The value of packet i; what is random is taken from the packet, and must be in its range.
static uint64_t value(const struct gen_world *w, const struct blob_field *f, unsigned i, const uint8_t *frame)
{
	uint64_t n = i / f->every, v;

	switch (f->kind) {
	case BLOB_FIELD_COUNT:
		return f->min + f->step * (n % f->count);
	case BLOB_FIELD_LIST:
		memcpy(&v, w->bytes + f->list + n % f->count * 8, 8);
		return v;
	}
	v = get(frame + f->offset, f->size) >> f->shift & mask_of(f);
	if (f->count <= mask_of(f))
		assert_true(((v - f->min) & mask_of(f)) < f->count);
	return v;
}

static void put_sum(uint8_t *at, uint32_t c, const uint8_t *p, size_t n, bool udp)
{
	at[0] = at[1] = 0;
	for (size_t i = 0; i < n; i++)
		c += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (c >> 16)
		c = (c & 0xffff) + (c >> 16);
	put(at, 2, udp && c == 0xffff ? 0xffff : ~c);
}

// The frame of packet i as it should be.
static void expect(const struct gen_world *w, const uint8_t *got, unsigned i, uint8_t *want, uint16_t len)
{
	const struct blob_stream *s = &w->streams[0];
	const struct blob_variant *v = &w->variants[i % s->variants];
	uint32_t pseudo = 0;

	assert_int_equal(len, v->len);
	memcpy(want, w->bytes + v->head, s->head_len);
	memcpy(want + s->head_len, w->bytes + s->body, len - s->head_len);
	for (unsigned k = 0; k < s->fields; k++) {
		const struct blob_field *f = &w->fields[k];
		uint64_t word = get(want + f->offset, f->size), mask = mask_of(f) << f->shift;

		put(want + f->offset, f->size, (word & ~mask) | (value(w, f, i, got) << f->shift & mask));
	}
	if (s->flags & BLOB_STREAM_SIGNED) {
		uint8_t *sig = want + len - SIG_LEN;

		put(sig, 2, SIG_MAGIC);
		put(sig + SIG_AT_RUN, 2, 9);
		put(sig + SIG_AT_STREAM, 2, 0);
		put(sig + SIG_AT_SEQ, 4, i);
		memcpy(sig + SIG_AT_TIME, got + len - SIG_LEN + SIG_AT_TIME, 8);
	}
	put_sum(want + 24, 0, want + 14, 20, false);
	for (unsigned k = 26; k < 34; k += 2)
		pseudo += (uint32_t)get(want + k, 2);
	put_sum(want + 40, pseudo + 17 + len - 34, want + 34, len - 34u, true);
}

static void compare(struct gen_world *w, bool wide)
{
	struct gen_conf conf = {.blob = &w->blob, .lcores = 1, .pool = pool, .mac = (const uint8_t *)"\2\0\0\0\0\1"};
	struct gen_order order = {.start_tsc = tsc_read(), .run = 9, .count = PACKETS};
	struct gen *g = gen_create(&conf, NULL);
	uint8_t want[ROOM];
	unsigned n = 0;

	assert_non_null(g);
	if (!wide)
		g->fill = gen_fill_avx2;
	gen_start(g, &order);
	while (!gen_done(g)) {
		struct mbuf *pkts[GRAPH_BURST];
		unsigned got = gen_burst(g, pkts, (uint16_t)(1 + draw(GRAPH_BURST)));

		for (unsigned i = 0; i < got; i++) {
			expect(w, pkts[i]->data, n + i, want, pkts[i]->len);
			assert_memory_equal(pkts[i]->data, want, pkts[i]->len);
		}
		mbuf_free_bulk(pkts, got);
		n += got;
	}
	assert_int_equal(n, PACKETS);
	gen_destroy(g);
}

static void against_model(void **state)
{
	bool wide = cpu_has_avx512();

	for (unsigned i = 0; i < 300; i++) {
		struct gen_world w;
		struct err err = {""};

		gw_init(&w);
		random_stream(&w);
		if (gw_open(&w, &err))
			fail_msg("%s", err.text);
		compare(&w, false);
		if (wide)
			compare(&w, true);
		gw_free(&w);
	}
}

// The outer checksum of a tunnel sees an inner address the other way: so do two checksums over the same bytes
// keep their sum when one counts a field and the other its opposite.
static void the_other_way(void **state)
{
	static const uint16_t lens[] = {100};
	struct gen_conf conf = {.lcores = 1, .pool = pool, .mac = (const uint8_t *)"\2\0\0\0\0\1"};
	struct gen_order order = {.start_tsc = tsc_read(), .count = 500};
	struct mbuf *pkts[GRAPH_BURST];
	struct gen_world w;
	struct blob_field *f;
	uint32_t both = 0;
	struct gen *g;

	gw_init(&w);
	gw_udp4(&w, lens, 1, true);
	f = gw_field(&w, 27, 2, 1);
	f->minus = 2;
	f->count = 500;
	f->step = 977;
	conf.blob = &w.blob;
	assert_int_equal(gw_open(&w, NULL), 0);
	g = gen_create(&conf, NULL);
	gen_start(g, &order);
	while (!gen_done(g)) {
		unsigned n = gen_burst(g, pkts, GRAPH_BURST);

		for (unsigned i = 0; i < n; i++) {
			const uint8_t *p = pkts[i]->data;
			uint32_t sum = (uint32_t)(get(p + 24, 2) + get(p + 40, 2)) % 0xffff;

			assert_true(!both || sum == both);
			both = sum;
		}
		mbuf_free_bulk(pkts, n);
	}
	assert_true(both);
	gen_destroy(g);
	gw_free(&w);
}

static int setup(void **state)
{
	struct mempool_conf conf = {.name = "gen", .count = 4096};

	pool = mempool_create(&conf, NULL);
	return pool ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_model),
		cmocka_unit_test(the_other_way),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
