// SPDX-License-Identifier: BSD-3-Clause
// mld.h - multicast listener discovery: tells switches that look, and routers, which groups are
// ours
//
// MLDv2 (RFC 3810), the listener's side, and MLDv1 (RFC 2710) where an older router asks. Our
// groups are those of ip6_stack_listens(), all sources of each; all nodes' is never reported (RFC
// 3810, 6). Each query is answered by a report of all of an interface's groups, which says what was
// asked and more. Of several lcores the first reports unasked; the one that hears a query answers
// it.
#ifndef WEIR_NETSTACK_MLD_H
#define WEIR_NETSTACK_MLD_H

#include <stdint.h>

#include "netstack/ip6_stack.h"

#define MLD_ROBUSTNESS 2 // RFC 3810, 9.1: times a change is reported

struct mld {		   // of an interface
	uint64_t due;	   // ns: when a report goes out; TIME_NEVER
	uint64_t v1_until; // ns: a router of version 1 was heard; 0: none was
	uint8_t changes;   // reports of changed groups yet to be sent
};

// The addresses of `iface` changed, or may be used only now: its groups are reported anew, at once
// (RFC 3810, 6.1; RFC 3590). From any node of the lcore, with the graph built.
void mld_changed(struct ip6_stack *s, uint16_t iface);

#endif
