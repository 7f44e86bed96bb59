// SPDX-License-Identifier: BSD-3-Clause
// link.h - what ports upon interfaces of the host do alike between bursts: notice link changes,
// wait a little before they try again, sleep
#ifndef WEIR_PMD_IFACE_LINK_H
#define WEIR_PMD_IFACE_LINK_H

#include <stdatomic.h>

#include "core/plat.h"
#include "pmd/iface/iface.h"

#define IFACE_RETRIES_SECOND 10u   // attempts to have an interface back that was taken away
#define IFACE_LOOKS_SECOND   1000u // looks whether one is up, by packets that are to be sent

struct iface_link { // any lcore
	_Atomic bool up;
	_Atomic uint64_t changes;
};

// It was seen up or down.
static inline void iface_link_note(struct iface_link *l, bool up)
{
	l->changes += up != atomic_exchange(&l->up, up);
}

// For pmd.link().
void iface_link_tell(const struct iface_link *l, const struct iface *i, struct port_link *link);

// Whether the interface is down still: its link is looked at 100 times a second at best, and seldom
// while everything sleeps, but a packet to be sent may be the first after it came up. `look`: of
// the queue, for iface_due().
bool iface_link_down(struct iface_link *l, const struct iface *i, uint64_t *look);

// Whether *at (TSC) has come; then the next time is so many to a second later.
static inline bool iface_due(uint64_t *at, unsigned per_second)
{
	uint64_t now = tsc_read();

	if (likely(now < *at))
		return false;
	*at = now + plat_tsc_hz() / per_second;
	return true;
}

// For pmd.arm(), when the descriptor ends every halt while something waits there: 0, or -EAGAIN
// when something does. An error (the interface went down, or away) would too: it is taken off.
int iface_idle(int fd);

#endif
