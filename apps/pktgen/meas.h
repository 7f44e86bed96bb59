// SPDX-License-Identifier: BSD-3-Clause
// meas.h - the receiving half of pktgen: what became of signed packets
//
// A struct meas is one lcore's. Its node "pktgen-rx-PORT" looks at what a port received: signed packets are counted
// and consumed; what else there is leaves by edge "stack" (ARP, ND, ping: whatever the station answers) if it is
// for this station, and is consumed and counted as foreign if not. A stream's packets may come in
// at any port and any lcore; what lcores saw is added up.
#ifndef WEIR_APPS_PKTGEN_MEAS_H
#define WEIR_APPS_PKTGEN_MEAS_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/pktgen/hdr.h"
#include "core/err.h"
#include "core/graph.h"

struct meas;

#define MEAS_SIZES_MAX 16u // lengths of which latency is kept apart; all others together

struct meas_conf {
	uint32_t streams; // numbers 0 to streams - 1 are ours
	const uint16_t *sizes; // lengths (as received, without FCS) kept apart, ascending; copied
	uint32_t n_sizes;
	uint16_t ports;
	uint32_t memory; // bytes for histograms of streams; 0: 64 MiB. Those of all and of sizes have their own
	// Whether a frame that is not signed may be for this station.
	bool (*station)(void *arg, uint16_t port, const struct mbuf *m);
	void *station_arg;
};

struct meas_result { // of a stream, or of all
	uint64_t packets, bytes; // that came, each once; bytes without FCS
	uint64_t duplicate;	 // RFC 5560: came before
	uint64_t reordered;	 // RFC 4737, 3.3: behind one sent later
	uint64_t reorder_extent_max, reorder_extent_sum; // 4.2.1: how many came between, in packets
	uint64_t reorder_late_max_ns; // 4.2.2: late time offset
	uint64_t reorder_unmeasured;  // of reordered: extent and offset are not known (too many gaps since)
	uint64_t late;		 // of this trial, but came so far behind that it cannot be told from a duplicate
	uint64_t corrupt;	 // signed, and a checksum over it is wrong; or its numbers cannot be. Of the stream
				 // that it names, if there is one; of all in any case
	uint64_t first_ns, last_ns; // when the first and the last came, on the signatures' clock
	uint64_t negative;	 // came before they were sent: clocks of two machines; not in latency
	uint64_t jitter_ns;	 // RFC 3550, 6.4.1: the mean of lcores and streams, by packets
	struct hdr latency;	 // ns, one way; above HDR_MAX counts as that
	struct hdr ipdv;	 // RFC 5481, 4.1: |difference of the latencies of packets next to each other|, ns
	// RFC 5481's PDV, 4.2, is latency - its minimum: meas_pdv()
};

struct meas_foreign { // what is no packet of this trial, by port
	uint64_t stragglers; // of another run
	uint64_t foreign;    // not signed, not for this station
	uint64_t stack;	     // not signed, for this station: handed on
	uint64_t bad_stream; // signed, and no stream of ours
};

struct meas *meas_create(const struct meas_conf *conf, struct err *err);
void meas_destroy(struct meas *m);

// Adds node pktgen-rx-PORT for port number `port`; connect its edge "stack". NULL and err.
struct node *meas_node_add(struct graph *g, struct meas *m, uint16_t port, const char *name, struct err *err);

// Its lcore, between turns: a new trial. clock_tsc and clock_ns: what the signatures' clock says at that TSC value.
void meas_start(struct meas *m, uint16_t run, uint64_t clock_tsc, uint64_t clock_ns);

// From lcore 0, at any time (while packets come: each figure as it is then). r is initialized by the
// caller, its histograms by hdr_init(); what m has is added. stream UINT32_MAX: all.
void meas_result(const struct meas *m, uint32_t stream, struct meas_result *r);
void meas_size(const struct meas *m, uint32_t size, struct hdr *latency); // n_sizes: the others
void meas_foreign(const struct meas *m, uint16_t port, struct meas_foreign *f);
uint64_t meas_packets(const struct meas *m); // of all streams, quickly

// The value of RFC 5481's PDV at share, ns.
uint64_t meas_pdv(const struct meas_result *r, double share);

#endif
