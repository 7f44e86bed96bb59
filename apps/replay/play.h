// SPDX-License-Identifier: BSD-3-Clause
// play.h - the source of function replay: what is due now, by the TSC
#ifndef WEIR_APPS_REPLAY_PLAY_H
#define WEIR_APPS_REPLAY_PLAY_H

#include "apps/replay/replay.h"
#include "apps/replay/store.h"

#define PLAY_PORTS BLOB_PORTS_MAX

struct play {
	const struct blob_play *conf;
	struct mempool *pool; // of copies
	struct store store;   // not when streamed
	struct replay_feed *feed;
	const struct node *tx[PLAY_PORTS]; // transmit nodes it sends by
	unsigned ports;

	// What comes next: item[at] of n.
	struct store_item *item;
	uint64_t at, n;
	uint64_t loop;
	struct store_item window[GRAPH_BURST]; // of the feed

	uint64_t base;	// TSC of time 0 of this loop, at BLOB_SPEED_CAPTURED
	uint64_t scale; // cycles a ns, 32 bits of fraction
	unsigned __int128 next; // else: TSC of the next packet, 32 bits of fraction
	unsigned __int128 packet_cost, byte_cost; // the same of a packet, and of each of its bytes

	// Of the last burst: when its packets were due. Their errors are known when the turn is over.
	uint64_t due[GRAPH_BURST];
	unsigned n_due;
	uint64_t starved; // TSC when the feed was last found empty; 0: it was not
	struct mbuf *spare[GRAPH_BURST]; // buffers for copies
	unsigned spares;
	_Atomic uint64_t steps; // packets that may go, at BLOB_SPEED_STEP

	bool started, over;
	uint64_t start_tsc, end_tsc;
	uint64_t late_cycles, ns_scale; // 32 bits of fraction: ns a cycle
	struct hdr_pool *hdr_pool;
	struct hdr error;
	struct replay_count count;
};

void play_init(struct play *p, const struct blob_play *conf, uint64_t tsc_hz);
void play_start(struct play *p, uint64_t tsc); // time 0 is at tsc
uint16_t play_burst(void *play, struct mbuf **pkts, uint16_t n); // loop_source.burst
void play_end(struct play *p); // gives back every buffer

#endif
