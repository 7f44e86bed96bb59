// SPDX-License-Identifier: BSD-3-Clause
// halt.c - an lcore sleeps until a descriptor becomes readable, another lcore wakes it, or time is up
//
// Each lcore has an epoll set, made when first needed, with an eventfd for plat_wake() in it and what
// drivers add. The set is level-triggered: what a driver leaves unread ends the next halt too.
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/lcore.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define NSEC 1000000000ull
#define WAKE UINT64_MAX // data of the eventfd; of others: the descriptor

struct sleeper {
	_Atomic bool ready;
	_Atomic bool halting; // it halts, or is about to: who wakes it must write to the eventfd
	_Atomic bool woken;
	int epoll, event;
} cache_aligned;

static struct sleeper sleepers[LCORE_MAX];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static int sleeper_make(struct sleeper *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = WAKE};
	int rc;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll < 0 || s->event < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->event, &ev)) {
		rc = -errno;
		if (s->epoll >= 0)
			close(s->epoll);
		if (s->event >= 0)
			close(s->event);
		return rc;
	}
	atomic_store(&s->ready, true);
	return 0;
}

static int sleeper_of(unsigned lcore, struct sleeper **s)
{
	int rc = 0;

	if (lcore >= LCORE_MAX)
		return -EINVAL;
	*s = &sleepers[lcore];
	if (atomic_load(&(*s)->ready))
		return 0;
	pthread_mutex_lock(&making);
	if (!atomic_load(&(*s)->ready))
		rc = sleeper_make(*s);
	pthread_mutex_unlock(&making);
	return rc;
}

int plat_linux_wake_fd(unsigned lcore, int fd, bool add)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint64_t)fd};
	struct sleeper *s;
	int rc = fd < 0 ? -EBADF : sleeper_of(lcore, &s);

	if (rc)
		return rc;
	return epoll_ctl(s->epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &ev) ? -errno : 0;
}

// The time is up to the nanosecond where the kernel can (5.11 on), else to the millisecond.
static int wait_events(int epoll, struct epoll_event *ev, int n, uint64_t ns)
{
	struct timespec t = {(time_t)(ns / NSEC), (long)(ns % NSEC)};
	int got = epoll_pwait2(epoll, ev, n, &t, NULL);

	if (got < 0 && errno == ENOSYS)
		got = epoll_wait(epoll, ev, n, (int)((ns + 999999) / 1000000));
	return got;
}

static void halt_until_event(struct sleeper *s, uint64_t ns)
{
	struct epoll_event ev[8];
	uint64_t count;
	int n = wait_events(s->epoll, ev, 8, ns);

	for (int i = 0; i < n; i++)
		if (ev[i].data.u64 == WAKE && read(s->event, &count, sizeof(count)) < 0)
			return; // nothing there: read by the halt before
}

void plat_halt(uint64_t ns)
{
	struct timespec t = {0, 1000000};
	struct sleeper *s;

	if (ns > NSEC)
		ns = NSEC;
	if (sleeper_of(lcore_self, &s)) { // no descriptors left: short naps instead
		nanosleep(&t, NULL);
		return;
	}
	// Sequentially consistent with plat_wake(): one of the two sees the other's store.
	atomic_store(&s->halting, true);
	if (!atomic_load(&s->woken))
		halt_until_event(s, ns);
	atomic_store(&s->halting, false);
	atomic_exchange(&s->woken, false); // reads it as well: what its waker wrote before is seen
}

void plat_wake(unsigned id)
{
	struct sleeper *s;
	uint64_t one = 1;

	if (sleeper_of(id, &s))
		return;
	atomic_store(&s->woken, true);
	if (atomic_load(&s->halting) && write(s->event, &one, sizeof(one)) < 0)
		return; // full: it is readable, which is all that is wanted
}
