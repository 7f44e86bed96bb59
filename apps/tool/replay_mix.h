// SPDX-License-Identifier: BSD-3-Clause
// replay_mix.h - the packets of all captures of a replay, in the order and form in which they are sent
#ifndef WEIR_APPS_TOOL_REPLAY_MIX_H
#define WEIR_APPS_TOOL_REPLAY_MIX_H

#include "apps/tool/replay_conf.h"
#include "core/err.h"

struct replay_packet {
	uint64_t time; // ns after the first packet of all; never below the one before
	const uint8_t *data; // valid until the next
	uint32_t len;
	uint16_t port;
};

// What became of the records of one pass. read = packets + nowhere + skipped; other_link are none of them.
struct replay_tally {
	uint64_t read, packets, bytes;
	uint64_t nowhere;    // no port was for them
	uint64_t other_link; // of interfaces that are no Ethernet
	uint64_t snapped;    // cut when they were captured
	uint64_t skipped;    // for that: snapped: skip
	uint64_t backwards;  // with a stamp before that of the packet before: sent at once
	uint64_t bad_times;  // with a stamp that cannot be
	uint64_t cut_gaps;   // that came sooner, because of max_gap
	uint32_t longest;    // bytes
	uint64_t span_ns;
};

struct replay_mix;

// Opens all captures at their beginning; with client splits this reads them once. NULL and err.
struct replay_mix *replay_mix_open(const struct replay_conf *c, struct err *err);
void replay_mix_close(struct replay_mix *m);

// The next packet; false: the end of all, or of one in an error (replay_mix_error), all of whose packets before were
// given.
bool replay_mix_next(struct replay_mix *m, struct replay_packet *p);
int replay_mix_error(const struct replay_mix *m, struct err *err);

// Back to the beginning: 0, or -errno and err (a pipe has none).
int replay_mix_rewind(struct replay_mix *m, struct err *err);
bool replay_mix_live(const struct replay_mix *m); // some of it is no file: packets come in their own time
void replay_mix_tally(const struct replay_mix *m, struct replay_tally *t);

#endif
