// SPDX-License-Identifier: BSD-3-Clause
// bench_rig.h - trials by function pktgen in this process
//
// The rig is used by a thread of its own while app_run() goes on in another.
#ifndef WEIR_APPS_TOOL_BENCH_RIG_H
#define WEIR_APPS_TOOL_BENCH_RIG_H

#include <stdatomic.h>

#include "apps/app.h"
#include "apps/pktgen/hdr.h"
#include "apps/tool/bench_test.h"
#include "apps/tool/config.h"

struct rig {
	struct app *app;
	const struct bench_plan *plan;
	unsigned streams;	  // of the configuration; stream i at size k is number i * copies + k of the blob
	unsigned copies;	  // sizes, and with recovery as many again: those follow, recovery_s later
	double *base, *weight;	  // of stream i: its share of the load, as the configuration says, and in this mix
	uint8_t *family;	  // of stream i: 4, 6 or 0
	uint64_t *rate;		  // of an order
	unsigned device;	  // process of the device, on this machine; 0: elsewhere
	struct hdr_pool *pool;
	const char *ip;
	bool tried;		  // a pause comes before the next
	_Atomic bool stop;	  // asked for by a signal: the trial under way is given up
};

// Makes the configuration's streams ready for the plan: sizes, and what recovery needs. 0 or -EINVAL and err.
int rig_streams(struct rig *r, struct config *c, const struct bench_plan *plan, struct err *err);
// When the app has started. 0 or -errno and err.
int rig_start(struct rig *r, struct app *app, struct err *err);
void rig_free(struct rig *r);

int rig_trial(void *rig, const struct bench_order *order, struct bench_trial *t, struct err *err); // a bench_trial_fn
extern const struct bench_rig rig_bench;

// bench_rig_read.c: the figures of the trial that is over.
void rig_read(const struct rig *r, struct bench_trial *t);

#endif
