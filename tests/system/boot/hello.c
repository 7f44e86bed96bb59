// SPDX-License-Identifier: BSD-3-Clause
// hello.c - the C library works: arguments, printf, malloc, time, floating point
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plat.h"

int main(int argc, char **argv)
{
	struct timespec t, u;
	char *p = malloc(3 << 20);

	for (int i = 0; i < argc; i++)
		printf("argv[%d] = %s\n", i, argv[i]);
	if (!p)
		return 1;
	memset(p, 7, 3 << 20);
	free(p);
	clock_gettime(CLOCK_MONOTONIC, &t);
	clock_gettime(CLOCK_REALTIME, &u);
	printf("monotonic %lld.%09ld realtime %lld\n", (long long)t.tv_sec, t.tv_nsec,
	       (long long)u.tv_sec);
	printf("tsc %.3f MHz\n", (double)plat_tsc_hz() / 1e6);
	printf("entry to libos %.0f us, to main %.0f us\n",
	       (double)(plat_boot_times.libos - plat_boot_times.entry) * 1e6 / (double)plat_tsc_hz(),
	       (double)(plat_boot_times.main - plat_boot_times.entry) * 1e6 / (double)plat_tsc_hz());
	puts("hello, world");
	return argc > 1 && !strcmp(argv[1], "fail") ? 3 : 0;
}
