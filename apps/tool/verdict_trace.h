// SPDX-License-Identifier: BSD-3-Clause
// verdict_trace.h - what became of every packet of a run: its way, its end, and what it caused
#ifndef WEIR_APPS_TOOL_VERDICT_TRACE_H
#define WEIR_APPS_TOOL_VERDICT_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "core/graph.h"
#include "mempool/mempool.h"

enum vend { // how it ended
	VEND_NONE,     // (nothing ended it: its buffer became part of another packet)
	VEND_SENT, VEND_DROPPED, VEND_CONSUMED,
};

struct vrecord { // of a packet, received or made
	uint64_t time;
	uint64_t identity, flow; // as it came in (verdict_fields.h)
	uint32_t number; // received: its place in the port's capture, from 1; made: 0
	uint32_t cause;  // made: the record of the packet at hand then; 0: a timer
	uint32_t path;   // its last step
	uint16_t port;   // received by
	uint16_t node;   // dropped or consumed by; VTRACE_NO_NODE
	uint8_t end, reason;
	bool used; // by the matcher: a golden packet is explained by it
};

#define VTRACE_NO_NODE UINT16_MAX

struct vtrace;

struct vtrace *vtrace_create(const struct mempool *pool, const struct clock *clock);
// From now on watches g, which ends before the trace does.
void vtrace_watch(struct vtrace *t, struct graph *g);
void vtrace_free(struct vtrace *t);

// m has just been received: packet `number` of `port`. Its record, valid until the next one.
struct vrecord *vtrace_received(struct vtrace *t, struct mbuf *m, unsigned port, uint32_t number, uint64_t time);
// m is being sent: its record's number, 1 and on.
uint32_t vtrace_sent(struct vtrace *t, const struct mbuf *m);

// After the run. Records are numbered from 1.
uint32_t vtrace_records(const struct vtrace *t);
struct vrecord *vtrace_record(const struct vtrace *t, uint32_t number);
// The received packet at the beginning of the chain of causes; 0: it was a timer.
uint32_t vtrace_root(const struct vtrace *t, uint32_t number);
// "eth-input > ip4-input > …"; returns text.
const char *vtrace_path(const struct vtrace *t, uint32_t number, char *text, size_t size);
// The node that made it, where its way began.
const char *vtrace_maker(const struct vtrace *t, uint32_t number);
// "dropped by ip4-rewrite: ttl-exceeded", "consumed by arp-input", "left by tx-wan"; returns text.
const char *vtrace_end(const struct vtrace *t, uint32_t number, char *text, size_t size);

// Calls each for every node and reason that packets were dropped by, received and made ones.
void vtrace_drops(const struct vtrace *t, void (*each)(void *arg, const char *node, const char *reason, uint64_t n),
		  void *arg);

#endif
