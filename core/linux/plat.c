// SPDX-License-Identifier: BSD-3-Clause
// plat.c - the platform contract on Linux: lcores, entropy, console
#define _GNU_SOURCE 1
#include "core/plat.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/lcore.h"
#include "core/linux/plat_linux.h"

struct plat_boot_times plat_boot_times;

// The CPUs the process was started on: read once, because a pinned thread's own mask says one CPU, and
// the threads it starts inherit that.
static cpu_set_t start_cpus;
static unsigned start_count = 1;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static bool console_on;
static bool entropy_known; // plat_linux_entropy()
static uint64_t entropy_state;

static void start_read(void)
{
	if (sched_getaffinity(0, sizeof(start_cpus), &start_cpus)) {
		CPU_ZERO(&start_cpus); // more CPUs than cpu_set_t holds: one lcore, unpinned
		return;
	}
	start_count = (unsigned)CPU_COUNT(&start_cpus);
	if (start_count > LCORE_MAX)
		start_count = LCORE_MAX;
}

unsigned plat_lcore_count(void)
{
	pthread_once(&start_once, start_read);
	return start_count;
}

int plat_lcore_pin(unsigned id)
{
	cpu_set_t one;

	if (id >= plat_lcore_count())
		return -ENODEV;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &start_cpus) || id-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return -pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
	}
	return -ENODEV;
}

void plat_linux_entropy(uint64_t seed)
{
	entropy_known = true;
	entropy_state = seed;
}

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
static void known_entropy(uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t z = entropy_state += 0x9e3779b97f4a7c15;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		to[i] = (uint8_t)(z ^ (z >> 31));
	}
}

int plat_entropy(void *buf, size_t len)
{
	uint8_t *to = buf;

	if (entropy_known) {
		known_entropy(to, len);
		return 0;
	}
	while (len) {
		ssize_t n = getrandom(to, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -ENODEV;
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

void plat_linux_console(bool on)
{
	console_on = on;
}

int plat_console_getc(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char c;

	if (!console_on || poll(&p, 1, 0) != 1 || !(p.revents & (POLLIN | POLLHUP)))
		return -1;
	if (read(STDIN_FILENO, &c, 1) == 1)
		return c;
	console_on = false; // its end: not asked again
	return -1;
}

const void *plat_blob(size_t *len)
{
	*len = 0;
	return NULL;
}

int plat_seal(void)
{
	return 0;
}
