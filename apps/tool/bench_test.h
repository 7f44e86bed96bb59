// SPDX-License-Identifier: BSD-3-Clause
// bench_test.h - the benchmarks: what is tried for each, and the result as JSON (docs/bench.md has the format)
#ifndef WEIR_APPS_TOOL_BENCH_TEST_H
#define WEIR_APPS_TOOL_BENCH_TEST_H

#include <jansson.h>

#include "apps/tool/bench.h"

enum bench_method { BENCH_BINARY, BENCH_MLR, BENCH_TST009, BENCH_METHODS };
extern const char *const bench_methods[BENCH_METHODS];

enum bench_kind {
	BENCH_THROUGHPUT, // in the order they run
	BENCH_LATENCY,
	BENCH_PDV,
	BENCH_FRAME_LOSS,
	BENCH_BACK_TO_BACK,
	BENCH_RECOVERY,
	BENCH_RESET,
	BENCH_KINDS
};
extern const char *const bench_kinds[BENCH_KINDS];

#define BENCH_SIZES_MAX 16u
#define BENCH_MIXES_MAX 8u

struct bench_plan { // a profile, and what the user changed of it
	char profile[16];
	unsigned kinds; // bit k: enum bench_kind k
	enum bench_method method;
	uint16_t size[BENCH_SIZES_MAX]; // with FCS, ascending
	unsigned sizes;
	unsigned mix[BENCH_MIXES_MAX]; // per cent of the load that is IPv6; none: as the streams say
	unsigned mixes;
	double duration_s, settle_s, pause_s; // of every trial; pause: before the next
	double latency_s, recovery_s;	      // of those trials
	double resolution; // of searches, share of the load
	double loss_ratio; // that throughput tolerates (binary, tst009)
	unsigned r;	   // tst009
	uint64_t z;
	struct mlr_goal goal[MLR_GOALS_MAX];
	unsigned goals;
	double latency_load; // share of the throughput
	double loss_step;    // share of the maximum
	double burst_s;	     // longest burst
	uint32_t burst_step; // frames
	double max_pps;	     // 0: the line's
	unsigned repeat[BENCH_KINDS];
	char *reset_command;
	struct bench_limits limits;
	unsigned tries;
};

// The profile of this name in p. False: there is none.
bool bench_profile(struct bench_plan *p, const char *name);
extern const char *const bench_profiles; // their names, for a message
// About how long it takes, s.
double bench_plan_seconds(const struct bench_plan *p);

// --- timelines: what rigs see of a stretch of time, a sample every few ms ---

struct bench_sample {
	double t; // s
	uint64_t sent, received;
};

// RFC 2544, 26.5: how long after samples[0] frames were still lost: sent - received no longer differs from its last
// value by more than what is under way (`slack` frames).
double bench_recovery_s(const struct bench_sample *s, size_t n, uint64_t slack);
// 26.6: the longest time in which nothing was received, between two times in which something was; 0: none. As exact
// as the samples are close.
double bench_gap_s(const struct bench_sample *s, size_t n);

struct bench_rig { // beside bench.trial, of the same arg
	// Frames a second that all ports that send can, with frames of this size; 0: unknown.
	double (*line_pps)(void *arg, uint16_t size);
	// "4", "6" or "mix": what the streams are.
	const char *(*ip)(void *arg);
	// From now on so much of the load, per cent, is IPv6. 0, or -EINVAL and err: there are no such streams.
	int (*mix)(void *arg, unsigned percent, struct err *err);
	// A trial of order's load for its duration, and of `then` frames/s for as long; seconds as bench_recovery_s().
	int (*recover)(void *arg, const struct bench_order *order, double then, struct bench_trial *t, double *seconds,
		       struct err *err);
	// Runs command in the middle of a trial that lasts until frames come again, order's duration at most.
	int (*reset)(void *arg, const struct bench_order *order, const char *command, struct bench_trial *t, double *seconds,
		     struct err *err);
};

struct bench_case { // one frame size and mix
	struct bench *b;
	const struct bench_rig *rig;
	const struct bench_plan *plan;
	uint16_t size;
	double line_pps;    // of all sending ports; 0: unknown
	double max_pps;	    // what is tried at most
	bool generator_max; // the generator can no more, although the line could
	double top_pps;	    // what came through when the generator sent as fast as it can: where searches begin
	// What is known of it:
	bool searched;
	double throughput; // 0: not any
	bool bounded;	   // it loses frames at a higher load
};

// Sets max_pps: the line's, the user's, or what the generator reaches: a short trial finds out.
int bench_case_max(struct bench_case *c, struct err *err);

// Each adds to result, an empty object. 0; -EAGAIN and err when trials were invalid for good: result then has what
// is known, "complete" false and "why"; another -errno: nothing more can be tried.
int bench_test(struct bench_case *c, enum bench_kind kind, json_t *result, struct err *err);
int bench_throughput(struct bench_case *c, json_t *result, struct err *err);
// pdv NULL or an object that gets PDV's result from the same trials.
int bench_latency(struct bench_case *c, json_t *result, json_t *pdv, struct err *err);
int bench_frame_loss(struct bench_case *c, json_t *result, struct err *err);
int bench_back_to_back(struct bench_case *c, json_t *result, struct err *err);
int bench_recovery(struct bench_case *c, json_t *result, struct err *err);
int bench_reset(struct bench_case *c, json_t *result, struct err *err);

// --- JSON ---

json_t *bench_trial_json(const struct bench_trial *t);
json_t *bench_dist_json(const struct bench_dist *d);
json_t *bench_numbers_json(const double *v, size_t n);
void bench_set(json_t *o, const char *key, double v); // a whole number stays one

struct bench_book { // the file of results, written anew after every trial
	const char *path;
	json_t *root, *test; // the test under way
	bool failed;	     // could not be written; err says why
	struct err err;
};

json_t *bench_book_test(struct bench_book *k, const char *test, const char *method, uint16_t size, const char *ip);
void bench_book_trial(struct bench_book *k, const struct bench_trial *t);
int bench_book_write(struct bench_book *k);

// --- all of it ---

struct bench_run {
	struct bench b; // trial, arg, progress; the rest is set
	const struct bench_rig *rig;
	const struct bench_plan *plan;
	struct bench_book book; // root has all but "tests"
	unsigned incomplete;	// tests
};

// 0, also when tests are incomplete; -errno and err: it ended before its time.
int bench_run(struct bench_run *r, struct err *err);

// --- comparison ---

enum bench_verdict { BENCH_SAME, BENCH_WITHIN_NOISE, BENCH_BETTER, BENCH_WORSE, BENCH_MISSING };
extern const char *const bench_verdicts[];

struct bench_change {
	char test[32], what[48]; // "throughput", "64 bytes, IPv4"
	const char *unit;
	double before, after;	// means
	double noise[2];	// half of the 95% interval of each mean, and half of what its search cannot tell apart
	size_t n[2];		// repetitions
	double change;		// share of before
	enum bench_verdict verdict;
};

// What changed from a to b, one a figure, in a's order; the caller frees. NULL and err: these are no results.
struct bench_change *bench_compare(const json_t *a, const json_t *b, size_t *n, struct err *err);

#endif
