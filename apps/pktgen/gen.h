// SPDX-License-Identifier: BSD-3-Clause
// gen.h - the sending half of pktgen: streams of a blob made into packets, in their time
//
// A struct gen is one lcore's and one port's: the streams of that port which this lcore sends (stream i of the
// blob is lcore i mod lcores'). gen_burst() is a loop's source: it makes what is due by the TSC. It looks at
// the transmit node's backlog and makes nothing a port does not take, so that nothing is dropped here: what
// should have been sent by now is late (gen_pace), or never goes.
#ifndef WEIR_APPS_PKTGEN_GEN_H
#define WEIR_APPS_PKTGEN_GEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/blob.h"
#include "core/err.h"
#include "core/graph.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

struct gen;

struct gen_conf {
	const struct blob *blob;
	uint16_t port;
	unsigned lcore, lcores;
	struct mempool *pool;
	const struct node *tx;	 // transmit node of the port on this lcore, whose backlog counts (NULL: none)
	const uint8_t *mac;	 // of the port
	uint64_t line_bps;	 // L1 bit/s of the port, for BLOB_RATE_LINE; 0: unknown
};

// What a trial sends instead of what the streams say.
struct gen_order {
	uint64_t start_tsc;   // when time 0 of the streams is
	uint64_t epoch_ns;    // what signatures say of that moment
	uint16_t run;	      // what they say of the trial
	uint64_t duration_ns; // 0: as the streams say
	uint64_t count;	      // packets a stream; 0: as the streams say
	const uint64_t *rate; // of stream i of the blob: thousandths of a packet a second; 0: it is silent;
			      // UINT64_MAX: top. NULL: as the streams say. Read by gen_start() alone
			      // Those with a rate take turns: of n of one rate, each begins 1/n of its period later
	uint32_t burst;	      // 0: as the streams say
};

struct gen_count { // of a stream
	uint64_t packets, bytes; // sent; bytes without FCS
	uint64_t due;		 // packets that its rate had asked for by now, at most its count
};

struct gen_pace { // of a struct gen: how well packets left at their time
	uint64_t late_ns_max, late_ns_sum, late_packets; // behind their time by over a burst's making
	uint64_t blocked; // calls at which the port took nothing more
	uint64_t nombuf;  // at which the pool had no buffer
	// Packets by the time since the stream's packet before, against what it should have been: below 1/8 of
	// it (back to back though not asked to be), within 1/8 .. 7/8, 7/8 .. 9/8 (on time), above.
	uint64_t gap[4];
};

// NULL and err. A gen without a stream is fine, and sends nothing.
struct gen *gen_create(const struct gen_conf *conf, struct err *err);
void gen_destroy(struct gen *g);

// --- by its lcore, between turns ---

void gen_start(struct gen *g, const struct gen_order *order); // counters begin at 0
void gen_stop(struct gen *g);
bool gen_done(const struct gen *g); // everything that was ordered has been sent, or is too late for duration_ns
// Frames of streams that go to this next hop of the port go to mac from now on. Before that they wait.
void gen_resolved(struct gen *g, uint8_t family, const uint8_t via[16], const uint8_t mac[6]);
// The next hops that streams still wait for, one a call; *at is 0 at first. False: no more.
bool gen_unresolved(const struct gen *g, uint32_t *at, uint8_t *family, uint8_t via[16]);

uint16_t gen_burst(void *g, struct mbuf **pkts, uint16_t n); // loop_source.burst

// --- counters: from lcore 0, while it sends too (each is read as a whole, not all of one moment) ---

void gen_count(const struct gen *g, uint32_t stream, struct gen_count *c); // zeros when it is not g's
void gen_pace(const struct gen *g, struct gen_pace *p);

#endif
