// SPDX-License-Identifier: BSD-3-Clause
// eal.c - start DPDK as a library that leaves the process alone: no huge pages, nothing on disk
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "core/plat.h"
#include "pmd/dpdk/dpdk.h"

#define HUGE_MIN 64u // free 2 MiB pages worth using: DPDK itself needs a few dozen

static bool huge_pages_free(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned n = 0;

	if (!f)
		return false;
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	fclose(f);
	return n >= HUGE_MIN;
}

static int first_cpu(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			return cpu;
	return 0;
}

// DPDK must believe that this thread is its main lcore, on one CPU, so that its own threads
// (vhost's events) keep to the others.
static int start(const cpu_set_t *cpus)
{
	bool huge = huge_pages_free();
	char lcores[32];
	char *args[] = {
		"weir",
		lcores,
		"--no-telemetry", // no socket
		"--no-shconf",    // no files to share with a second process
		"--file-prefix=weir",
		"--iova-mode=va",
		"--log-level=error",
		"-a",
		"0000:00:00.0", // allow a PCI device that is none: those wanted are named later
		huge ? "--in-memory" : "--no-huge",
	};

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", first_cpu(cpus));
	return rte_eal_init(sizeof(args) / sizeof(args[0]), args);
}

int dpdk_eal_start(struct err *err)
{
	static bool started;
	cpu_set_t cpus;

	if (started)
		return 0;
	plat_lcore_count(); // reads the process's CPUs, before this thread's become fewer
	if (pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus))
		CPU_ZERO(&cpus);
	if (start(&cpus) < 0)
		return err_set(err, -rte_errno,
			       "dpdk: DPDK did not start (%s); what it said is above",
			       rte_strerror(rte_errno));
	started = true;
	rmdir(rte_eal_get_runtime_dir()); // made all the same, and empty
	if (CPU_COUNT(&cpus))
		pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	return 0;
}

int dpdk_arena_register(void)
{
	size_t page = plat_linux_arena_page(), len = plat_arena_size() / page * page;
	uint8_t *base = plat_linux_arena_base();
	static int result = 1;
	rte_iova_t *iova;

	if (result <= 0)
		return result;
	iova = base ? malloc(len / page * sizeof(*iova)) : NULL;
	if (!iova)
		return -ENOMEM;
	for (size_t i = 0; i < len / page; i++)
		iova[i] = (rte_iova_t)(uintptr_t)(base + i * page);
	result =
		rte_extmem_register(base, len, iova, (unsigned)(len / page), page) ? -rte_errno : 0;
	free(iova);
	return result;
}
