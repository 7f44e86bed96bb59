// SPDX-License-Identifier: BSD-3-Clause
// entropy.c - random numbers from RDSEED or RDRAND (SDM 1, 7.3.17)
#include <errno.h>
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

static int weak;
static uint64_t weak_state;

static int rdrand64(uint64_t *v)
{
	uint8_t ok;

	for (int i = 0; i < 32; i++) { // SDM: ten tries, then the generator is broken
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
		if (ok)
			return 1;
	}
	return 0;
}

static int rdseed64(uint64_t *v)
{
	uint8_t ok;

	for (int i = 0; i < 1000; i++) { // runs dry when many ask
		__asm__ volatile("rdseed %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
		if (ok)
			return 1;
		cpu_pause();
	}
	return 0;
}

// splitmix64 over the time-stamp counter: unpredictable to a casual observer at best.
static uint64_t weak64(void)
{
	uint64_t z = __atomic_add_fetch(&weak_state, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED) +
	             tsc_now();

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int hardware64(uint64_t *v)
{
	return (cpu_traits.rdseed && rdseed64(v)) || (cpu_traits.rdrand && rdrand64(v));
}

void entropy_init(void)
{
	uint64_t v;

	if (hardware64(&v))
		return;
	if (!boot_option("entropy=weak"))
		refuse("no entropy",
		       "this CPU offers neither RDSEED nor RDRAND; use another -cpu, or "
		       "append entropy=weak and live with predictable secrets");
	weak = 1;
}

uint64_t entropy_u64(void)
{
	uint64_t v;

	if (plat_entropy(&v, sizeof(v)))
		panic("entropy: RDSEED and RDRAND have stopped answering", 0);
	return v;
}

int plat_entropy(void *buf, size_t len)
{
	uint8_t *p = buf;
	uint64_t v;

	while (len) {
		size_t n = len < 8 ? len : 8;

		if (!hardware64(&v)) {
			if (!weak)
				return -ENODEV;
			v = weak64();
		}
		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
	return 0;
}
