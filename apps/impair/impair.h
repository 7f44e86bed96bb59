// SPDX-License-Identifier: BSD-3-Clause
// impair.h - a patch that does harm: one lcore's, from one port to another
//
// Each packet suffers at most one thing. It is asked in this order: is it lost, corrupted, held back, duplicated;
// "every n-th" counts the packets that came as far as the question. Then it goes through the delay line, in the
// order in which it got there.
#ifndef WEIR_APPS_IMPAIR_IMPAIR_H
#define WEIR_APPS_IMPAIR_IMPAIR_H

#include "core/blob.h"
#include "core/graph.h"

#define IMPAIR_PACKETS 8192u // held at most, unless the configuration says otherwise
#define IMPAIR_BACK    1024u // held back for others to overtake, at most; a power of two
#define IMPAIR_BACK_NS NSEC_PER_SEC // and so long, if too few come

enum impair_kind { IMPAIR_LOSS, IMPAIR_CORRUPT, IMPAIR_REORDER, IMPAIR_DUPLICATE, IMPAIR_KINDS };

struct impair_held { // a packet in the delay line, or held back
	struct mbuf *m;
	uint64_t due;	 // on the line's clock: it leaves, however few have overtaken it
	uint64_t passed; // held back: as many packets will have passed when it goes on
};

struct impair_chance {
	uint32_t every;	 // 0: at random
	uint32_t left;	 // until the next
	uint64_t below;	 // at random: of 2^32
	uint64_t done;
};

struct impair {
	struct node *node;
	bool real;   // the line's clock is the TSC, else the graph's
	bool direct; // nothing is ever held or copied
	uint64_t delay, patience; // on the line's clock
	uint64_t next_due;	  // the earliest of what is held
	struct impair_chance chance[IMPAIR_KINDS];
	uint32_t gap;
	uint64_t random;
	uint64_t passed;
	struct impair_held *line; // a ring of `size`, a power of two, of which at most `most` are used
	uint32_t size, most, line_head, line_tail;
	struct impair_held back[IMPAIR_BACK]; // a ring, too
	uint32_t back_head, back_tail;
	uint64_t packets, uncopied, overdue;
};

// The node of a patch; its memory goes with the graph. NULL and err.
struct impair *impair_add(struct graph *g, const char *name, const struct blob_impair *conf, enum clock_kind clock,
			  struct err *err);

// What is due leaves (a loop's source on the real clock: exact to the turn). Gives no packets itself.
uint16_t impair_poll(void *impair, struct mbuf **pkts, uint16_t n);

#endif
