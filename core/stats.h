// SPDX-License-Identifier: BSD-3-Clause
// stats.h - statistics as a flat list of names and values
//
// The one source of every figure shown: the table, JSON, the image's report on its console. Whoever
// has figures hands them to an emit function, one call each. Names are paths with dots; no part but
// the last of one has a dot in it (a node's name has none). `name` is valid during the call alone.
//
//	nodes.NAME.{calls,packets,cycles}                     every node that was called
//	drops.NODE.REASON                                     where not 0
//	accounting.{rx,generated,tx,consumed,dropped,held,balanced}  balanced: 1 or 0
//	loop.{turns,busy_turns,busy_cycles}
//	loop.noise.{gaps,lost_us,worst_us}                    core/noise.h; real clock
//	ports.NAME...                                         by pmd/port.c
//	interfaces.LABEL...                                   by netstack/iface_stats.c, of a router
//	ports.NAME.queues.Q, lcores.K...                      by apps/app_stats.c, with several lcores
#ifndef WEIR_CORE_STATS_H
#define WEIR_CORE_STATS_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*stats_emit_fn)(void *arg, const char *name, uint64_t value);

struct graph;
struct graph_books;
struct loop;

// Any thread, control path: figures of a graph or loop that runs elsewhere are each right, but not of
// one moment.
void graph_stats_emit(const struct graph *g, stats_emit_fn emit, void *arg);

// The same in two parts, for the graphs of n lcores: nodes and drops, of one name together; and the books.
void graphs_stats_emit(const struct graph *const *g, unsigned n, stats_emit_fn emit, void *arg);
void books_emit(const struct graph_books *b, bool balanced, stats_emit_fn emit, void *arg);
void loop_stats_emit(const struct loop *l, stats_emit_fn emit, void *arg);
void loops_stats_emit(const struct loop *const *l, unsigned n, stats_emit_fn emit, void *arg); // together

#endif
