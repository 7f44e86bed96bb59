// SPDX-License-Identifier: BSD-3-Clause
// pktgen.h - the function pktgen: trials of generated traffic and what came back, for those who run them
//
// A trial is ordered, and its figures are read, by one thread at a time: lcore 0 between its turns (app.tick), or
// any other thread while app_run() goes on: what takes time (adding up, printing) had better not be
// lcore 0's, which sends. What lcores have to do for a trial they do between turns of their own. The
// station part (ARP, ND, ping, next hops) is the router's netstack; nothing is forwarded.
#ifndef WEIR_APPS_PKTGEN_PKTGEN_H
#define WEIR_APPS_PKTGEN_PKTGEN_H

#include "apps/app.h"
#include "apps/pktgen/gen.h"
#include "apps/pktgen/meas.h"

enum pktgen_phase {
	PKTGEN_IDLE,	  // nothing was ordered
	PKTGEN_RESOLVING, // next hops have not answered yet, or devices learn: what counts is sent after that
	PKTGEN_SENDING,
	PKTGEN_DRAINING, // all is sent; what is under way may come
	PKTGEN_DONE,	 // the figures are final
};

struct pktgen_order {
	uint64_t duration_ns; // these as in struct gen_order
	uint64_t count;
	const uint64_t *rate; // copied
	uint32_t burst;
	uint64_t drain_ns;    // RFC 2544, 23: 2 s; DRAINING ends earlier when every packet has come
	uint64_t resolve_ns;  // how long next hops may take; 0: 10 s
	// Packets a stream, of another run, that are sent before time 0 and count nowhere, so that devices learn
	// where everybody is (RFC 2544, 23: learning frames); 0: none. It takes 0.2 to 0.6 s.
	uint64_t learn;
};

struct pktgen_stream { // of a trial
	struct gen_count sent;
	uint64_t awaited; // those of sent that are signed: nobody can tell what became of the others
	struct meas_result got;
};

static inline uint64_t pktgen_lost(const struct pktgen_stream *s)
{
	return s->awaited > s->got.packets ? s->awaited - s->got.packets : 0;
}

// Whether the image or process is to begin by itself what its configuration says: it does so unless this was
// called with false before app_run().
void pktgen_autostart(struct app *app, bool on);

// Begins a trial, at most a millisecond or two later; everything counts from 0. 0, or -EBUSY (a trial is under way) and err.
int pktgen_begin(struct app *app, const struct pktgen_order *order, struct err *err);
void pktgen_stop(struct app *app); // ends SENDING early
enum pktgen_phase pktgen_phase(const struct app *app);
// After RESOLVING failed the phase is DONE and this says which next hop did not answer. 0: it did not fail.
int pktgen_error(const struct app *app, struct err *err);

// Of the trial so far, or of the last. stream UINT32_MAX: all. s->got's histograms are initialized by the caller.
void pktgen_result(const struct app *app, uint32_t stream, struct pktgen_stream *s);
// Signed packets of all streams, quickly.
uint64_t pktgen_sent(const struct app *app);
uint64_t pktgen_received(const struct app *app);
void pktgen_size(const struct app *app, uint32_t size, uint16_t *len, struct hdr *latency); // of meas_conf's sizes; len 0: the others
uint32_t pktgen_sizes(const struct app *app); // how many, the others included
void pktgen_pace(const struct app *app, struct gen_pace *p);
void pktgen_foreign(const struct app *app, unsigned port, struct meas_foreign *f);
// ns since time 0 of the trial, 0 before it; and how long it has been sending, which is exact where the order had a
// duration and to a millisecond or two else.
uint64_t pktgen_elapsed_ns(const struct app *app);
uint64_t pktgen_sending_ns(const struct app *app);

// Bytes of histograms of an lcore's streams: a few streams in full, thousands as far as this goes.
static inline uint32_t pktgen_histograms(const struct blob *b)
{
	uint64_t bytes = (4u << 20) + b->n_streams * (64ull << 10);

	return bytes < 64u << 20 ? (uint32_t)bytes : 64u << 20;
}

// Bytes of memory for generators and meters of all lcores, about: what an image needs besides.
static inline uint64_t pktgen_memory(const struct blob *b)
{
	uint64_t lcores = b->params->lcores ? b->params->lcores : 1;

	return b->n_streams ? lcores * (pktgen_histograms(b) + (4u << 20) + b->n_streams * 4096ull) : 0;
}

// The next hops that streams need (whose MAC address must be known before anything is sent), each once.
struct pktgen_hop {
	uint16_t port;
	uint8_t family;
	bool known;
	uint8_t via[16];
	uint8_t mac[6]; // when known
};
uint32_t pktgen_hops(const struct app *app);
void pktgen_hop(const struct app *app, uint32_t i, struct pktgen_hop *hop);

// L1 bit/s of a port: what the configuration says, else its link; 0: unknown. Anyone, at any time.
uint64_t pktgen_line_bps(const struct app *app, unsigned port);

extern const struct function pktgen_function;

#endif
