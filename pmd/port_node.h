// SPDX-License-Identifier: BSD-3-Clause
// port_node.h - where ports meet the graph: transmit nodes, and ports as sources of a loop
//
// Building is main-thread control path; a node and its source and sink belong to the graph's lcore.
#ifndef WEIR_PMD_PORT_NODE_H
#define WEIR_PMD_PORT_NODE_H

#include <stdint.h>

#include "core/graph.h"
#include "core/loop.h"
#include "pmd/port.h"

// Packets a transmit node keeps for a port that takes fewer than it is given.
#define PORT_TX_BACKLOG 1024u

// Adds node "tx-NAME", which sends what it gets on `queue` of p, in order. A burst of 16 or more
// goes straight to the port while nothing waits; smaller ones, and what the port does not take,
// wait in the node (held) for the flush at the end of the turn. Drops: "too-long" (over the port's
// MTU + 18: Ethernet header and one tag; of a long packet, its segments), "ring-full"
// (PORT_TX_BACKLOG waiting already), "unsent" (waiting when the graph was destroyed), "bad-offload"
// (to be cut, and not TCP or UDP in the first segment), "no-buffer" (for segments), "port-down" (port.down,
// looked at between turns). What the port
// was not granted is done here (offload.h): checksums where the packet lies, segments as copies, in
// the order of their packets. p stays open until the graph is gone. NULL and err when the node
// cannot be added.
struct node *port_tx_node_add(struct graph *g, struct port *p, uint16_t queue, struct err *err);

// Adds node "port-down", which drops ("port-down") what comes in by a port that the operator wants down: the
// source's node then.
struct node *port_down_node_add(struct graph *g, struct err *err);

// Packets that wait in transmit node `tx` now.
uint32_t port_tx_backlog(const struct node *tx);

// Fills a loop's sink: transmit node `tx` sends what waits, once a turn.
void port_sink(struct loop_sink *s, struct node *tx);

// Fills a loop's source: packets of `queue` of p enter the graph at `entry`. A port that plays a
// capture gives the source its end; one whose driver can arm its queues lets the loop sleep.
void port_source(struct loop_source *s, struct port *p, uint16_t queue, struct node *entry);

// Play-out without loss: a source that is not polled while a transmit node it feeds has more than
// half of PORT_TX_BACKLOG waiting. Up to GRAPH_BURST packets a poll then always find room there.
struct port_gate {
	loop_burst_fn burst; // the source's own
	void *arg;
	const struct node *tx;
};

// Puts the gate in front of a source that port_source() has filled. gate lives as long as the loop.
void port_source_gate(struct loop_source *s, struct port_gate *gate, const struct node *tx);

#endif
