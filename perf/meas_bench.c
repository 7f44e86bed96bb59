// SPDX-License-Identifier: BSD-3-Clause
// meas_bench.c - the receiving half of pktgen: cycles a signed packet, everything measured
//
// The node alone: bursts of 64 packets with their checksums, in order and with latencies that spread over a
// few thousand nanoseconds, are made beforehand; what is timed is finding and checking the signature, the
// stream's books and the histograms. `--once STREAMS LENGTH` runs many bursts and ends (callgrind).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/meas.h"
#include "apps/pktgen/sig.h"
#include "bench.h"
#include "core/clock.h"
#include "core/wire.h"
#include "mempool/csum.h"

#define BURST  64u
#define BURSTS 32u // of a round at most
#define BYTES  (256u << 10) // of its packets: in cache, as a port has just written them
#define WARM_UP 500u // rounds: distributions have their memory

struct bed {
	uint32_t streams;
	unsigned len, bursts;
	uint32_t flags;
	struct meas *m;
	struct node *node;
	uint32_t *seq;
	uint32_t stream;
	struct mbuf *pkts[BURST * BURSTS];
};

static struct clock bench_clock;

static void make(struct mbuf *m, const struct bed *b)
{
	static const uint8_t head[34] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0,
					 192, 0, 2, 1, 198, 51, 100, 2};
	uint8_t *p;

	mbuf_reset(m);
	p = mbuf_append(m, (uint16_t)b->len);
	memset(p, 0, b->len);
	memcpy(p, head, sizeof(head));
	store16(p + 16, be16(b->len - 14));
	store32(p + 34, be32(1234u << 16 | 5678));
	store16(p + 38, be16(b->len - 34));
}

static void sign(struct mbuf *m, uint32_t stream, uint32_t seq, uint64_t ns)
{
	uint8_t *p = m->data, *sig = p + m->len - SIG_LEN;

	store16(sig, be16(SIG_MAGIC));
	store16(sig + SIG_AT_RUN, be16(1));
	store16(sig + SIG_AT_STREAM, be16(stream));
	store32(sig + SIG_AT_SEQ, be32(seq));
	store64(sig + SIG_AT_TIME, __builtin_bswap64(ns));
	store16(p + 40, 0);
	store16(p + 40, (uint16_t)~csum_fold(csum_add(be16(17) + be16(m->len - 34), p + 26, m->len - 26u)));
}

static void prepare(struct bed *b)
{
	static uint64_t random = 1;
	uint64_t now = clock_tsc_to_ns(&bench_clock, tsc_read() - bench_clock.tsc_start);

	for (unsigned i = 0; i < BURST * b->bursts; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		sign(b->pkts[i], b->stream, b->seq[b->stream]++, now - 3000 - (random >> 52));
		b->pkts[i]->flags = b->flags;
		if (++b->stream == b->streams)
			b->stream = 0;
	}
}

static void run(void *arg, struct bench_round *r)
{
	struct bed *b = arg;
	uint8_t next[BURST];
	uint64_t from;

	prepare(b);
	from = tsc_read();
	for (unsigned i = 0; i < b->bursts; i++)
		b->node->process(b->node, b->pkts + i * BURST, next, BURST);
	r->cycles = tsc_read() - from;
	r->packets = BURST * b->bursts;
}

static struct bed *bed(struct mempool *pool, uint32_t streams, unsigned len, uint32_t flags)
{
	static const uint16_t sizes[] = {60, 124, 252, 508, 1020, 1276, 1514};
	struct meas_conf conf = {.streams = streams, .sizes = sizes, .n_sizes = 7, .ports = 1};
	struct bed *b = calloc(1, sizeof(*b));
	struct graph *g;
	struct err err;

	*b = (struct bed){.streams = streams, .len = len, .flags = flags, .seq = calloc(streams, sizeof(*b->seq))};
	b->bursts = BYTES / BURST / (len + 64) < BURSTS ? BYTES / BURST / (len + 64) : BURSTS;
	g = graph_create(&bench_clock, &err);
	b->m = meas_create(&conf, &err);
	b->node = meas_node_add(g, b->m, 0, "pktgen-rx-a", &err);
	meas_start(b->m, 1, bench_clock.tsc_start, 0);
	for (unsigned i = 0; i < BURST * b->bursts; i++) {
		b->pkts[i] = mbuf_alloc(pool);
		make(b->pkts[i], b);
	}
	return b;
}

static void done(struct bed *b, uint64_t *packets)
{
	*packets = meas_packets(b->m);
	for (unsigned i = 0; i < BURST * b->bursts; i++)
		mbuf_free(b->pkts[i]);
	meas_destroy(b->m);
	free(b->seq);
	free(b);
}

struct kind {
	const char *name;
	uint32_t streams;
	unsigned len;
	uint32_t flags;
};

static const struct kind kinds[] = {
	{"signed 64-byte packets of 1 stream", 1, 60, 0},
	{"of 4 streams", 4, 60, 0},
	{"of 4 streams, verified by the port", 4, 60, MBUF_RX_L4_OK},
	{"of 100 streams", 100, 60, 0},
	{"of 10,000 streams", 10000, 60, 0},
	{"1,518-byte packets of 4 streams", 4, 1514, 0},
};

static int once(struct mempool *pool, char **argv)
{
	struct bed *b = bed(pool, (uint32_t)atoi(argv[0]), (unsigned)atoi(argv[1]), 0);
	struct bench_round r;
	uint64_t packets;

	for (unsigned i = 0; i < 20; i++)
		run(b, &r);
	done(b, &packets);
	printf("%llu packets\n", (unsigned long long)packets);
	return 0;
}

int main(int argc, char **argv)
{
	struct mempool_conf conf = {.name = "bench", .count = 4096, .lcores = 1};
	struct err err;
	struct mempool *pool = mempool_create(&conf, &err);
	uint64_t packets;

	if (!pool) {
		fprintf(stderr, "meas_bench: %s\n", err.text);
		return 2;
	}
	clock_init(&bench_clock, CLOCK_REAL);
	if (argc == 4 && !strcmp(argv[1], "--once"))
		return once(pool, argv + 2);
	bench_start(argc, argv, "meas: receiving signed packets, the node alone", "pkt");
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct bed *b = bed(pool, kinds[i].streams, kinds[i].len, kinds[i].flags);
		struct bench_side side = {"weir", run, b};

		for (unsigned k = 0; k < WARM_UP; k++) {
			struct bench_round r;

			run(b, &r);
		}
		bench_compare(kinds[i].name, &side, 1);
		done(b, &packets);
		if (!packets) {
			fprintf(stderr, "meas_bench: no packet was counted\n");
			return 1;
		}
	}
	return bench_end();
}
