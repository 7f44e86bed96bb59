// SPDX-License-Identifier: BSD-3-Clause
// bench_plan.c - profiles: which tests, frame sizes, durations and repetitions
#include <math.h>
#include <string.h>

#include "apps/tool/bench_test.h"
#include "apps/tool/util.h"

const char *const bench_methods[BENCH_METHODS] = {"binary", "mlrsearch", "tst009"};
const char *const bench_kinds[BENCH_KINDS] = {"throughput",   "latency",  "pdv",  "frame_loss",
					      "back_to_back", "recovery", "reset"};
const char *const bench_profiles = "quick, rfc2544, rfc8219, tst009 or mlrsearch";

#define KIND(k) (1u << BENCH_##k)

// RFC 2544, 9.1, and RFC 8219, 5.1.1 (Ethernet).
static const uint16_t sizes_2544[] = {64, 128, 256, 512, 1024, 1280, 1518};
static const uint16_t sizes_8219[] = {84, 128, 256, 512, 768, 1024, 1280, 1518};
static const uint16_t sizes_quick[] = {64, 512, 1518};

static void set_sizes(struct bench_plan *p, const uint16_t *sizes, unsigned n)
{
	memcpy(p->size, sizes, n * sizeof(*sizes));
	p->sizes = n;
}

// RFC 2544 in full: trials of 60 s (24), 2 s and 5 s of rest (23), latency over 120 s 20 times (26.2), bursts up to
// 2 s 50 times (26.4).
static void rfc2544(struct bench_plan *p)
{
	*p = (struct bench_plan){
		.kinds = KIND(THROUGHPUT) | KIND(LATENCY) | KIND(FRAME_LOSS) | KIND(BACK_TO_BACK) | KIND(RECOVERY),
		.duration_s = 60,
		.settle_s = 2,
		.pause_s = 5,
		.latency_s = 120,
		.recovery_s = 60,
		.resolution = 0.005,
		.r = 1,
		.z = UINT64_MAX,
		.latency_load = 1,
		.loss_step = 0.1,
		.burst_s = 2,
		.burst_step = 1,
		.repeat = {1, 20, 20, 1, 50, 1, 1},
		.limits = {.pace = 0.001, .interference = 0.01},
		.tries = 5,
	};
	set_sizes(p, sizes_2544, sizeof(sizes_2544) / sizeof(*sizes_2544));
}

static void rfc8219(struct bench_plan *p)
{
	rfc2544(p);
	p->kinds |= KIND(PDV);
	p->kinds &= ~KIND(RECOVERY);
	p->latency_s = 120; // 7.2; PDV's 60 s (7.3.1) are in it
	set_sizes(p, sizes_8219, sizeof(sizes_8219) / sizeof(*sizes_8219));
}

static void tst009(struct bench_plan *p)
{
	rfc2544(p);
	p->kinds = KIND(THROUGHPUT) | KIND(LATENCY) | KIND(PDV) | KIND(FRAME_LOSS) | KIND(BACK_TO_BACK);
	p->method = BENCH_TST009;
	p->r = 2;
	p->duration_s = 30;
	p->latency_s = 30;
	p->repeat[BENCH_LATENCY] = p->repeat[BENCH_PDV] = 5;
}

// The goals in use at FD.io CSIT: no loss, and half a percent; 1 s trials, 21 s of them, half a percent wide.
static void mlrsearch(struct bench_plan *p)
{
	rfc2544(p);
	p->kinds = KIND(THROUGHPUT) | KIND(LATENCY) | KIND(PDV);
	p->method = BENCH_MLR;
	p->duration_s = 1;
	p->settle_s = 0.5;
	p->pause_s = 0;
	p->latency_s = 10;
	p->repeat[BENCH_LATENCY] = p->repeat[BENCH_PDV] = 3;
	p->goal[0] = p->goal[1] = (struct mlr_goal){.initial_duration = 1,
						    .final_duration = 1,
						    .duration_sum = 21,
						    .exceed_ratio = 0.5,
						    .width = 0.005};
	p->goal[1].loss_ratio = 0.005;
	p->goals = 2;
}

// A first look: the tests of RFC 2544, in trials of a second.
static void quick(struct bench_plan *p)
{
	rfc2544(p);
	p->kinds |= KIND(PDV);
	p->method = BENCH_TST009;
	p->r = 2;
	p->duration_s = 1;
	p->settle_s = 0.3;
	p->pause_s = 0;
	p->latency_s = 2;
	p->recovery_s = 1;
	p->resolution = 0.02;
	p->burst_s = 0.5;
	p->burst_step = 16;
	memcpy(p->repeat, (unsigned[BENCH_KINDS]){3, 3, 3, 1, 5, 1, 1}, sizeof(p->repeat));
	set_sizes(p, sizes_quick, sizeof(sizes_quick) / sizeof(*sizes_quick));
}

bool bench_profile(struct bench_plan *p, const char *name)
{
	static const struct {
		const char *name;
		void (*fill)(struct bench_plan *p);
	} list[] = {{"quick", quick}, {"rfc2544", rfc2544}, {"rfc8219", rfc8219}, {"tst009", tst009}, {"mlrsearch", mlrsearch}};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (strcmp(list[i].name, name))
			continue;
		list[i].fill(p);
		strncpy(p->profile, name, sizeof(p->profile) - 1);
		return true;
	}
	return false;
}

// Trials of throughput, all repetitions of a frame size: those after the first begin near its result.
static double search_seconds(const struct bench_plan *p, double trial)
{
	double first = log2(1 / p->resolution) + 2, sum = 0;

	if (p->method != BENCH_MLR)
		return trial * (p->method == BENCH_TST009 ? 1 + (p->r - 1) * 0.5 : 1) *
		       (first + (p->repeat[BENCH_THROUGHPUT] - 1) * 3);
	for (unsigned i = 0; i < p->goals; i++)
		sum += (p->goal[i].duration_sum / p->goal[i].final_duration) * 2 + 10;
	return trial * sum * p->repeat[BENCH_THROUGHPUT];
}

double bench_plan_seconds(const struct bench_plan *p)
{
	double rest = p->settle_s * 0.6 + p->pause_s, trial = p->duration_s + rest, sum = 0;
	bool pdv = p->kinds & KIND(PDV), latency = p->kinds & KIND(LATENCY);

	sum += search_seconds(p, trial);
	if (latency || pdv)
		sum += p->repeat[latency ? BENCH_LATENCY : BENCH_PDV] * (p->latency_s + rest);
	if (p->kinds & KIND(FRAME_LOSS))
		sum += trial * (1 + 0.5 / p->loss_step);
	if (p->kinds & KIND(BACK_TO_BACK))
		sum += p->repeat[BENCH_BACK_TO_BACK] * 6 * (rest + p->settle_s);
	if (p->kinds & KIND(RECOVERY))
		sum += p->repeat[BENCH_RECOVERY] * 2 * (p->recovery_s + rest);
	return sum * p->sizes * (p->mixes ? p->mixes : 1);
}
