// SPDX-License-Identifier: BSD-3-Clause
// lpm6_live.h - updates of the IPv6 prefix table while another thread looks up
#ifndef WEIR_PERF_LPM6_LIVE_H
#define WEIR_PERF_LPM6_LIVE_H

#include "perf/routes.h"

// Prints what lpm_bench_live() says. 0; -EIO: an answer was wrong or an update refused; -ENOMEM.
int lpm6_bench_live(const struct routes6 *r);

#endif
