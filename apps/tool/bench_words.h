// SPDX-License-Identifier: BSD-3-Clause
// bench_words.h - the command line of weir bench
#ifndef WEIR_APPS_TOOL_BENCH_WORDS_H
#define WEIR_APPS_TOOL_BENCH_WORDS_H

#include "apps/tool/bench_test.h"
#include "apps/tool/tool.h"

#define BENCH_PORTS_MAX 64u

enum bench_job { BENCH_JOB_RUN, BENCH_JOB_COMPARE, BENCH_JOB_REPORT };

struct bench_words {
	enum bench_job job;
	struct bench_plan plan;
	const char *file[2]; // configuration; or the results to compare or report
	const char *out;     // NULL: none
	const char *name, *note; // of the device
	char *port[BENCH_PORTS_MAX]; // NAME=DEVICE
	unsigned ports;
	unsigned memory, cpu, device_pid;
	bool pinned, json, plan_only;
};

// 0; -1: the help was printed; else an exit code, and a message was.
int bench_words(struct bench_words *w, const struct command *cmd, int argc, char **argv);

#endif
