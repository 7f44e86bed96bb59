// SPDX-License-Identifier: BSD-3-Clause
// futex.c - waiting, for code outside the data plane: pthread_join, mutexes, sleep
//
// A waiter has its CPU to itself, so it spins; after a millisecond it halts in between, since the
// thread it waits for may need the same host CPU. Any wake ends every wait: futex(2) allows spurious
// wake-ups, and none can be lost.
#include <errno.h>
#include <time.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define FUTEX_WAIT    0
#define FUTEX_WAKE    1
#define FUTEX_REQUEUE 3
#define FUTEX_OP      0x7f // without the private and clock bits

static uint32_t wakes;

static uint64_t to_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

// No one is left to end the wait. What the last one did before it ended has been seen by then.
static int hopeless(const uint32_t *addr, uint32_t val, uint32_t seen)
{
	return lcores_running() == 1 && __atomic_load_n(addr, __ATOMIC_ACQUIRE) == val &&
	       __atomic_load_n(&wakes, __ATOMIC_ACQUIRE) == seen;
}

static long wait_change(uint32_t *addr, uint32_t val, const struct timespec *timeout)
{
	uint32_t seen = __atomic_load_n(&wakes, __ATOMIC_ACQUIRE);
	uint64_t start = clock_monotonic_ns(), end = timeout ? start + to_ns(timeout) : 0;

	if (__atomic_load_n(addr, __ATOMIC_ACQUIRE) != val)
		return -EAGAIN;
	while (__atomic_load_n(addr, __ATOMIC_ACQUIRE) == val &&
	       __atomic_load_n(&wakes, __ATOMIC_ACQUIRE) == seen) {
		uint64_t now = clock_monotonic_ns();

		if (timeout && now >= end)
			return -ETIMEDOUT;
		if (!timeout && hopeless(addr, val, seen))
			panic("deadlock: the only running thread waits for another",
			      (uint64_t)addr);
		if (now - start < 1000000)
			cpu_pause();
		else
			machine_halt(100000);
	}
	return 0;
}

long futex_call(uint32_t *addr, int op, uint32_t val, const void *timeout, uint32_t *addr2)
{
	switch (op & FUTEX_OP) {
	case FUTEX_WAIT:
		return wait_change(addr, val, timeout);
	case FUTEX_WAKE:
	case FUTEX_REQUEUE:
		__atomic_add_fetch(&wakes, 1, __ATOMIC_RELEASE);
		return 0;
	}
	return -ENOSYS;
}

long sleep_until(uint64_t end)
{
	for (;;) {
		uint64_t now = clock_monotonic_ns();

		if (now >= end)
			return 0;
		if (end - now < 500000)
			cpu_pause();
		else
			machine_halt(end - now > 1500000 ? 1000000 : 200000);
	}
}
