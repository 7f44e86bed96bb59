// SPDX-License-Identifier: BSD-3-Clause
// lcore.c - the calling thread's lcore number
#include "core/lcore.h"

#include <errno.h>

#include "core/plat.h"

__thread unsigned lcore_self;

int lcore_enter(unsigned id)
{
	if (id >= LCORE_MAX)
		return -EINVAL;
	lcore_self = id;
	return plat_lcore_pin(id);
}
