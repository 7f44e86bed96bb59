// SPDX-License-Identifier: BSD-3-Clause
// handoff.h - packets from one lcore's graph to another's: an SPSC ring for every ordered pair of
// lcores
//
// A mesh joins the graphs of some lcores. What node "handoff-in" of lcore `to` takes out of the
// rings goes on at the entry that the giving node (handoff_out_add) names; a packet says which by
// mbuf.entry. Packets of one pair of lcores keep their order, whatever their entries. Everything is
// given: fields, flags and scratch reach the other lcore as they are.
//
// The books: a giving node counts what it puts into a ring as sent, the taking graph counts it as
// rx. handoff_books() says how much of a graph's two sums that is, so that the books of all lcores
// together count a packet once (handoff_settle).
#ifndef WEIR_CORE_HANDOFF_H
#define WEIR_CORE_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/graph.h"
#include "core/loop.h"

#define HANDOFF_LCORES_MAX 16u
#define HANDOFF_RING	   1024u // packets

struct handoff; // the mesh

// NULL when there is no memory. lcores: 2 to HANDOFF_LCORES_MAX.
struct handoff *handoff_create(unsigned lcores, struct err *err);

// Frees what still waits in the rings, and the mesh. After its graphs; NULL is fine.
void handoff_destroy(struct handoff *h);

// Adds node "handoff-in" of lcore `to` to its graph g. Once a lcore, before handoff_out_add() names
// it.
struct node *handoff_in_add(struct handoff *h, struct graph *g, unsigned to, struct err *err);

// Adds to g, the graph of lcore `from`, a node `name`: what it is given enters at `entry`, a node
// of the graph of lcore `to`. A packet with several owners is given as a copy. Drops: "ring-full"
// (HANDOFF_RING packets wait), "no-buffer" (for a copy). NULL and err when it cannot be.
struct node *handoff_out_add(struct handoff *h, struct graph *g, unsigned from, const char *name,
			     unsigned to, struct node *entry, struct err *err);

// Fills a source of lcore `to`: what lcore `from` gives.
void handoff_source(struct loop_source *s, struct handoff *h, unsigned from, unsigned to);

// Says that lcores of the mesh may sleep (loop.h): who gives to one that does wakes it. Before they
// run.
void handoff_may_sleep(struct handoff *h);

// Packets that lcore `lcore` has given to others, and taken over from them.
struct handoff_books {
	uint64_t given, taken;
};

// By the lcore itself, or while it does not run: then both are of one moment.
void handoff_books(const struct handoff *h, unsigned lcore, struct handoff_books *b);

// Turns the sum of all graphs' books into those of all together, given the sum of what they gave
// and took: what is in the rings is held. Where the lcores went on between one's books and the
// next's, a packet may be taken that was not given yet: then it counts as received.
void handoff_settle(struct graph_books *sum, const struct handoff_books *all);

#endif
