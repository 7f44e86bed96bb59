// SPDX-License-Identifier: BSD-3-Clause
// meas_priv.h - what the files of meas share: streams as one lcore sees them, and the search for signatures
//
// One lcore writes, lcore 0 reads meanwhile: every figure is written whole (HDR_SET) and read whole.
#ifndef WEIR_APPS_PKTGEN_MEAS_PRIV_H
#define WEIR_APPS_PKTGEN_MEAS_PRIV_H

#include <assert.h>

#include "apps/pktgen/meas.h"
#include "apps/pktgen/sig.h"
#include "core/clock.h"
#include "core/lcore.h"
#include "core/wire.h"
#include "mempool/mbuf.h"

#define MEAS_PORTS_MAX 64u
#define MEAS_GAPS      65536u // remembered, of all streams: a power of two
#define MEAS_BLOCKS    64u    // of 64 packets, before the current block: what duplicates are looked for in

// Adds n to a figure that others read.
#define MEAS_ADD(x, n) HDR_SET(x, (x) + (n))

struct meas_stream {
	// Touched by every packet.
	uint64_t next;	  // the sequence number expected: one above the highest that came (RFC 4737, 3.3)
	uint64_t block;	  // bit k: of the block of 64 that the highest is in, number k has come
	int64_t transit;  // of the packet that came last, and
	int64_t top;	  // of the one with the highest number
	uint64_t packets, bytes;
	uint64_t jitter;  // 16 times, ns (RFC 3550, A.8)
	uint64_t last_ns;
	struct hdr latency, ipdv;
	uint64_t first_ns;
	uint64_t duplicate, late, corrupt, negative;
	uint64_t reordered, unmeasured, extent_max, extent_sum, late_max_ns;
	uint64_t gap; // the last gap in its numbers: 1 + of all gaps; 0: none
	uint64_t came[MEAS_BLOCKS]; // blocks before that of the highest: number of the block modulo MEAS_BLOCKS
} cache_aligned;

// Numbers start to start + … were jumped over by the packet that came as number `arrival` of its stream, at
// now: any of them that comes later is reordered, and this packet was the first to overtake it.
struct meas_gap {
	uint64_t before; // the stream's gap before, as meas_stream.gap
	uint64_t arrival, now;
	uint64_t start;
};

struct meas_port {
	struct meas *m;
	uint16_t port;
	struct meas_foreign foreign;
} cache_aligned;

struct meas {
	struct meas_conf conf;
	struct clock clock; // its rate
	uint64_t clock_tsc, clock_ns;
	uint16_t run;
	bool started;
	struct hdr_pool *totals, *pool; // of the histograms of lengths and of all; of streams
	struct meas_stream *stream;	// conf.streams, and one for packets of streams that are not told
	uint8_t *size_of;		// of each length: which of sizes
	struct hdr size[MEAS_SIZES_MAX + 1]; // latency of each length, and of all others: together, of all
	struct hdr ipdv; // of all
	uint64_t packets;
	struct meas_gap *gap;
	uint64_t gaps; // there ever were
	struct meas_port port[MEAS_PORTS_MAX];
	uint16_t sizes[MEAS_SIZES_MAX];
};

enum meas_sum {
	MEAS_GOOD,	// a checksum over the signature says so
	MEAS_UNCHECKED, // there is none: not IP, a fragment, UDP without
	MEAS_BAD,
};

// The signature of m, where it lies or in copy; NULL: it has none.
const uint8_t *meas_find(const struct mbuf *m, enum meas_sum *sum, uint8_t copy[SIG_LEN]);

#endif
