// SPDX-License-Identifier: BSD-3-Clause
// doctor_cpu.c - the processors: what they can, and which of them we get
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/doctor.h"
#include "apps/tool/util.h"

// x86-64-v3 as /proc/cpuinfo spells it (x86-64 psABI 1.0); lzcnt is "abm" there, and nested KVM may
// hide it though the CPU has it.
static const char *const needed[] = {"avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", NULL};
static const char *const wide[] = {"avx512f", "avx512bw", "avx512vl", "avx512dq", NULL};

static char *lacking(const char *flags, const char *const *words)
{
	char *list = xstrdup("");

	for (; *words; words++) {
		if (!doctor_word(flags, *words)) {
			char *more = xasprintf("%s%s%s", list, *list ? " " : "", *words);

			free(list);
			list = more;
		}
	}
	return list;
}

static void features(struct doctor *d, const char *flags)
{
	char *v3 = lacking(flags, needed), *v4 = lacking(flags, wide);

	if (*v3)
		doctor_add(d, "cpu-features", DOCTOR_ERROR, xasprintf("the CPU lacks %s", v3),
			   xstrdup("neither weir nor its images run: both are built for x86-64-v3"),
			   xstrdup("a processor of 2013 or later; in a guest, give it the host's: "
				   "-cpu host (KVM) or -cpu max (TCG)"));
	else
		doctor_ok(d, "cpu-features", "x86-64-v3");
	if (!*v3 && *v4)
		doctor_add(d, "avx512", DOCTOR_NOTE, xasprintf("the CPU lacks %s", v4),
			   xstrdup("prefix lookups take about 1.5 times the cycles "
				   "(docs/performance.md); "
				   "nothing else changes"),
			   xstrdup("in a guest: -cpu host, where the host has AVX-512"));
	else if (!*v3)
		doctor_ok(d, "avx512", "AVX-512 is used where it is quicker");
	free(v3);
	free(v4);
}

static void tsc(struct doctor *d, const char *flags)
{
	bool constant = doctor_word(flags, "constant_tsc"),
	     stop = !doctor_word(flags, "nonstop_tsc");

	if (constant && !stop) {
		doctor_ok(d, "tsc", "constant, and never stops");
		return;
	}
	doctor_add(d, "tsc", DOCTOR_WARNING,
		   xasprintf("the TSC %s", constant ? "stops in deep sleep states"
						    : "changes with the CPU's frequency"),
		   xstrdup("timers, rates and every figure in cycles are wrong by as much"),
		   xstrdup("kernel command line: processor.max_cstate=1 idle=poll; in a guest: "
			   "-cpu host,+invtsc"));
}

// Lcores of an image are vCPUs, threads of QEMU that may share a CPU.
static void too_few(struct doctor *d, const struct cpus *cpus, const char *list)
{
	unsigned lcores = d->c->params.lcores;
	bool image = doctor_wants_image(d);

	doctor_add(
		d, "cpus", image ? DOCTOR_WARNING : DOCTOR_ERROR,
		xasprintf("%s has lcores: %u, and this process may use CPUs %s", d->file, lcores,
			  list),
		xstrdup(image ? "vCPUs that poll take turns on one CPU, milliseconds each"
			      : "weir run does not start: every lcore polls on a CPU of its own"),
		xasprintf("lcores: %u in %s, or a wider mask: taskset -c 0-%u weir …, and the "
			  "cpuset of its cgroup",
			  cpus->n, d->file, lcores - 1));
}

static void enough_cpus(struct doctor *d)
{
	unsigned lcores = d->c ? d->c->params.lcores : 1;
	struct cpus cpus;
	char *list;

	if (!doctor_allowed(d, &cpus)) {
		doctor_unchecked(d, "cpus", "CPUs this process may use",
				 "/proc/self/status says none");
		return;
	}
	list = doctor_cputext(&cpus);
	if (lcores > cpus.n)
		too_few(d, &cpus, list);
	else if (cpus.n == lcores)
		doctor_add(d, "cpus", DOCTOR_NOTE,
			   xasprintf("CPUs %s: no more than the %u that poll", list, lcores),
			   xstrdup("everything else of this machine, a back end or peer too, takes "
				   "its "
				   "time from the poll loops"),
			   xstrdup("one CPU more than lcores and back ends together"));
	else
		doctor_ok(d, "cpus", "%s for %u lcore%s", list, lcores, lcores > 1 ? "s" : "");
	free(list);
}

void doctor_cpu(struct doctor *d)
{
	char *info = doctor_read(d, "/proc/cpuinfo"),
	     *flags = info ? doctor_field(info, "flags") : NULL;

	if (flags) {
		features(d, flags);
		tsc(d, flags);
	} else {
		doctor_unchecked(d, "cpu-features", "what the CPU can",
				 "/proc/cpuinfo has no flags");
	}
	enough_cpus(d);
	free(flags);
	free(info);
}
