// SPDX-License-Identifier: BSD-3-Clause
// replay.h - function replay: packets of captures, sent each at its time
//
// What is sent is a struct blob_play. Its packets are in the blob, and then lie in buffers of their own before the
// first is sent (store.h), or a feed brings them. Lcore 0 sends them all.
#ifndef WEIR_APPS_REPLAY_REPLAY_H
#define WEIR_APPS_REPLAY_REPLAY_H

#include <stdatomic.h>

#include "apps/app.h"
#include "apps/pktgen/hdr.h"
#include "mempool/ring.h"

// Brings the packets of a play that is streamed: a thread of the host's. Each packet is an mbuf of the
// application's pool, its only owner the ring, with the port it leaves by in m->port and its time (ns after the first
// packet of the first loop, never below the one before) in m->scratch64[0].
struct replay_feed {
	// By app_start(): begins to fill the ring with packets of `pool`. 0 or -errno and err.
	int (*start)(struct replay_feed *f, struct mempool *pool, struct err *err);
	// By app_stop(): ends that. What is in the ring then is freed by the caller.
	void (*stop)(struct replay_feed *f);
	struct ring *ring; // of the producer, one; its consumer is lcore 0
	_Atomic bool ended; // nothing more comes
	_Atomic uint64_t loops; // that it has finished
};

// The feed of this home, set before app_start(); NULL: it has none, and plays only what is in the blob.
extern struct replay_feed *replay_feed;

struct replay_count {
	uint64_t packets, bytes; // handed to transmit nodes; bytes without FCS
	uint64_t loops;		 // finished
	uint64_t left;	  // packets of this loop still to come (not when streamed)
	uint64_t blocked; // polls at which a port took nothing more: packets were due, or might have been
	uint64_t nombuf;  // and at which there was no buffer for a copy
	uint64_t underruns; // times that packets were due and the feed had not brought them
	uint64_t late;	    // packets sent over REPLAY_LATE_NS behind their time
	uint64_t copied;
	uint64_t ns; // from the first packet's time to the end, or until now
};
#define REPLAY_LATE_NS 1000000u

// By lcore 0 between turns, or when no lcore runs.
void replay_count(const struct app *app, struct replay_count *c);
// How far behind its time each packet was when the driver had taken it, ns (an upper bound: measured at the
// beginning of the next turn). Empty at speeds that have no times. It lives as long as the function.
const struct hdr *replay_error(const struct app *app);
bool replay_over(const struct app *app);
bool replay_started(const struct app *app);

// BLOB_SPEED_STEP: n more packets may go.
void replay_step(struct app *app, uint64_t n);

// Packet memory that the records of a blob take beside the application's pool.
size_t replay_memory(const struct blob *b);

#endif
