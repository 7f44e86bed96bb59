// SPDX-License-Identifier: BSD-3-Clause
// doctor_tuning.c - who shares the CPUs that poll, and what changes their pace
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/doctor.h"
#include "apps/tool/util.h"

// CPUs of both lists.
static unsigned shared(const struct cpus *a, const char *list, struct cpus *both)
{
	struct cpus b;

	memset(both, 0, sizeof(*both));
	if (!list || !doctor_cpulist(list, &b))
		return 0;
	for (unsigned i = 0; i < DOCTOR_CPUS; i++) {
		both->has[i] = a->has[i] && b.has[i];
		both->n += both->has[i];
	}
	return both->n;
}

static void isolation(struct doctor *d, const struct cpus *cpus)
{
	char *isolated = doctor_read(d, "/sys/devices/system/cpu/isolated");
	char *nohz = doctor_read(d, "/sys/devices/system/cpu/nohz_full");
	char *list = doctor_cputext(cpus);
	struct cpus both;

	if (!isolated)
		doctor_unchecked(d, "isolation", "isolated CPUs", "the kernel does not say");
	else if (!shared(cpus, isolated, &both))
		doctor_add(d, "isolation", DOCTOR_NOTE,
			   xasprintf("none of CPUs %s is isolated", list),
			   xstrdup("any thread of this machine may run on a CPU that polls, and "
				   "takes it "
				   "for milliseconds: packets wait or are lost at full rings"),
			   xstrdup("kernel command line: isolcpus=managed_irq,domain,LIST "
				   "nohz_full=LIST "
				   "rcu_nocbs=LIST, then weir run --cpu N or taskset -c LIST; "
				   "without a "
				   "restart: systemctl set-property --runtime -- system.slice "
				   "AllowedCPUs=OTHERS, and the same for user.slice"));
	else if (shared(cpus, nohz, &both) < 1)
		doctor_add(d, "isolation", DOCTOR_NOTE,
			   xasprintf("isolated CPUs %s keep the timer tick", isolated),
			   xstrdup("a few microseconds are taken from every lcore up to 1,000 "
				   "times a second"),
			   xasprintf("kernel command line: nohz_full=%s rcu_nocbs=%s", isolated,
				     isolated));
	else
		doctor_ok(d, "isolation", "isolated: %s; without tick: %s", isolated, nohz);
	free(isolated);
	free(nohz);
	free(list);
}

// Two threads of one core among the CPUs that may poll: says it once, for the first pair.
static void siblings(struct doctor *d, const struct cpus *cpus)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < DOCTOR_CPUS; i++) {
		char *list;
		struct cpus both;

		if (!cpus->has[i])
			continue;
		list = doctor_read(d, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
				   i);
		seen += list != NULL;
		if (list && shared(cpus, list, &both) > 1) {
			doctor_add(
				d, "smt", DOCTOR_NOTE,
				xasprintf("CPUs %s are threads of one core", list),
				xstrdup("two poll loops there share its execution units and "
					"caches, and "
					"each is clearly slower than alone"),
				xstrdup("one thread of each core: taskset -c with one CPU of each "
					"such "
					"list; or echo off > /sys/devices/system/cpu/smt/control"));
			free(list);
			return;
		}
		free(list);
	}
	if (seen)
		doctor_ok(d, "smt", "no two CPUs share a core, as far as the kernel is told");
	else
		doctor_unchecked(d, "smt", "threads that share a core",
				 "the kernel shows no topology");
}

static void governor(struct doctor *d, const struct cpus *cpus)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < DOCTOR_CPUS; i++) {
		char *name = cpus->has[i] ? doctor_read(d,
							"/sys/devices/system/cpu/cpu%u/cpufreq/"
							"scaling_governor",
							i)
					  : NULL;

		seen += name != NULL;
		if (name && strcmp(name, "performance")) {
			doctor_add(d, "governor", DOCTOR_WARNING,
				   xasprintf("CPU %u follows the governor %s", i, name),
				   xstrdup("after idle times it runs slowly at first, and figures "
					   "depend on "
					   "what ran before"),
				   xstrdup("cpupower frequency-set -g performance"));
			free(name);
			return;
		}
		free(name);
	}
	if (seen)
		doctor_ok(d, "governor", "performance");
	else
		doctor_unchecked(d, "governor", "the CPUs' pace",
				 "no cpufreq here: firmware or a hypervisor "
				 "sets it");
}

static void turbo(struct doctor *d)
{
	char *no = doctor_read(d, "/sys/devices/system/cpu/intel_pstate/no_turbo");
	char *boost = doctor_read(d, "/sys/devices/system/cpu/cpufreq/boost");
	bool on = (no && *no == '0') || (boost && *boost == '1');

	if (on)
		doctor_add(d, "turbo", DOCTOR_NOTE, xstrdup("turbo is on"),
			   xstrdup("the pace depends on temperature and on what other cores do: "
				   "benchmarks "
				   "vary; forwarding gains by it"),
			   xasprintf("for benchmarks: echo %s", no ? "1 > /sys/devices/system/cpu/"
								     "intel_pstate/no_turbo"
								   : "0 > /sys/devices/system/cpu/"
								     "cpufreq/boost"));
	else if (no || boost)
		doctor_ok(d, "turbo", "off");
	else
		doctor_unchecked(d, "turbo", "turbo", "the kernel has no switch for it here");
	free(no);
	free(boost);
}

struct crowd { // what /proc tells of others
	bool irqbalance;
	unsigned running;
	char *first;
};

// "pid (comm) STATE …", and further on the CPU: comm may hold anything.
static void look_at(const struct doctor *d, const char *pid, struct crowd *c,
		    const struct cpus *cpus)
{
	char *stat = doctor_read(d, "/proc/%s/stat", pid), *open, *close, *p;
	unsigned cpu = 0, field = 2;

	open = stat ? strchr(stat, '(') : NULL;
	close = stat ? strrchr(stat, ')') : NULL;
	if (!open || !close || close[1] != ' ')
		return free(stat);
	*close = 0;
	c->irqbalance |= !strcmp(open + 1, "irqbalance");
	for (p = close + 1; *p; p++)
		if (*p == ' ' && ++field == 39)
			cpu = (unsigned)strtoul(p + 1, NULL, 10);
	if (close[2] == 'R' && field >= 39 && cpu < DOCTOR_CPUS && cpus->has[cpu]) {
		c->running++;
		if (!c->first)
			c->first = xasprintf("%s (%s) on CPU %u", open + 1, pid, cpu);
	}
	free(stat);
}

static void crowd(struct doctor *d, const struct cpus *cpus)
{
	char *path = doctor_path(d, "/proc"), *self = xasprintf("%d", (int)getpid());
	struct crowd c = {0};
	struct dirent *e;
	DIR *dir = opendir(path);

	free(path);
	while (dir && (e = readdir(dir)))
		if (isdigit((unsigned char)*e->d_name) && (*d->root || strcmp(e->d_name, self)))
			look_at(d, e->d_name, &c, cpus);
	free(self);
	if (!dir) {
		doctor_unchecked(d, "threads", "what else runs here", "/proc cannot be read");
		return;
	}
	closedir(dir);
	if (c.irqbalance)
		doctor_add(
			d, "irqbalance", DOCTOR_WARNING, xstrdup("irqbalance runs"),
			xstrdup("it moves devices' interrupts onto the CPUs that poll, from minute "
				"to "
				"minute"),
			xstrdup("systemctl stop irqbalance, or IRQBALANCE_BANNED_CPULIST=LIST in "
				"/etc/default/irqbalance"));
	else
		doctor_ok(d, "irqbalance", "does not run");
	if (c.running)
		doctor_add(
			d, "threads", DOCTOR_NOTE,
			xasprintf("%u other process%s run on the CPUs that may poll, the first: %s",
				  c.running, c.running > 1 ? "es" : "", c.first),
			xstrdup("a poll loop there gets its share of the CPU, not all of it"),
			xstrdup("taskset -cp OTHER-CPUS PID moves one; or poll elsewhere: weir run "
				"--cpu N"));
	else
		doctor_ok(d, "threads", "nothing else runs on these CPUs at this moment");
	free(c.first);
}

void doctor_tuning(struct doctor *d)
{
	struct cpus cpus;

	if (!doctor_allowed(d, &cpus))
		return; // said by doctor_cpu()
	isolation(d, &cpus);
	siblings(d, &cpus);
	governor(d, &cpus);
	turbo(d);
	crowd(d, &cpus);
}
