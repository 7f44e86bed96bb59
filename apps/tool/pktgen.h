// SPDX-License-Identifier: BSD-3-Clause
// pktgen.h - what the parts of `weir pktgen` share
//
// The main thread is lcore 0 and sends. A second one, the observer, samples the trial's figures, shows them (a live
// view, lines of text, lines of JSON), listens to the keyboard, and ends the run.
#ifndef WEIR_APPS_TOOL_PKTGEN_H
#define WEIR_APPS_TOOL_PKTGEN_H

#include <stdatomic.h>
#include <stdio.h>

#include "apps/app.h"
#include "apps/pktgen/pktgen.h"

// --- figures of a moment (pktgen_sample.c) ---

struct spread { // of a histogram, ns
	uint64_t count, min, max, p50, p90, p99, p99_9, p99_99, p99_999;
	double mean, deviation;
};
void spread_of(struct spread *s, const struct hdr *h);
// Of the latencies of length number i, as pktgen_size() has them, by way of pool; which length: 0: the others.
uint16_t spread_of_size(struct spread *s, const struct app *app, uint32_t i, struct hdr_pool *pool);

struct row { // of a stream, or of all
	struct gen_count sent;
	uint64_t awaited; // of sent: what can be lost
	uint64_t received, received_bytes, lost;
	uint64_t duplicate, reordered, reorder_extent_max, late, corrupt, negative, unplaced;
	uint64_t jitter_ns;
	struct spread latency, ipdv;
	uint64_t pdv_p99_9; // RFC 5481, 4.2
};

struct sample_port {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	struct meas_foreign foreign;
};

struct sample_noise { // while the trial sent: what the host did to our lcores
	uint64_t gaps, lost_us, worst_us; // core/noise.h
	uint64_t run_delay_us;		  // our threads were ready, and others ran
	uint64_t steal_us;		  // the hypervisor ran others, all CPUs together
};

struct sample {
	enum pktgen_phase phase;
	uint64_t elapsed_ns, sending_ns;
	struct row total;
	struct hdr latency; // of all
	struct row *row;    // of streams first, first + 1 and so on
	uint32_t first, rows;
	struct gen_pace pace;
	struct sample_port port[BLOB_PORTS_MAX];
	struct sample_noise noise;
	struct hdr_pool *pool;
};

// With room for so many rows. NULL: no memory.
struct sample *sample_create(uint32_t rows);
void sample_destroy(struct sample *s);
// Reads everything anew, rows of the streams from `first` on.
void sample_take(struct sample *s, const struct app *app, uint32_t first);
// By the observer: the noise from now on counts, when sending begins, and not any longer, when it ends.
void sample_noise_begin(const struct app *app);
void sample_noise_end(const struct app *app);
// Of so many packets and bytes sent or received between two samples, a second.
double per_second(uint64_t now, uint64_t before, uint64_t now_ns, uint64_t before_ns);

// --- the run ---

struct pktgen_options {
	const char *title; // FILE, or what was asked for
	uint64_t interval_ns;
	uint64_t duration_ns, count; // 0: as the streams say
	double max_loss;      // share; below 0: none was given
	bool json, plain, all_streams;
};

struct observer {
	struct app *app;
	const struct pktgen_options *options;
	struct sample *now, *before; // before: of the interval's beginning; NULL at first
	struct spread latency;	     // of what came between them
	uint32_t first;		     // stream that the view begins with
	_Atomic bool asked_to_stop; // by a key or a signal
	_Atomic bool asked_twice;
};

// The observer's thread: arg is the struct observer, filled but for what is zero at first. Ends the run when the trial
// is over, and frees the samples (pktgen_observe.c).
void *pktgen_observe(void *arg);

static inline double loss(const struct row *r)
{
	return r->awaited ? (double)r->lost / (double)r->awaited : 0;
}

// Bits on the wire of so many packets and bytes (without FCS): with preamble, FCS and gap; with FCS.
static inline uint64_t bits_l1(uint64_t packets, uint64_t bytes)
{
	return 8 * (bytes + 24 * packets);
}

static inline uint64_t bits_l2(uint64_t packets, uint64_t bytes)
{
	return 8 * (bytes + 4 * packets);
}

// What is about to be sent, for people (pktgen_intro.c): before next hops are known.
void intro_print(const struct app *app, const struct pktgen_options *o, FILE *out);
void intro_hops(const struct app *app, FILE *out); // when they are

// The live view (pktgen_view.c). view_open: false when the terminal cannot. It is closed, and the terminal as it was,
// by view_close(), at exit(), and by a signal that ends the process.
bool view_open(void);
void view_close(void);
void view_draw(const struct observer *o);
// Waits for keys for so long; obeys them.
void view_keys(struct observer *o, unsigned ms);

// One line an interval: for people (pktgen_lines.c), for machines (pktgen_json.c).
void lines_interval(const struct observer *o, FILE *out);
void json_interval(const struct observer *o, FILE *out);
void json_final(const struct app *app, const struct pktgen_options *o, const struct sample *s, FILE *out);

// The final report (pktgen_report.c), and what was not as it should be (pktgen_warn.c): at most WARNINGS_MAX lines.
// s has a row for each stream.
void report_print(const struct app *app, const struct pktgen_options *o, const struct sample *s, FILE *out);

#define WARNINGS_MAX 16u
struct warnings {
	char line[WARNINGS_MAX][512];
	unsigned n;
};
void warnings_find(struct warnings *w, const struct app *app, const struct sample *s);

// --- numbers for people (pktgen_text.c); in buf, which is returned ---

#define TEXT_MAX 32
const char *text_count(char buf[TEXT_MAX], uint64_t n);	      // 12,345,678
const char *text_fit(char buf[TEXT_MAX], uint64_t n, int width); // the one, or where it is too wide the other:
const char *text_short(char buf[TEXT_MAX], double n);	      // 12.3M: three digits
const char *text_us(char buf[TEXT_MAX], uint64_t ns);	      // 4.56 of microseconds: three digits, and more before the point
const char *text_time(char buf[TEXT_MAX], uint64_t ns);	      // 640 ns, 4.56 us, 12.3 ms, 1.20 s
const char *text_percent(char buf[TEXT_MAX], double share);   // 0.0012, 0, 100: never 0 of something, never 100 of not all

#endif
