// SPDX-License-Identifier: BSD-3-Clause
// flood.c - more console output than any pipe holds, line by line numbered
#include <stdio.h>

int main(void)
{
	for (unsigned i = 0; i < 5000; i++)
		printf("line %04u, thirty-two bytes long.\n", i);
	return 0;
}
