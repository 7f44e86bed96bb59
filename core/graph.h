// SPDX-License-Identifier: BSD-3-Clause
// graph.h - the packet graph of one lcore: nodes, edges, drops, and the machinery that runs bursts
//
// A node's process() takes a burst and says for each packet where it goes: an out-edge, a named drop,
// consumed, or held. The machinery splits the burst by that, counts, frees what was dropped and runs
// the next nodes depth-first, so that when graph_rx() returns every packet of the burst has ended.
// Packets that take the same path keep their order; of several edges in a burst, the one that is met
// first goes first. One graph belongs to one lcore; nothing locks.
//
// A pseudo-node called "graph" keeps the machinery's own drops: "depth", "bad-edge" (a value in next[]
// that names no edge and no reason; audit builds stop instead) and "emit-full".
//
// The books: rx + generated = tx + consumed + dropped + held, at any moment outside process().
#ifndef WEIR_CORE_GRAPH_H
#define WEIR_CORE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/lcore.h"
#include "mempool/mbuf.h"

// Packets a burst holds at most. 64: docs/performance.md has the figures for 32 to 256.
#ifndef GRAPH_BURST
#define GRAPH_BURST 64u
#endif
#define GRAPH_NODES_MAX   128
#define NODE_NAME_MAX     63 // characters
#define GRAPH_DEPTH_MAX   32 // a packet that goes deeper is in a loop: dropped as "graph: depth"
#define GRAPH_PENDING_MAX (32 * GRAPH_BURST) // emitted and released, not yet run

// What process() writes for a packet.
#define NEXT_EDGES    0x80                      // values below: the out-edge of that number
#define NEXT_DROP(r)  ((uint8_t)(0x80 + (r)))   // dropped for reason r of this node; r < NODE_DROPS_MAX
#define NEXT_SENT     0xfd // given to a port, which owns it now (the port's own node only)
#define NEXT_HELD     0xfe // the node keeps it; later graph_release() or graph_drop_held()
#define NEXT_CONSUMED 0xff // the node has finished with it; the machinery frees it
#define NODE_DROPS_MAX 64

struct node;
struct graph;

struct node_def { // a kind of node: const
	const char *name;
	const char *const *edges; // names of the fixed out-edges, NULL-terminated; NULL: none
	const char *const *drops; // names of the drop reasons, NULL-terminated; NULL: none
	// n is 1 to GRAPH_BURST. pkts[i] may be rewritten in place; next[i] must be set for each, or
	// node_all() called instead.
	// NULL: everything takes edge 0.
	void (*process)(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n);
	// Optional. Housekeeping with the clock at `now`: acts on what is due and returns when it wants
	// to be called next, after now (TIME_NEVER: not before a graph_wake(); a capture clock stops
	// at these times, so a node that waits for nothing says so). Called once before the first
	// packet.
	uint64_t (*housekeep)(struct node *node, uint64_t now);
	// Optional. Frees the node's state and drops what it holds (graph_drop_held).
	void (*destroy)(struct node *node);
};

struct node_stats {
	// cycles: from the end of the node before to the end of this one's process(), with what it
	// takes to hand the burst over; and of freeing what this one drops.
	uint64_t calls, packets, cycles;
	uint64_t generated, consumed, sent;
	uint64_t held; // now
	uint64_t drop[NODE_DROPS_MAX];
};

struct node {
	void (*process)(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n);
	void *state;
	struct graph *graph;
	struct node **edge; // out-edges by number
	uint16_t edges;
	uint16_t drops; // reasons of its kind
	uint16_t id;
	uint16_t all; // node_all(): 0x100 | next; 0: not called
	const struct node_def *def;
	const char *name; // of this instance: "ip4-input", "tx-wan"
	struct node_stats stats cache_aligned;
};

// --- building: main thread, before the loop starts ---

struct graph *graph_create(const struct clock *clock, struct err *err);
void graph_destroy(struct graph *g);

// A node of kind def under `name` (copied), with its state. Fixed edges are unconnected at first.
// NULL when the graph is full or the name taken.
struct node *graph_add(struct graph *g, const struct node_def *def, const char *name, void *state,
		       struct err *err);

// Connects the fixed edge called `edge`. 0, -ENOENT when the kind has no such edge.
int node_connect(struct node *from, const char *edge, struct node *to, struct err *err);

// Adds an out-edge at run of the builder (one per port, say). Its number, or -ENOSPC.
int node_add_edge(struct node *from, struct node *to, struct err *err);

// Every edge of every node leads somewhere: 0, or -EINVAL naming the first that does not.
int graph_check(const struct graph *g, struct err *err);

struct node *graph_find(struct graph *g, const char *name);

// --- running: the owning lcore ---

// From process(): all packets of the burst take v, and next[] does not count. Cheaper for a node that
// knows it without looking at each packet.
static inline void node_all(struct node *node, uint8_t v)
{
	node->all = 0x100 | v;
}

// Brings n packets (1 to GRAPH_BURST) that a port received into the graph at `node`, and runs them to
// their end. They count as rx. pkts[] is the machinery's to write meanwhile. Not from within a node.
void graph_rx(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n);

// The same for a caller that has read the TSC just now; returns it as read when the last node ended.
uint64_t graph_rx_at(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n,
		     uint64_t tsc);

// From process() or housekeep() of `node`: a packet made by this node leaves by `edge`. Counts as
// generated. It is run, in order, once the burst that graph_rx() was given has ended (housekeep: once
// that has returned), so no node is entered twice. Over GRAPH_PENDING_MAX at a time are dropped as
// "graph: emit-full".
void graph_emit(struct node *node, uint8_t edge, struct mbuf *pkt);

// From process() of `node`: it has made n packets, and holds them. Count as generated.
void graph_made_held(struct node *node, unsigned n);

// From process() or housekeep() of any node: a packet that `node` holds goes on by its `edge`, run
// as above.
void graph_release(struct node *node, uint8_t edge, struct mbuf *pkt);

// A packet that was NEXT_HELD is dropped for `reason`, at once. From anywhere, destroy() included.
void graph_drop_held(struct node *node, uint8_t reason, struct mbuf *pkt);

// n packets that `node` held have become part of another that it has: they count as consumed. From
// process(), those of its own burst that are reported NEXT_HELD included.
void graph_joined_held(struct node *node, unsigned n);

// For a port's node: a packet reported NEXT_HELD (it waits in the node's own queue) has now been sent.
void graph_sent_held(struct node *node, unsigned n);

// From anywhere on the lcore: the housekeeping of `node` is wanted at `at`, if it is not due earlier.
void graph_wake(struct node *node, uint64_t at);

// Runs housekeeping of the nodes that are due; returns when it is next needed.
uint64_t graph_housekeep(struct graph *g, uint64_t now);

// The clock of this turn, ns.
uint64_t graph_now(const struct node *node);

// --- the books ---

struct graph_books {
	uint64_t rx, generated, tx, consumed, dropped, held;
};

void graph_books(const struct graph *g, struct graph_books *b);
bool graph_balanced(const struct graph_books *b);

// Nodes in the order they were added, for statistics; the last is the pseudo-node "graph".
unsigned graph_nodes(const struct graph *g);
const struct node *graph_node(const struct graph *g, unsigned i);

#endif
