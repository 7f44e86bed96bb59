// SPDX-License-Identifier: BSD-3-Clause
// idle.c - seals the machine and sleeps, so that its page tables can be looked at from outside
#include <stdio.h>
#include <unistd.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

int main(void)
{
	plat_seal();
	printf("tables %llx\nsealed\n", (unsigned long long)memory.tables);
	for (int i = 0; i < 600; i++)
		usleep(100000);
	return 0;
}
