// SPDX-License-Identifier: BSD-3-Clause
// hello.c - the C library works: arguments, printf, malloc, time, sleep, exit status
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plat.h"

static int check_malloc(void)
{
	char *block[64];

	for (size_t i = 0; i < 64; i++) {
		block[i] = malloc(i << 10);
		if (!block[i])
			return -1;
		memset(block[i], (int)i, i << 10);
	}
	for (size_t i = 0; i < 64; i++) {
		for (size_t k = 0; k < i << 10; k++)
			if (block[i][k] != (char)i)
				return -1;
		free(block[i]);
	}
	return 0;
}

// A sleep takes at least what was asked, by the same clock.
static int check_sleep(void)
{
	struct timespec t, u, want = {0, 20000000};

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (nanosleep(&want, NULL))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &u);
	return (u.tv_sec - t.tv_sec) * 1000000000 + u.tv_nsec - t.tv_nsec >= 20000000 ? 0 : -1;
}

int main(int argc, char **argv)
{
	double us = 1e6 / (double)plat_tsc_hz();
	time_t now = time(NULL);
	uint64_t canary;

	__asm__("mov %%fs:0x28, %0" : "=r"(canary));
	for (int i = 1; i < argc; i++)
		printf("argv[%d] = %s\n", i, argv[i]);
	printf("malloc %s\n", check_malloc() ? "fails" : "works");
	printf("sleep %s\n", check_sleep() ? "fails" : "works");
	printf("year %d\n", 1900 + gmtime(&now)->tm_year);
	printf("canary %016llx arena %p bias %llx\n", (unsigned long long)canary,
	       plat_arena_alloc(64, 64), (unsigned long long)plat_iova_bias);
	printf("tsc %.3f MHz, entry to ring 3 %.0f us, to main %.0f us\n",
	       (double)plat_tsc_hz() / 1e6,
	       (double)(plat_boot_times.libos - plat_boot_times.entry) * us,
	       (double)(plat_boot_times.main - plat_boot_times.entry) * us);
	return argc > 1 ? atoi(argv[1]) : 0;
}
