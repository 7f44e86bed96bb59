// SPDX-License-Identifier: BSD-3-Clause
// bench_print.h - results and changes for people, and as JSON
#ifndef WEIR_APPS_TOOL_BENCH_PRINT_H
#define WEIR_APPS_TOOL_BENCH_PRINT_H

#include <stdio.h>

#include "apps/tool/bench_test.h"

// A line a test.
void bench_print(const json_t *results, FILE *out);
void bench_print_changes(const struct bench_change *c, size_t n, FILE *out);
json_t *bench_changes_json(const struct bench_change *c, size_t n);
// "1.25 Mpps", in buf.
const char *bench_rate_text(double pps, char *buf, size_t len);

#endif
