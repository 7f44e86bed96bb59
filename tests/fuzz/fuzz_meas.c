// SPDX-License-Identifier: BSD-3-Clause
// fuzz_meas.c - any frames through impair and the receiving half of pktgen
//
// Input: a struct blob_impair's shares and gap, the size of segments; then frames, each with flags, length and what its
// signature shall say, so that many are signed. Every packet ends, every buffer comes back, and figures agree.
#include <stdlib.h>
#include <string.h>

#include "apps/impair/impair.h"
#include "apps/pktgen/meas.h"
#include "apps/pktgen/sig.h"
#include "core/wire.h"

#define STREAMS 3u

static struct mempool *pool;
static struct hdr_pool *copies;
static struct meas *m; // its memory is much: made once
static struct clock now_clock;

static const struct node_def sink_def = {.name = "sink"};

struct input {
	const uint8_t *p;
	size_t n;
};

static uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t v = 0;

	for (; bytes && in->n; bytes--, in->n--)
		v = v << 8 | *in->p++;
	return v;
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void sink_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	node_all(node, NEXT_CONSUMED);
}

static bool odd_port(void *arg, uint16_t port, const struct mbuf *m)
{
	return m->data[0] & 1;
}

// In segments of `seg` bytes.
static struct mbuf *frame(struct input *in, unsigned seg)
{
	uint32_t flags = take(in, 1), len = 14 + take(in, 1) * (flags & 0x80 ? 8 : 1), n, at;
	struct mbuf *first = NULL, **link = &first, *m;
	uint8_t bytes[14 + 255 * 8] = {0};

	n = len < in->n ? len : (uint32_t)in->n;
	memcpy(bytes, in->p, n);
	in->p += n;
	in->n -= n;
	if (flags & 1 && len >= SIG_LEN) {
		store16(bytes + len - SIG_LEN, be16(SIG_MAGIC));
		store16(bytes + len - SIG_LEN + SIG_AT_RUN, be16(1));
		bytes[len - SIG_LEN + SIG_AT_STREAM] = 0;
	}
	for (at = 0; at < len; at += n) {
		m = mbuf_alloc(pool);
		if (!m)
			break;
		n = seg < len - at ? seg : len - at;
		memcpy(mbuf_append(m, (uint16_t)n), bytes + at, n);
		*link = m;
		link = &m->next;
		if (m != first) {
			first->nsegs++;
			first->pkt_len += n;
		}
	}
	if (first)
		first->flags = flags & 0x06; // MBUF_RX_L4_OK among them
	return first;
}

static void count(void *arg, uint64_t low, uint64_t high, uint64_t n)
{
	*(uint64_t *)arg += n;
}

static void agree(void)
{
	struct meas_result r = {0};
	uint64_t placed = 0, one = 0;

	hdr_pool_reset(copies);
	hdr_init(&r.latency, copies);
	hdr_init(&r.ipdv, copies);
	meas_result(m, UINT32_MAX, &r);
	require(r.packets == meas_packets(m));
	require(r.latency.count + r.negative == r.packets);
	require(r.ipdv.count <= r.packets && r.reordered <= r.packets);
	hdr_each(&r.latency, count, &placed);
	require(placed + r.latency.unplaced == r.latency.count);
	for (uint32_t i = 0; i < STREAMS; i++) {
		struct meas_result s = {0};

		hdr_pool_reset(copies);
		hdr_init(&s.latency, copies);
		hdr_init(&s.ipdv, copies);
		meas_result(m, i, &s);
		one += s.packets;
	}
	require(one == r.packets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct meas_conf mc = {.streams = STREAMS, .ports = 1, .memory = 1 << 20, .station = odd_port};
	struct node_def sink = sink_def;
	struct blob_impair conf = {.gap = 1};
	struct graph_books books;
	struct err err;
	struct graph *g;
	struct impair *p;
	struct node *rx, *end;
	unsigned seg;

	if (!pool) {
		struct mempool_conf pc = {.name = "fuzz", .count = 2048, .data_room = 2048, .lcores = 1};

		pool = mempool_create(&pc, &err);
		copies = hdr_pool_create(128);
		m = meas_create(&mc, &err);
	}
	sink.process = sink_process;
	conf.flags = take(&in, 1) & BLOB_IMPAIR_FLAGS;
	conf.loss = take(&in, 1);
	conf.corrupt = take(&in, 1);
	conf.reorder = take(&in, 1);
	conf.duplicate = take(&in, 1);
	conf.gap += take(&in, 1);
	conf.delay_ns = take(&in, 1);
	conf.packets = take(&in, 1);
	seg = 1 + take(&in, 1) * 8;
	now_clock = (struct clock){.kind = CLOCK_CAPTURE};
	g = graph_create(&now_clock, &err);
	p = impair_add(g, "impair-a", &conf, CLOCK_CAPTURE, &err);
	rx = meas_node_add(g, m, 0, "pktgen-rx-b", &err);
	end = graph_add(g, &sink, "sink", NULL, &err);
	require(p && rx && end && !node_connect(rx, "stack", end, &err) && !node_connect(p->node, "out", rx, &err));
	meas_start(m, 1, tsc_read(), 1ull << 40);
	graph_housekeep(g, 0);
	while (in.n) {
		struct mbuf *pkt = frame(&in, seg < 9 ? 9 : seg);

		if (!pkt)
			break;
		require(!mbuf_check(pkt));
		graph_rx(g, p->node, &pkt, 1);
		now_clock.now += 100;
		graph_housekeep(g, now_clock.now);
	}
	agree();
	graph_books(g, &books);
	require(graph_balanced(&books));
	graph_destroy(g);
	require(mempool_available(pool) == mempool_count(pool));
	return 0;
}
