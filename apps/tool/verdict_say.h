// SPDX-License-Identifier: BSD-3-Clause
// verdict_say.h - what is to be said of a packet, for all three reports
#ifndef WEIR_APPS_TOOL_VERDICT_SAY_H
#define WEIR_APPS_TOOL_VERDICT_SAY_H

#include "apps/tool/verdict.h"
#include "apps/tool/verdict_trace.h"

#define VSAY_FIELDS 8u // of a packet: more are counted

struct vsaid {
	enum verdict verdict;
	const char *port;
	uint64_t time;
	uint32_t golden; // packet of the port's golden, from 1; 0: none
	uint32_t sent;	 // packet of those sent by the port, from 1; 0: missing
	uint32_t record; // of the trace; 0: unknown
	uint32_t from;	 // record of the received packet behind it; 0: a timer, or unknown
	char frame[200]; // the packet in a line
	struct vdiff diff[VSAY_FIELDS];
	unsigned diffs; // there are so many
	char late[80];	// "sent 1.5 ms late"; "" when in time
	char end[120];	// missing: what became of packet `from`; "" when that is not known
	char maker[NODE_NAME_MAX + 1]; // the node that made it; "" when it was received
	char path[640];
};

void verdict_say(const struct verdict_run *r, const struct vitem *item, struct vsaid *s);

// Names counted: fields that differ, reasons for what is missing.
struct vtally {
	struct vtally_entry { char name[120]; uint64_t n; } *e;
	size_t n, room;
};
void vtally_add(struct vtally *t, const char *name);
void vtally_free(struct vtally *t);

// "12:00:01.000123", with the date when the run saw more than one. Returns text.
const char *verdict_time(const struct verdict_run *r, uint64_t time, char text[40]);

#endif
