// SPDX-License-Identifier: BSD-3-Clause
// symbols.c - function names for backtraces, from the table finish.py appends to the image
//
// Layout: u32 count, u32 address[count] (ascending), then count names, each ending in 0, in that
// order.
#include "core/x86_64/libos/libos.h"

extern char __text_end[];

int symbol_find(uint64_t addr, struct symbol *s)
{
	const uint32_t *t = (const uint32_t *)image_syms.paddr, *at = t + 1;
	uint32_t i = 0;
	const char *name;

	if (!image_syms.len || !t[0] || addr < at[0] || addr >= (uint64_t)__text_end)
		return 0;
	// From the front: names have no index, so they are walked anyway.
	for (name = (const char *)(at + t[0]); i + 1 < t[0] && at[i + 1] <= addr; i++)
		while (*name++)
			;
	*s = (struct symbol){name, at[i]};
	return 1;
}
