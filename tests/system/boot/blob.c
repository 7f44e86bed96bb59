// SPDX-License-Identifier: BSD-3-Clause
// blob.c - the configuration blob, packed or as boot module, is there byte by byte; `write` writes
// to it
#include <stdint.h>
#include <stdio.h>

#include "core/plat.h"

int main(int argc, char **argv)
{
	size_t len;
	const uint8_t *p = plat_blob(&len);
	uint32_t sum = 0;

	if (!p) {
		printf("no blob\n");
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		sum = (sum << 1 | sum >> 31) ^ p[i];
	printf("blob %zu bytes, sum %08x\n", len, sum);
	if (argc > 1)
		*(volatile uint8_t *)p = 0;
	return 0;
}
