// SPDX-License-Identifier: BSD-3-Clause
// bridge.h - learning bridges (IEEE 802.1D without its spanning tree)
//
// Frames between members keep all but the tags that their interfaces are under. What a member
// receives goes to the member where its destination was last heard, or, when that is not known and
// for broadcasts and multicasts, to all others (split horizon: never out by where it came in).
// 01:80:c2:00: 00:00 to 0f are not forwarded (7.12.6). A bridge with a station of its own gives it
// what is for its address, and all broadcasts and multicasts; what it sends goes the same way.
// Loops are not looked for: there must be none.
#ifndef WEIR_NETSTACK_BRIDGE_H
#define WEIR_NETSTACK_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/graph.h"
#include "netstack/iface.h"
#include "netstack/mac_table.h"

#define BRIDGE_MEMBERS_MAX 64u

struct bridge_count {	  // of one lcore
	uint64_t flooded; // frames that went to several
	uint64_t copied;  // of which copies were made: for members under tags, for its own station
	uint64_t no_buffer; // copies not made
	uint64_t unlearnt;  // frames of stations there was no room for
	uint64_t moved;	    // stations that came by another member than before
} cache_aligned;

struct bridge { // shared by all lcores
	struct mac_table macs;
	uint16_t iface;
	bool routed;
	unsigned graphs; // lcores that have nodes of it; the first sweeps
	unsigned n;
	uint16_t member[BRIDGE_MEMBERS_MAX]; // interfaces
	struct bridge_count count[IFACE_LCORES];
};

// NULL and err.
struct bridge *bridge_create(uint16_t iface, const uint16_t *member, unsigned n,
			     const struct bridge_conf *conf, struct err *err);
void bridge_free(struct bridge *b); // may be NULL

// What lcores count together.
void bridge_counts(const struct bridge *b, struct bridge_count *sum);

// Adds node "bridge", where frames of all bridges' members enter, as eth-input gives them; edge
// "up", for frames to a bridge's own station, is eth-input again. And node out-NAME of bridge
// number `iface`, for what its station sends. Both get an edge to each of the outs by
// bridge_connect(). Drops of both: "bad-source", "reserved-address", "own-address", "same-member",
// "no-member", "member-down", "too-long", "no-buffer", "interface-down". NULL and err.
struct node *bridge_node_add(struct graph *g, struct ifaces *ifs, struct err *err);
struct node *bridge_out_add(struct graph *g, struct ifaces *ifs, uint16_t iface, struct err *err);
int bridge_connect(struct node *node, struct node *const *tx, struct err *err);

#endif
