// SPDX-License-Identifier: BSD-3-Clause
// bench_host.c - what the host did to a trial: gaps of the loop, steal, threads that waited for a CPU
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "apps/tool/bench_host.h"
#include "apps/tool/util.h"
#include "core/noise.h"
#include "core/plat.h"

// All CPUs together (proc(5): the eighth figure of "cpu"), in the kernel's ticks.
static uint64_t steal_us(void)
{
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long steal = 0;
	long hz = sysconf(_SC_CLK_TCK);

	if (!f)
		return 0;
	if (fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1)
		steal = 0;
	fclose(f);
	return hz > 0 ? steal * 1000000 / (uint64_t)hz : 0;
}

// Second figure of a thread's schedstat: ns that it could run and did not.
static uint64_t thread_delay_ns(unsigned pid, const char *tid)
{
	unsigned long long delay = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/task/%.16s/schedstat", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*u %llu", &delay) != 1)
		delay = 0;
	fclose(f);
	return delay;
}

// Of all threads but the one that asks, which sleeps while packets flow.
static uint64_t run_delay_us(unsigned pid)
{
	char path[48], self[16];
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	snprintf(self, sizeof(self), "%d", (int)gettid());
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) && strcmp(e->d_name, self))
			sum += thread_delay_ns(pid, e->d_name);
	if (d)
		closedir(d);
	return sum / 1000;
}

void host_look(struct host_look *l, const struct app *app, unsigned device)
{
	*l = (struct host_look){.steal_us = steal_us(), .run_delay_us = run_delay_us((unsigned)getpid())};
	if (device)
		l->run_delay_us += run_delay_us(device);
	for (unsigned k = 0; k < app->lcores; k++) {
		const struct noise *n = &app->lcore[k].loop.noise;

		l->gaps += __atomic_load_n(&n->gaps, __ATOMIC_RELAXED);
		l->lost += __atomic_load_n(&n->lost, __ATOMIC_RELAXED);
		if (__atomic_load_n(&n->worst, __ATOMIC_RELAXED) > l->worst)
			l->worst = __atomic_load_n(&n->worst, __ATOMIC_RELAXED);
	}
}

static uint64_t since(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

void host_noise(struct bench_noise *n, const struct host_look *before, const struct host_look *after)
{
	uint64_t lost = since(before->lost, after->lost), worst = after->worst;

	// The worst gap is known of all trials so far. One that was before this: no gap of this was longer than that,
	// nor than all of its gaps together.
	if (worst == before->worst && lost < worst)
		worst = lost;
	*n = (struct bench_noise){.gaps = since(before->gaps, after->gaps),
				  .lost_us = noise_us(lost),
				  .worst_us = lost ? noise_us(worst) : 0,
				  .steal_us = since(before->steal_us, after->steal_us),
				  .run_delay_us = since(before->run_delay_us, after->run_delay_us)};
}

// The value of a line "key : value" of /proc/cpuinfo.
static char *cpuinfo(const char *key)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[4096], *found = NULL;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) || !colon)
			continue;
		colon[strcspn(colon, "\n")] = 0;
		found = xstrdup(colon[1] ? colon + 2 : "");
	}
	if (f)
		fclose(f);
	return found;
}

static bool virtual_machine(void)
{
	char *flags = cpuinfo("flags");
	bool found = flags && strstr(flags, " hypervisor");

	free(flags);
	return found;
}

json_t *host_json(unsigned lcores)
{
	json_t *o = json_object();
	char *cpu = cpuinfo("model name");
	struct utsname u;

	json_object_set_new(o, "cpu", cpu ? json_string(cpu) : json_null());
	json_object_set_new(o, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	if (!uname(&u))
		json_object_set_new(o, "kernel", json_sprintf("%s %s", u.sysname, u.release));
	json_object_set_new(o, "tsc_hz", json_integer((json_int_t)plat_tsc_hz()));
	json_object_set_new(o, "lcores", json_integer(lcores));
	json_object_set_new(o, "hypervisor", json_boolean(virtual_machine()));
	free(cpu);
	return o;
}
