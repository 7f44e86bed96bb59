// SPDX-License-Identifier: BSD-3-Clause
// bench.h - benchmarks by the book: trials, whether they count, and searches over them
//
// Everything here works on a trial function: the rig of `weir bench` (bench_rig.h), or a simulated device in the tests.
// Words are those of RFC 2544, RFC 2285, RFC 1242 and RFC 9971 (MLRsearch, draft-ietf-bmwg-mlrsearch-15).
// A load is frames a second in all directions together; frame sizes include the FCS.
#ifndef WEIR_APPS_TOOL_BENCH_H
#define WEIR_APPS_TOOL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/blob.h"
#include "core/err.h"

// --- trials ---

struct bench_order { // what is to be tried
	uint16_t size;	   // of frames, with FCS
	double pps;	   // intended load
	double duration_s; // of sending
	uint64_t count;	   // frames in all, as one burst at pps; 0: by duration_s
	double settle_s;   // the device's time to deliver what it holds
	bool top;	   // as fast as the ports take it: pps does not matter
	bool ccdf;	   // the distribution of latency is wanted too
	const char *purpose; // "search", "final", "repetition 3"; kept by the caller
};

struct bench_dist { // ns
	uint64_t count;
	double min, mean, max, deviation, p50, p90, p99, p99_9, p99_99, p99_999;
};

struct bench_point {
	uint64_t ns;
	double above; // share of frames that took longer
};

struct bench_way { // what one port sent, and what of it came in anywhere
	const char *port;
	uint64_t sent, received;
};

struct bench_noise { // of the host while the trial ran
	uint64_t gaps, lost_us, worst_us; // turns of the loop that took too long (core/noise.h)
	uint64_t steal_us;		  // the hypervisor ran something else
	uint64_t run_delay_us;		  // our threads (the device's too, where it is a process here) waited for a CPU
};

struct bench_trial {
	struct bench_order order;
	uint64_t intended, sent, received;
	uint64_t duplicate, reordered, late, corrupt, stragglers, foreign;
	struct bench_dist latency, pdv, ipdv;
	struct bench_point *ccdf; // bench_trial_free() frees it
	size_t n_ccdf;
	struct bench_way way[BLOB_PORTS_MAX];
	unsigned ways;
	struct bench_noise noise;
	uint64_t late_ns_max, blocked, nombuf; // how the generator kept its pace
	double sending_s;		       // how long it sent
	// By bench_judge():
	uint64_t refused; // frames that were due, but that the device's port did not take in time
	uint64_t lost;	  // sent - received, and those refused
	double loss_ratio;
	bool valid;
	char why[160]; // it is not valid
};

void bench_trial_free(struct bench_trial *t);

// Runs one trial and fills t (all but what bench_judge() does). 0, or -errno and err: the benchmark cannot go on.
typedef int (*bench_trial_fn)(void *arg, const struct bench_order *order, struct bench_trial *t, struct err *err);

struct bench_limits { // what makes a trial invalid
	double pace;	     // share of intended frames that may be missing by the generator's own fault
	double interference; // share of the trial's time that the host may have taken away
};

// Sets lost, loss_ratio, valid and why.
void bench_judge(struct bench_trial *t, const struct bench_limits *limits);

struct bench { // who tries, and who is told
	bench_trial_fn trial;
	void *arg;
	struct bench_limits limits;
	unsigned tries; // of one load, until one is valid
	// Optional: every trial, valid or not, when it is over.
	void (*record)(void *arg, const struct bench_trial *t);
	// Optional: what is known so far, for the reader.
	void (*progress)(void *arg, const char *text);
	void *record_arg;
	uint64_t trials, invalid;
};

// A trial that is valid, after up to b->tries that were not. -EAGAIN and err: there was none.
int bench_try(struct bench *b, const struct bench_order *order, struct bench_trial *t, struct err *err);

void bench_say(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// --- searches for the border between pass and fail ---

typedef int (*bench_ask_fn)(void *arg, double x, bool *pass, struct err *err);

struct bench_range {
	double min, max; // min > 0
	double width;	 // between a pass and a fail the search ends: so much, or
	bool relative;	 // this share of the fail
	double hint;	 // where to begin; 0: at max, as RFC 2544 does
	bool whole;	 // whole numbers alone
};

struct bench_bounds {
	double lower, upper; // the highest that passed, the lowest that failed
	bool has_lower, has_upper;
};

// Binary search. 0; or what ask() said, with the bounds that are known.
int bench_bisect(const struct bench_range *r, bench_ask_fn ask, void *arg, struct bench_bounds *b, struct err *err);

// ETSI GS NFV-TST 009, 12.3.3: a lossy trial is repeated, `r` trials at most, unless it lost more than z frames.
struct bench_verify {
	unsigned r; // 1: no verification
	uint64_t z;
	double loss_ratio; // a trial with at most this passes
};

// Asks for the verdict on an order as bench_verify says. The last trial is left in t.
int bench_verified(struct bench *b, const struct bench_order *order, const struct bench_verify *v, bool *pass,
		   struct bench_trial *t, struct err *err);

// --- MLRsearch ---

struct mlr_goal { // RFC 9971: Search Goal
	double loss_ratio;
	double exceed_ratio;   // below 1
	double final_duration; // s: of a full-length trial
	double duration_sum;   // s
	double width;	       // relative
	double initial_duration; // s: of the first, short trials
};

enum mlr_class { MLR_UNDECIDED, MLR_LOWER, MLR_UPPER };

struct mlr_trial {
	double duration, loss_ratio;
};

// Load Classification (RFC 9971, appendix A) of the trials at one load.
enum mlr_class mlr_classify(const struct mlr_goal *g, const struct mlr_trial *t, size_t n);
// Conditional Throughput (appendix B) at that load.
double mlr_conditional(const struct mlr_goal *g, double load, const struct mlr_trial *t, size_t n);

struct mlr_result {		    // of a goal
	struct bench_bounds bounds; // the relevant ones
	double throughput;	    // conditional; 0 without a lower bound
	double width;		    // relative, between the bounds; 0: at the limits of the search
};

#define MLR_GOALS_MAX 8u

struct mlr_conf {
	struct mlr_goal goal[MLR_GOALS_MAX];
	unsigned goals;
	double min, max;
	uint16_t size;
	double settle_s;
};

// 0, or -errno with what is known.
int mlr_search(struct bench *b, const struct mlr_conf *c, struct mlr_result *result, struct err *err);

// --- statistics ---

double stat_mean(const double *v, size_t n);
double stat_deviation(const double *v, size_t n); // of a sample (n - 1); 0 for fewer than two
// The least value with at least share of all at or below it. Sorts v.
double stat_quantile(double *v, size_t n, double share);
// What a value of Student's t with df degrees of freedom exceeds in one of 20 cases, either way.
double stat_t95(double df);

#endif
