// SPDX-License-Identifier: BSD-3-Clause
// verdict.h - a function run on captures, and what came out compared with what was expected
//
// The steps: goldens are read (verdict_store.c), the function runs with ports that play captures and keep
// what they are sent (verdict_port.c), watched packet by packet (verdict_trace.h), each port's packets
// are matched with its golden's (verdict_match.h), and the reports are written.
#ifndef WEIR_APPS_TOOL_VERDICT_H
#define WEIR_APPS_TOOL_VERDICT_H

#include <stdio.h>

#include "apps/tool/verdict_fields.h"
#include "core/blob.h"
#include "core/err.h"
#include "pmd/pcap/reader.h"

#define VNONE	  UINT32_MAX // no packet, no gap
#define VLAST_MAX 2048u

enum verdict { // of a packet that was sent or expected
	V_EXPECTED,   // as the golden says
	V_MOVED,      // the same, but not in its place
	V_DIFFERENT,  // the same packet, with other fields, or at another time
	V_MISSING,    // of golden packets: not sent
	V_UNEXPECTED, // of sent packets: not in the golden
	V_UNJUDGED,   // the port has no golden
	VERDICTS
};

// A packet that was sent, or that a golden has. A golden's number is its index + 1, as in the capture.
struct vpacket {
	uint64_t time, off; // ns; where its bytes are kept
	uint64_t exact, identity; // verdict_fields.h
	uint32_t len;
	uint32_t record; // sent: in the trace; missing: the packet that should have become it, 0: unknown
	uint32_t pair;   // index among the others; VNONE
	uint32_t gap;	 // number of the gap it fell into, VNONE: it did not
	uint8_t verdict;
	uint8_t late; // the time differs by more than is tolerated
};

struct vpackets { // and their bytes, in a file without a name
	struct vpacket *list;
	size_t n, room;
	FILE *file;
	uint64_t size;
	const uint8_t *bytes; // once vpackets_done()
	uint8_t last[VLAST_MAX]; // the last one's, if it is no longer: who says the same again needs no room
	uint32_t last_len;
};

struct vport {
	const char *name;
	const char *in, *golden; // paths; NULL: none
	bool fresh;		 // the golden is not there yet: --accept makes it, nothing is compared
	struct capture_reader reader;
	int iface; // of the capture: only what came by it; -1: all
	bool reading;
	struct vpackets sent, want;
	uint64_t received, snapped, too_long, nombuf;
	uint64_t want_snapped;
	uint64_t count[VERDICTS]; // of packets
};

struct verdict_run {
	struct vport port[BLOB_PORTS_MAX];
	unsigned ports;
	struct vignore ignore;
	bool ignore_order;
	bool timed; // times are compared
	uint64_t tolerance;
	struct vtrace *trace;
	const struct clock *clock; // while it runs
	uint64_t first, last; // times of the captures
	uint64_t elapsed_ns;  // real time the run took
	uint64_t jumps;	      // times the clock went past timers (LOOP_TIMERS_MAX)
	uint64_t lines;	      // differences to print; 0: all
	const char *out;
	bool accept, json;
};

// --- verdict_store.c ---

// Adds a packet and its bytes. Memory or disk that ends, ends the program (a message says so).
struct vpacket *vpackets_add(struct vpackets *p, const void *data, uint32_t len, uint64_t time,
			     const struct vignore *g);
void vpackets_done(struct vpackets *p);
void vpackets_free(struct vpackets *p);
static inline const uint8_t *vpacket_bytes(const struct vpackets *p, const struct vpacket *k)
{
	return p->bytes + k->off;
}

// Reads the golden of a port. 0 or -errno.
// Opens a capture and says which of its interfaces is meant: the one called like the port, if that is described
// before the first packet; else -1, all. 0 or -errno. And goes to the first or next packet of that interface.
int verdict_open(struct capture_reader *c, const char *path, const char *port, int *iface, struct err *err);
void verdict_next(struct capture_reader *c, int iface);

int verdict_read_golden(struct verdict_run *r, struct vport *p, struct err *err);

// --- verdict_port.c ---

struct pmd;
// A driver of ports that play port[].in of the run, by name, and keep what they are sent in port[].sent.
const struct pmd *verdict_pmd(struct verdict_run *r);

// --- verdict_out.c ---

// Writes r->out: 0 or -errno.
int verdict_write_out(const struct verdict_run *r, struct err *err);
// Makes what each port with a golden has sent its golden, whole or not at all: 0 or -errno.
int verdict_accept(const struct verdict_run *r, struct err *err);

// --- verdict_report.c, verdict_json.c ---

void verdict_print(const struct verdict_run *r, FILE *out);
void verdict_print_json(const struct verdict_run *r, FILE *out);
extern const char *const verdict_names[VERDICTS];

// Whether all is as expected.
bool verdict_good(const struct verdict_run *r);
bool verdict_compared(const struct verdict_run *r); // some port has a golden

// The packets of all ports that have something to say, by time; the caller frees. all: also those that are as
// expected.
struct vitem {
	uint64_t time;
	uint32_t index;
	uint16_t port;
	bool sent; // else of the golden: missing
};
struct vitem *verdict_items(const struct verdict_run *r, bool all, size_t *n);
static inline const struct vpacket *vitem_packet(const struct verdict_run *r, const struct vitem *i)
{
	const struct vport *p = &r->port[i->port];

	return i->sent ? &p->sent.list[i->index] : &p->want.list[i->index];
}

#endif
