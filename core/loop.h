// SPDX-License-Identifier: BSD-3-Clause
// loop.h - the run-to-completion polling loop of one lcore
//
// A turn: read the clock; for every source take a burst and run it through the graph to its end;
// flush what the sinks gathered. Every LOOP_HOUSEKEEPING turns: node timers (on a capture clock every
// turn, so that each fires at its exact time) and the application's tick, which polls ports.
//
// On a capture clock time stands still while packets come. When none came it moves to the next packet
// of any capture or to the next node timer, whichever is earlier.
//
// On the real clock a loop with idle_ns sleeps when nothing has come for that long: it arms all sources,
// looks at each once more, and halts until a packet comes, plat_wake() is called, a node timer is due, or
// LOOP_SLEEP_NS are over; then housekeeping is done and, if nothing came, it sleeps on. One source that
// cannot be armed keeps it awake. Looked at between turns, so packets pay nothing for it.
#ifndef WEIR_CORE_LOOP_H
#define WEIR_CORE_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/graph.h"
#include "core/noise.h"

#define LOOP_SOURCES_MAX  96 // ports, and other lcores
#define LOOP_HOUSEKEEPING 256 // turns
// While the tick has work for many of them (struct loop, awake): so many turns at most, and about so long.
#define LOOP_AWAKE    64
#define LOOP_AWAKE_US 100
// What is held at the end has this long to move, real time; and so has a captured packet that is due.
#define LOOP_HELD_NS (5 * NSEC_PER_SEC)
// A captured packet that is due but does not come stops a capture clock this long, real time, if nothing
// else moves either; then the clock goes on to the node timers, which may let go what it waits for.
#define LOOP_STALL_NS (NSEC_PER_SEC / 100)
// The longest sleep: ports are looked after at least this often.
#define LOOP_SLEEP_NS (20 * (NSEC_PER_SEC / 1000))
#define LOOP_IDLE_NS  (100 * (NSEC_PER_SEC / 1000000)) // idle_ns of functions that are not told

// Timers a capture clock stops at between two packets; then it goes straight to the packet.
#define LOOP_TIMERS_MAX (1u << 20)

// Takes up to n packets (the shape of port_burst_fn: core knows no driver).
typedef uint16_t (*loop_burst_fn)(void *arg, struct mbuf **pkts, uint16_t n);

struct loop_source {
	loop_burst_fn burst;
	void *arg;
	struct node *node; // where its packets enter
	// cycles: of bursts that brought packets, and of the empty polls between it and the burst
	// before in the turn.
	uint64_t polls, empty, packets, cycles;
	// Capture ports: time stamp of the next packet, TIME_NEVER at the end; NULL: no end.
	uint64_t (*next_time)(const void *arg);
	const void *next_arg;
	// Sleep (port.h says what they do); arm NULL: the loop never sleeps. A source that another lcore fills
	// (a ring) says in arm, for its producers to see, that plat_wake() is wanted, then answers -EAGAIN if
	// something waits already; a full barrier stands between the two, on both sides.
	int (*arm)(void *arg, uint16_t index);
	void (*disarm)(void *arg, uint16_t index);
	void *arm_arg;
	uint16_t arm_index;
};

struct loop_sink { // something that gathers packets during a turn (a port's transmit node)
	bool (*flush)(void *arg); // whether there was anything to do
	void *arg;
};

struct loop {
	struct clock clock;
	struct graph *graph;
	struct loop_source source[LOOP_SOURCES_MAX];
	unsigned sources;
	struct loop_sink sink[LOOP_SOURCES_MAX];
	unsigned sinks;
	// Called from housekeeping; a nonzero return ends the loop.
	int (*tick)(void *arg, uint64_t now);
	void *tick_arg;
	uint16_t burst;       // packets asked of a source at once: 1 to GRAPH_BURST; 0: GRAPH_BURST
	uint64_t idle_ns;     // without packets before it sleeps; 0: it polls for ever
	uint64_t linger_ns;   // real time to wait for more when the captures have ended
	_Atomic bool stop;    // set by anyone: ends the loop after the turn
	bool stalled;         // it ended since a captured packet was due and could not be delivered
	uint64_t turns;       // of the loop
	uint64_t busy_turns;  // that moved packets
	uint64_t busy_cycles; // of those
	uint64_t sleeps, slept_ns;
	uint64_t false_wakes; // sleeps that ended before their time though nothing had come
	struct noise noise;   // real clock: turns that took too long for what they did
	uint64_t turn_longest; // cycles, since loop_watch()
	uint64_t turn_limit;   // longer ones are looked at
	bool awake; // set by the tick: it has work, so that the loop does not sleep, and calls it more often
};

// Runs until stop, a tick that says so, or the end: every source that has an end has reached it (and
// there is one), nothing moved for linger_ns, and no node holds a packet. What is held is given the
// time it needs: a capture clock moves from timer to timer; on either clock the loop gives up after
// LOOP_HELD_NS in which nothing moved. It gives up likewise, and says so in `stalled`, when a captured
// packet is due on a capture clock and its port cannot deliver it. Sinks are flushed once more before it returns. The calling
// thread must be lcore_enter()ed.
void loop_run(struct loop *l);

// By the loop's own lcore, between turns: measures anew how long its turns are, housekeeping included (but
// not sleep). Costs the turns nothing.
void loop_watch(struct loop *l);

#endif
