// SPDX-License-Identifier: BSD-3-Clause
// bench_host.h - what the host did to a trial, and which host it is
#ifndef WEIR_APPS_TOOL_BENCH_HOST_H
#define WEIR_APPS_TOOL_BENCH_HOST_H

#include <jansson.h>

#include "apps/app.h"
#include "apps/tool/bench.h"

struct host_look { // counters since boot, or since the app began
	uint64_t gaps, lost, worst; // cycles
	uint64_t steal_us, run_delay_us;
};

// device: the process of the device under test, on this machine; 0: none. Its threads' waiting counts too.
void host_look(struct host_look *l, const struct app *app, unsigned device);
void host_noise(struct bench_noise *n, const struct host_look *before, const struct host_look *after);

// The results' "host".
json_t *host_json(unsigned lcores);

#endif
