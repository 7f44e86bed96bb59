// SPDX-License-Identifier: BSD-3-Clause
// bench_eal.c - start EAL for a peer
#define _GNU_SOURCE 1
#include "perf/bench_eal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "core/lcore.h"

void bench_eal_start(const char *program, unsigned megabytes)
{
	char name[64], cpu[16], memory[16];
	char *argv[] = {name,	       "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
			"--log-level=3",	    "--force-max-simd-bitwidth=512",
			"-m",	       memory,	    "-l",	cpu,	       NULL};

	if (lcore_enter(0))
		fprintf(stderr, "%s: cannot pin to a CPU: figures will be unsteady\n", program);
	snprintf(name, sizeof(name), "%s", program);
	snprintf(memory, sizeof(memory), "%u", megabytes);
	snprintf(cpu, sizeof(cpu), "%d", sched_getcpu());
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]) - 1, argv) < 0) {
		fprintf(stderr, "%s: EAL does not start with -m %u --no-huge: %s\n", program, megabytes,
			rte_strerror(rte_errno));
		exit(1);
	}
}
