// SPDX-License-Identifier: BSD-3-Clause
// test_gen.c - what generated packets look like: every byte and checksum, in every way they change
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/sig.h"
#include "core/clock.h"
#include "core/plat.h"
#include "tests/unit/apps/gen_world.h"

static struct mempool *pool;

static struct gen *start(struct gen_world *w, const struct gen_order *order)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct err err = {""};
	struct gen_conf conf = {.blob = &w->blob, .lcores = 1, .pool = pool, .mac = mac};
	struct gen *g;

	if (gw_open(w, &err))
		fail_msg("%s", err.text);
	g = gen_create(&conf, &err);
	if (!g)
		fail_msg("%s", err.text);
	if (order)
		gen_start(g, order);
	return g;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint64_t get(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

// Whether the words from p on, and c, add up to 0xffff.
static bool sums_up(uint32_t c, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (c >> 16)
		c = (c & 0xffff) + (c >> 16);
	return c == 0xffff;
}

static uint32_t sum(const uint8_t *p, size_t n)
{
	uint32_t c = 0;

	for (size_t i = 0; i < n; i += 2)
		c += get16(p + i);
	return c;
}

static void check4(const uint8_t *f, uint16_t len)
{
	assert_int_equal(get16(f + 16), len - 14);
	assert_true(sums_up(0, f + 14, 20));
	assert_true(sums_up(17 + (uint32_t)len - 34 + sum(f + 26, 8), f + 34, len - 34u));
	assert_int_not_equal(get16(f + 40), 0);
}

static void check6(const uint8_t *f, uint16_t len)
{
	assert_int_equal(get16(f + 18), len - 54);
	assert_true(sums_up(17 + (uint32_t)len - 54 + sum(f + 22, 32), f + 54, len - 54u));
	assert_int_not_equal(get16(f + 60), 0);
}

// All packets of a burst, checked and freed; the first `n` are also copied to `copies` of `stride` bytes.
static unsigned burst(struct gen *g, unsigned want, uint8_t *copies, size_t stride)
{
	struct mbuf *pkts[GRAPH_BURST];
	uint16_t n = gen_burst(g, pkts, (uint16_t)want);

	assert_true(n <= want);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(mbuf_check(pkts[i]), 0);
		assert_int_equal(pkts[i]->refcnt, 1);
		assert_true(pkts[i]->pkt_len <= stride);
		assert_int_equal(mbuf_copy_out(pkts[i], 0, copies + i * stride, pkts[i]->pkt_len), 0);
		mbuf_free(pkts[i]);
	}
	return n;
}

// A stream at top speed, all of its `count` packets in a row.
static uint8_t *packets(struct gen_world *w, unsigned count, size_t stride)
{
	struct gen_order order = {.start_tsc = tsc_read(), .count = count, .run = 7, .epoch_ns = 1000};
	struct gen *g = start(w, &order);
	uint8_t *copies = calloc(count + GRAPH_BURST, stride);
	uint32_t was = mempool_available(pool);
	unsigned n = 0;

	assert_non_null(copies);
	while (!gen_done(g))
		n += burst(g, GRAPH_BURST, copies + n * stride, stride);
	assert_int_equal(n, count);
	assert_int_equal(mempool_available(pool), was);
	gen_destroy(g);
	return copies;
}

static void signature(void **state)
{
	uint16_t lens[] = {60};
	struct gen_world w;
	uint8_t *f;

	gw_init(&w);
	gw_udp4(&w, lens, 1, false);
	f = packets(&w, 1000, 64);
	for (unsigned i = 0; i < 1000; i++) {
		const uint8_t *p = f + i * 64ul, *sig = p + 60 - SIG_LEN;

		check4(p, 60);
		assert_int_equal(get(sig, 2), SIG_MAGIC);
		assert_int_equal(get(sig + SIG_AT_RUN, 2), 7);
		assert_int_equal(get(sig + SIG_AT_STREAM, 2), 0);
		assert_int_equal(get(sig + SIG_AT_SEQ, 4), i);
		assert_true(get(sig + SIG_AT_TIME, 8) >= 1000);
		assert_true(get(sig + SIG_AT_TIME, 8) < 1000 + NSEC_PER_SEC * 60);
	}
	free(f);
	gw_free(&w);
}

static void counting_fields(void **state)
{
	uint16_t lens[] = {60, 1514, 77};
	struct gen_world w;
	struct blob_field *fld;
	uint8_t *f;

	gw_init(&w);
	gw_udp4(&w, lens, 3, false);
	fld = gw_field(&w, GW_DST4, 4, 3);
	fld->min = 0x0a000002;
	fld->count = 300;
	fld->step = 0x10001;
	fld = gw_field(&w, GW_SPORT4, 2, 2);
	fld->min = 1024;
	fld->count = 50;
	fld->every = 3;
	fld->step = (uint64_t)-1;
	f = packets(&w, 2000, 1600);
	for (unsigned i = 0; i < 2000; i++) {
		const uint8_t *p = f + i * 1600ul;

		check4(p, lens[i % 3]);
		assert_int_equal(get(p + GW_DST4, 4), 0x0a000002 + 0x10001 * (i % 300));
		assert_int_equal(get(p + GW_SPORT4, 2), 1024 - i / 3 % 50);
		assert_int_equal(get(p + GW_DPORT4, 2), 9);
		assert_int_equal(p[42], lens[i % 3] == 60 ? SIG_MAGIC >> 8 : 1);
	}
	free(f);
	gw_free(&w);
}

static void six(void **state)
{
	uint16_t lens[] = {80, 81};
	struct gen_world w;
	struct blob_field *fld;
	uint8_t *f;

	gw_init(&w);
	gw_udp6(&w, lens, 2, false);
	fld = gw_field(&w, GW_DST6 + 8, 8, 1);
	fld->kind = BLOB_FIELD_RANDOM;
	fld->count = 0;
	f = packets(&w, 500, 128);
	for (unsigned i = 0; i < 500; i++)
		check6(f + i * 128ul, lens[i % 2]);
	assert_memory_not_equal(f + GW_DST6 + 8, f + 128 + GW_DST6 + 8, 8);
	free(f);
	gw_free(&w);
}

// Sends for `ms` at a rate; how many went.
static uint64_t sent_in(struct gen *g, uint64_t ms)
{
	struct mbuf *pkts[GRAPH_BURST];
	uint64_t end = tsc_read() + plat_tsc_hz() / 1000 * ms, n = 0;

	while (tsc_read() < end) {
		uint16_t got = gen_burst(g, pkts, GRAPH_BURST);

		mbuf_free_bulk(pkts, got);
		n += got;
	}
	return n;
}

static void rate(void **state)
{
	uint16_t lens[] = {60};
	struct gen_order order = {.start_tsc = tsc_read(), .duration_ns = 100000000};
	struct gen_world w;
	struct gen_count c;
	struct gen *g;

	gw_init(&w);
	gw_udp4(&w, lens, 1, false);
	w.streams[0].rate_kind = BLOB_RATE_PPS;
	w.streams[0].rate = 123457000;
	g = start(&w, NULL);
	order.start_tsc = tsc_read();
	gen_start(g, &order);
	do
		sent_in(g, 1);
	while (!gen_done(g));
	gen_count(g, 0, &c);
	// 12,345.7 periods: packets 0 to 12,345 are due before the end.
	assert_int_equal(c.due, 12346);
	assert_true(c.packets <= c.due); // even none, where the host took the CPU meanwhile
	assert_int_equal(c.bytes, c.packets * 60);
	gen_destroy(g);
	gw_free(&w);
}

// Frames that need several buffers, and their signature and checksum reach over two.
static void jumbo(void **state)
{
	uint16_t lens[] = {9014, 2048, 2049, 4100, 60};
	struct gen_world w;
	struct blob_field *fld;
	uint8_t *f;

	gw_init(&w);
	gw_udp4(&w, lens, 5, false);
	fld = gw_field(&w, GW_SRC4, 4, 3);
	fld->count = 1000;
	f = packets(&w, 50, 9088);
	for (unsigned i = 0; i < 50; i++) {
		const uint8_t *p = f + i * 9088ul;

		check4(p, lens[i % 5]);
		assert_int_equal(get(p + GW_SRC4, 4), i);
		assert_int_equal(get(p + lens[i % 5] - SIG_LEN + SIG_AT_SEQ, 4), i);
	}
	free(f);
	gw_free(&w);
}

static void lengths_by_weight(void **state)
{
	uint16_t lens[] = {60, 590, 1514};
	unsigned seen[3] = {0};
	struct gen_world w;
	uint8_t *f;

	gw_init(&w);
	gw_udp4(&w, lens, 3, false)->flags |= BLOB_STREAM_SHUFFLED;
	w.variants[0].weight = 7;
	w.variants[1].weight = 4;
	f = packets(&w, 24000, 1536);
	for (unsigned i = 0; i < 24000; i++) {
		unsigned len = get16(f + i * 1536ul + 16) + 14u;

		seen[len == 60 ? 0 : len == 590 ? 1 : 2]++;
		check4(f + i * 1536ul, (uint16_t)len);
	}
	// 14,000, 8,000 and 2,000, within four deviations.
	assert_in_range(seen[0], 14000 - 306, 14000 + 306);
	assert_in_range(seen[1], 8000 - 292, 8000 + 292);
	assert_in_range(seen[2], 2000 - 171, 2000 + 171);
	free(f);
	gw_free(&w);
	gw_init(&w);
	gw_udp4(&w, lens, 3, false);
	w.variants[0].weight = 2;
	f = packets(&w, 100, 1536);
	for (unsigned i = 0; i < 100; i++)
		check4(f + i * 1536ul, i % 4 < 2 ? 60 : i % 4 == 2 ? 590 : 1514);
	free(f);
	gw_free(&w);
}

static void next_hops(void **state)
{
	static const uint8_t via1[16] = {10, 0, 0, 1}, via2[16] = {10, 0, 0, 2}, mac[6] = {2, 0, 0, 0, 0, 77};
	struct gen_order order = {.start_tsc = tsc_read(), .count = 3};
	uint8_t family, via[16], f[GRAPH_BURST * 64];
	uint16_t lens[] = {60};
	struct gen_world w;
	struct gen_count c;
	uint32_t at = 0;
	struct gen *g;

	gw_init(&w);
	for (unsigned i = 0; i < 3; i++) {
		struct blob_stream *s = gw_udp4(&w, lens, 1, false);

		s->flags |= BLOB_STREAM_RESOLVE | BLOB_STREAM_PORT_MAC;
		s->via_family = 4;
		memcpy(s->via, i < 2 ? via1 : via2, 16);
	}
	g = start(&w, &order);
	assert_true(gen_unresolved(g, &at, &family, via));
	assert_int_equal(family, 4);
	assert_memory_equal(via, via1, 16);
	assert_true(gen_unresolved(g, &at, &family, via));
	assert_memory_equal(via, via2, 16);
	assert_false(gen_unresolved(g, &at, &family, via));
	assert_int_equal(burst(g, GRAPH_BURST, f, 64), 0);
	gen_resolved(g, 4, via1, mac);
	assert_int_equal(burst(g, GRAPH_BURST, f, 64), 6);
	assert_memory_equal(f, mac, 6);
	assert_memory_equal(f + 6, "\2\0\0\0\0\x9", 6); // the port's
	assert_false(gen_done(g));
	at = 0;
	assert_true(gen_unresolved(g, &at, &family, via));
	assert_memory_equal(via, via2, 16);
	gen_resolved(g, 6, via2, mac);
	assert_int_equal(burst(g, GRAPH_BURST, f, 64), 0);
	gen_resolved(g, 4, via2, mac);
	assert_int_equal(burst(g, GRAPH_BURST, f, 64), 3);
	assert_true(gen_done(g));
	gen_count(g, 2, &c);
	assert_int_equal(c.packets, 3);
	assert_int_equal(c.due, 3);
	gen_destroy(g);
	gw_free(&w);
}

// Stream i is lcore i mod lcores', of its port alone.
static void shares_of_lcores(void **state)
{
	uint16_t lens[] = {60};
	uint8_t f[GRAPH_BURST * 64], seen[7] = {0};
	struct gen_world w;

	gw_init(&w);
	for (unsigned i = 0; i < 7; i++)
		gw_udp4(&w, lens, 1, false)->port = i == 3;
	assert_int_equal(gw_open(&w, NULL), 0);
	for (unsigned k = 0; k < 6; k++) {
		struct gen_conf conf = {.blob = &w.blob, .port = k / 3, .lcore = k % 3, .lcores = 3, .pool = pool,
					.mac = f};
		struct gen_order order = {.start_tsc = tsc_read(), .count = 2};
		struct gen *g = gen_create(&conf, NULL);
		unsigned n;

		gen_start(g, &order);
		n = burst(g, GRAPH_BURST, f, 64);
		for (unsigned i = 0; i < n; i++) {
			unsigned number = (unsigned)get(f + i * 64 + 60 - SIG_LEN + SIG_AT_STREAM, 2);

			assert_int_equal(number % 3, k % 3);
			assert_int_equal(number == 3, k / 3);
			seen[number]++;
		}
		gen_destroy(g);
	}
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(seen[i], 2);
	gw_free(&w);
}

// Orders: silent, top, and what is stopped.
static void trials(void **state)
{
	uint64_t rate[3] = {0, UINT64_MAX, 100000000};
	struct gen_order order = {.start_tsc = tsc_read(), .rate = rate};
	uint16_t lens[] = {60};
	struct gen_world w;
	struct gen_count c[3];
	struct gen *g;

	gw_init(&w);
	for (unsigned i = 0; i < 3; i++)
		gw_udp4(&w, lens, 1, false);
	g = start(&w, &order);
	for (unsigned trial = 0; trial < 2; trial++) {
		uint64_t n = sent_in(g, 2);

		// Where all is slow (sanitizers, a busy host) stream 2 may have taken all of that for itself.
		for (unsigned more = 0; gen_count(g, 1, &c[1]), !c[1].packets && more < 1000; more++)
			n += sent_in(g, 2);
		assert_false(gen_done(g));
		gen_stop(g);
		assert_true(gen_done(g));
		assert_int_equal(sent_in(g, 1), 0);
		for (unsigned i = 0; i < 3; i++)
			gen_count(g, i, &c[i]);
		assert_int_equal(c[0].packets + c[0].due, 0);
		assert_int_equal(c[1].packets + c[2].packets, n);
		assert_true(c[1].packets > 0 && c[1].due == c[1].packets);
		assert_true(c[2].due >= c[2].packets && c[2].due > 100);
		order.start_tsc = tsc_read();
		gen_start(g, &order);
		gen_count(g, 1, &c[1]);
		assert_int_equal(c[1].packets, 0);
	}
	gen_count(g, 99, &c[0]);
	assert_int_equal(c[0].packets, 0);
	gen_destroy(g);
	gw_free(&w);
}

static void line_rate_unknown(void **state)
{
	uint16_t lens[] = {60};
	struct gen_conf conf = {.lcores = 1, .pool = pool, .mac = (const uint8_t *)"\2\0\0\0\0\1"};
	struct gen_world w;
	struct err err = {""};
	struct blob_stream *s;

	gw_init(&w);
	s = gw_udp4(&w, lens, 1, false);
	s->rate_kind = BLOB_RATE_LINE;
	s->rate = 500000;
	assert_int_equal(gw_open(&w, &err), 0);
	conf.blob = &w.blob;
	assert_null(gen_create(&conf, &err));
	assert_non_null(strstr(err.text, "line: 10G"));
	gw_free(&w);
}

static void no_buffers(void **state)
{
	uint16_t lens[] = {60, 5000};
	struct gen_order order = {.start_tsc = tsc_read(), .count = 10};
	static struct mbuf *taken[4096];
	uint8_t f[GRAPH_BURST * 64];
	struct gen_world w;
	struct gen_pace p;
	struct gen_count c;
	struct gen *g;

	gw_init(&w);
	gw_udp4(&w, lens, 1, false);
	g = start(&w, &order);
	assert_int_equal(mempool_get_bulk(pool, taken, 4096), 0);
	assert_int_equal(burst(g, GRAPH_BURST, f, 64), 0);
	gen_pace(g, &p);
	assert_int_equal(p.nombuf, 1);
	mempool_put_bulk(pool, taken, 4096);
	assert_int_equal(burst(g, GRAPH_BURST, f, 64), 10);
	gen_count(g, 0, &c);
	assert_int_equal(c.packets, 10);
	gen_destroy(g);
	gw_free(&w);
}

// Several streams are due, and those first take all there is room for: the others go next time, and nothing is
// written behind what was asked for.
static void no_room(void **state)
{
	uint16_t lens[] = {60}, longs[] = {60, 5000};
	struct gen_order order = {.start_tsc = tsc_read(), .run = 1};
	struct mbuf *pkts[GRAPH_BURST + 1], *none = (struct mbuf *)(uintptr_t)1;
	unsigned seen[4] = {0};
	struct gen_world w;
	struct gen *g;

	gw_init(&w);
	for (unsigned i = 0; i < 4; i++) {
		struct blob_stream *s = gw_udp4(&w, i == 3 ? longs : lens, i == 3 ? 2 : 1, false);

		s->rate_kind = BLOB_RATE_PPS;
		s->rate = 1; // one burst and no more
		s->burst = i ? 1 : 2 * GRAPH_BURST;
	}
	g = start(&w, &order);
	for (unsigned n = 0; n < 2 * GRAPH_BURST + 3;) {
		uint16_t got;

		pkts[GRAPH_BURST] = none;
		got = gen_burst(g, pkts, GRAPH_BURST);
		assert_true(got <= GRAPH_BURST);
		assert_ptr_equal(pkts[GRAPH_BURST], none);
		for (unsigned i = 0; i < got; i++) {
			uint8_t sig[SIG_LEN];

			assert_int_equal(mbuf_check(pkts[i]), 0);
			mbuf_copy_out(pkts[i], pkts[i]->pkt_len - SIG_LEN, sig, SIG_LEN);
			seen[get(sig + SIG_AT_STREAM, 2)]++;
			mbuf_free(pkts[i]);
		}
		n += got;
	}
	assert_int_equal(seen[0], 2 * GRAPH_BURST);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(seen[i], 1);
	gen_destroy(g);
	gw_free(&w);
}

// A trial is over when its time is, though streams would have their next packets much later.
static void ends_in_time(void **state)
{
	uint64_t hz = plat_tsc_hz(), from = tsc_read();
	struct gen_order order = {.start_tsc = from, .duration_ns = 1000000};
	uint16_t lens[] = {60};
	uint8_t f[GRAPH_BURST * 64];
	struct blob_stream *s;
	struct gen_world w;
	struct gen_count c;
	struct gen *g;

	gw_init(&w);
	for (unsigned i = 0; i < 3; i++) {
		s = gw_udp4(&w, lens, 1, false);
		s->rate_kind = BLOB_RATE_PPS;
		s->rate = 1;
		s->start_ns = i == 1 ? 3600 * NSEC_PER_SEC : 0;
		s->shape = i == 2 ? BLOB_SHAPE_ONOFF : BLOB_SHAPE_CONSTANT;
		s->on_us = 1;
		s->off_us = UINT32_MAX;
	}
	g = start(&w, &order);
	while (!gen_done(g) && tsc_read() - from < 10 * hz)
		burst(g, GRAPH_BURST, f, 64);
	assert_true(gen_done(g));
	for (unsigned i = 0; i < 3; i++) {
		gen_count(g, i, &c);
		assert_int_equal(c.packets, i != 1);
		assert_int_equal(c.due, i != 1);
	}
	gen_destroy(g);
	gw_free(&w);
}

// Streams that an order gives one rate do not send at the same moments: together they are never ahead of what one
// of the whole rate would have sent.
static void take_turns(void **state)
{
	enum { N = 50 };
	uint64_t rate[N], from = tsc_read(), hz = plat_tsc_hz(), sent = 0, due = 0;
	struct gen_order order = {.start_tsc = from, .rate = rate, .duration_ns = 20000000};
	uint16_t lens[] = {60};
	uint8_t f[GRAPH_BURST * 64];
	struct gen_world w;
	struct gen_count c;
	struct gen *g;

	gw_init(&w);
	for (unsigned i = 0; i < N; i++) {
		gw_udp4(&w, lens, 1, false);
		rate[i] = 100 * 1000;
	}
	g = start(&w, &order);
	while (!gen_done(g) && tsc_read() - from < 10 * hz) {
		sent += burst(g, GRAPH_BURST, f, 64);
		assert_true(sent <= (tsc_read() - from) * N * 100 / hz + 1);
	}
	assert_true(gen_done(g));
	for (unsigned i = 0; i < N; i++) {
		gen_count(g, i, &c);
		due += c.due;
	}
	assert_int_equal(due, N * 2); // 20 ms of 5,000 a second
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
		cmocka_unit_test(signature),
		cmocka_unit_test(counting_fields),
		cmocka_unit_test(six),
		cmocka_unit_test(rate),
		cmocka_unit_test(jumbo),
		cmocka_unit_test(lengths_by_weight),
		cmocka_unit_test(next_hops),
		cmocka_unit_test(shares_of_lcores),
		cmocka_unit_test(trials),
		cmocka_unit_test(line_rate_unknown),
		cmocka_unit_test(no_buffers),
		cmocka_unit_test(no_room),
		cmocka_unit_test(ends_in_time),
		cmocka_unit_test(take_turns),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
