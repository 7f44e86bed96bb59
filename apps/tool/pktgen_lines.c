// SPDX-License-Identifier: BSD-3-Clause
// pktgen_lines.c - a line an interval, where there is no terminal for a live view
#include <inttypes.h>

#include "apps/tool/pktgen.h"

static const char *phase_text(enum pktgen_phase p)
{
	static const char *const names[] = {
		[PKTGEN_IDLE] = "idle",
		[PKTGEN_RESOLVING] = "asking for next hops",
		[PKTGEN_SENDING] = "sending",
		[PKTGEN_DRAINING] = "waiting for the last",
		[PKTGEN_DONE] = "done",
	};

	return names[p];
}

void lines_interval(const struct observer *o, FILE *out)
{
	const struct sample *n = o->now, *b = o->before;
	uint64_t since = b ? b->elapsed_ns : 0;
	char sent[TEXT_MAX], got[TEXT_MAX], lost[TEXT_MAX], p50[TEXT_MAX], p99[TEXT_MAX];

	if (n->phase == PKTGEN_RESOLVING) {
		fprintf(out, "weir pktgen: %s\n", phase_text(n->phase));
		return;
	}
	fprintf(out, "weir pktgen: %5.1f s, %s: sent %spps, received %spps, lost %s %% so far",
		(double)n->elapsed_ns / 1e9, phase_text(n->phase),
		text_short(sent, per_second(n->total.sent.packets, b ? b->total.sent.packets : 0, n->elapsed_ns, since)),
		text_short(got, per_second(n->total.received, b ? b->total.received : 0, n->elapsed_ns, since)),
		n->total.received ? text_percent(lost, loss(&n->total)) : "-");
	if (o->latency.count)
		fprintf(out, ", latency p50 %s p99 %s us", text_us(p50, o->latency.p50), text_us(p99, o->latency.p99));
	fputc('\n', out);
}
