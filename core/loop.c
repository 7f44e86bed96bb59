// SPDX-License-Identifier: BSD-3-Clause
// loop.c - the run-to-completion polling loop of one lcore
#include "core/loop.h"

#include "core/plat.h"

struct run { // of a loop: what it remembers from turn to turn
	uint64_t tsc;        // when the turn began
	uint64_t mark;       // since which cycles belong to the next source that brings packets
	uint64_t moved_tsc;  // when packets last moved; kept while nothing comes of the captures
	uint64_t moved_seen; // busy turns until then
	uint64_t held;       // packets held then
	unsigned countdown;  // turns to housekeeping
	unsigned period;     // what it began with
	uint64_t kept_tsc;   // when the last housekeeping ended
	uint64_t idle_tsc;   // since when nothing has moved, as housekeeping saw it
	uint64_t idle_seen;  // busy turns until then
	unsigned timers;     // stops of the capture clock since the last packet
	bool busy;           // the last turn moved packets
	bool ends;           // some source has an end
	bool open;           // some source has none
	bool sleepy;         // it may sleep: on the real clock, and every source can be armed
	bool woken;          // the last halt ended before its time
};

// The earliest packet that a capture has to come; TIME_NEVER: all have ended.
static uint64_t next_time(const struct loop *l)
{
	uint64_t next = TIME_NEVER;

	for (unsigned i = 0; i < l->sources; i++) {
		const struct loop_source *s = &l->source[i];
		uint64_t t = s->next_time ? s->next_time(s->next_arg) : TIME_NEVER;

		if (t < next)
			next = t;
	}
	return next;
}

static struct run begin(struct loop *l)
{
	struct run r = {.countdown = LOOP_HOUSEKEEPING, .period = LOOP_HOUSEKEEPING};

	if (l->burst == 0 || l->burst > GRAPH_BURST)
		l->burst = GRAPH_BURST;
	r.sleepy = l->idle_ns && l->clock.kind == CLOCK_REAL;
	for (unsigned i = 0; i < l->sources; i++) {
		r.sleepy &= l->source[i].arm != NULL;
		r.ends |= l->source[i].next_time != NULL;
		r.open |= l->source[i].next_time == NULL;
	}
	if (l->clock.kind == CLOCK_CAPTURE && next_time(l) != TIME_NEVER)
		clock_advance(&l->clock, next_time(l));
	noise_start(&l->noise, l->clock.kind == CLOCK_REAL);
	r.tsc = r.mark = r.moved_tsc = r.idle_tsc = tsc_read();
	graph_housekeep(l->graph, clock_turn_at(&l->clock, r.tsc));
	return r;
}

// Real time since a packet last moved, looked at from turn to turn while nothing comes.
static uint64_t quiet(const struct loop *l, struct run *r)
{
	struct graph_books b;

	graph_books(l->graph, &b);
	if (l->busy_turns != r->moved_seen || b.held != r->held) {
		r->moved_seen = l->busy_turns;
		r->held = b.held;
		r->moved_tsc = r->tsc;
	}
	return clock_tsc_to_ns(&l->clock, r->tsc - r->moved_tsc);
}

// All captures have ended: may the loop?
static bool finished(struct loop *l, struct run *r)
{
	uint64_t ns = quiet(l, r);

	return ns >= l->linger_ns + (r->held ? LOOP_HELD_NS : 0);
}

// A capture clock stands at a packet that does not come: its port has no buffer for it, say, since
// nodes hold them all. When that lasts, the clock goes on to the timers that may end it. Ends the
// loop when there is none.
static bool stalled(struct loop *l, struct run *r, uint64_t due)
{
	uint64_t ns = quiet(l, r);

	if (ns < LOOP_STALL_NS)
		return false;
	if (due != TIME_NEVER && r->timers < LOOP_TIMERS_MAX) {
		r->timers++;
		clock_advance(&l->clock, due);
		return false;
	}
	l->stalled = ns >= LOOP_HELD_NS;
	return l->stalled;
}

// Moves a capture clock on. A source without an end may answer what it was sent, so time waits until
// all are empty; captures alone are asked when their next packet is due.
static void advance(struct loop *l, struct run *r, uint64_t next, uint64_t due)
{
	if (r->busy) {
		r->timers = 0;
		if (r->open)
			return;
	}
	if (due < next && r->timers < LOOP_TIMERS_MAX) {
		r->timers++;
		clock_advance(&l->clock, due);
	} else if (next != TIME_NEVER) {
		l->jumps += due < next;
		clock_advance(&l->clock, next);
	}
}

static always_inline bool source_poll(struct loop *l, struct run *r, struct loop_source *s)
{
	struct mbuf *pkts[GRAPH_BURST];
	uint16_t n = s->burst(s->arg, pkts, l->burst);
	uint64_t tsc;

	s->polls++;
	if (n == 0) {
		s->empty++;
		return false;
	}
	tsc = tsc_read();
	s->packets += n;
	s->cycles += tsc - r->mark;
	r->mark = s->made ? graph_made_at(l->graph, s->node, pkts, n, tsc)
			  : graph_rx_at(l->graph, s->node, pkts, n, tsc);
	return true;
}

// Whether there was anything to do.
static always_inline bool flush(const struct loop *l)
{
	bool done = false;

	for (unsigned i = 0; i < l->sinks; i++)
		done |= l->sink[i].flush(l->sink[i].arg);
	return done;
}

static void disarm_all(struct loop *l, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		l->source[i].disarm(l->source[i].arm_arg, l->source[i].arm_index);
}

// Whether all sources now wake this lcore. One that cannot now (a device that was replaced, say) is asked
// again after the next idle time.
static bool arm_all(struct loop *l)
{
	for (unsigned i = 0; i < l->sources; i++) {
		struct loop_source *s = &l->source[i];

		if (s->arm(s->arm_arg, s->arm_index)) {
			disarm_all(l, i);
			return false;
		}
	}
	return true;
}

// What is left to do: packets come, or wait to be sent, or it shall end.
static bool restless(struct loop *l, struct run *r)
{
	for (unsigned i = 0; i < l->sources; i++)
		r->busy |= source_poll(l, r, &l->source[i]);
	return flush(l) || r->busy || atomic_load_explicit(&l->stop, memory_order_relaxed);
}

// Halts for ns at most. The turn that follows polls everything, and does the housekeeping.
static void halt(struct loop *l, struct run *r, uint64_t ns)
{
	uint64_t from = tsc_read(), slept;

	plat_halt(ns);
	r->tsc = tsc_read(); // no part of the turn
	slept = clock_tsc_to_ns(&l->clock, r->tsc - from);
	l->sleeps++;
	l->slept_ns += slept;
	r->woken = slept < ns - ns / 64; // the timer's clock and ours are not the same
	r->countdown = 1;
}

// Sleeps when nothing has moved for long enough and nothing is due before: a timer, a packet that waits to
// be sent.
static void idle(struct loop *l, struct run *r, uint64_t due)
{
	uint64_t now = l->clock.now, ns = due > now ? due - now : 0;

	if (l->busy_turns != r->idle_seen || r->busy) {
		r->idle_seen = l->busy_turns;
		r->idle_tsc = r->tsc;
		r->woken = false;
		return;
	}
	if (r->woken) { // by nothing: whoever does that again and again must not keep us in system calls
		l->false_wakes++;
		r->idle_tsc = r->tsc;
		r->woken = false;
	}
	if (clock_tsc_to_ns(&l->clock, r->tsc - r->idle_tsc) < l->idle_ns)
		return;
	if (ns > LOOP_SLEEP_NS)
		ns = LOOP_SLEEP_NS;
	if (ns == 0 || flush(l) || !arm_all(l))
		return;
	if (!restless(l, r))
		halt(l, r, ns);
	disarm_all(l, l->sources);
	r->tsc = tsc_read(); // nor is taking the queues up again
}

// Turns of LOOP_AWAKE_US, as long as they were of late: slow ones (an emulator's) must not starve the tick.
static unsigned awake_period(const struct run *r)
{
	uint64_t turn = r->period > 1 ? (r->tsc - r->kept_tsc) / (r->period - 1) : 0;
	uint64_t n = turn ? plat_tsc_hz() / 1000000 * LOOP_AWAKE_US / turn : LOOP_AWAKE;

	return n < 4 ? 4 : n > LOOP_AWAKE ? LOOP_AWAKE : (unsigned)n;
}

// Between turns; false ends the loop.
static bool housekeeping(struct loop *l, struct run *r)
{
	uint64_t due = graph_housekeep(l->graph, l->clock.now);
	uint64_t next;

	if (l->clock.kind == CLOCK_CAPTURE)
		flush(l); // what timers sent leaves at their time, not at the next
	if (r->countdown == 0) {
		if (l->tick && l->tick(l->tick_arg, l->clock.now))
			return false;
		r->countdown = r->period = l->awake ? awake_period(r) : LOOP_HOUSEKEEPING;
		r->kept_tsc = tsc_read();
	}
	if (r->sleepy && !l->awake)
		idle(l, r, due);
	if (!r->ends)
		return true;
	next = next_time(l);
	if (next == TIME_NEVER) {
		if (r->busy)
			return true;
		if (finished(l, r))
			return false;
		if (r->held == 0)
			return true; // lingering; nobody needs the time of a capture that is over
	}
	if (l->clock.kind != CLOCK_CAPTURE)
		return true;
	if (!r->busy && next <= l->clock.now)
		return !stalled(l, r, due);
	advance(l, r, next, due);
	return true;
}

void loop_watch(struct loop *l)
{
	l->turn_longest = l->turn_limit = 0;
}

// The longest so far is looked at here, so that turns need one comparison for that and for gaps.
// Housekeeping may take its time, and packets theirs; any other long turn is the host's doing.
static __attribute__((noinline)) void long_turn(struct loop *l, const struct run *r, uint64_t cycles)
{
	if (cycles > l->turn_longest)
		l->turn_longest = cycles;
	l->turn_limit = l->turn_longest < l->noise.limit ? l->turn_longest : l->noise.limit;
	if (!noise_suspect(&l->noise, cycles))
		return;
	if (r->countdown != r->period)
		noise_gap(&l->noise, cycles, r->busy ? l->sources : 0);
}

// The end of one turn is the beginning of the next. at_mark: nothing was done since the last burst
// ended and the TSC was read.
static always_inline void turn(struct loop *l, struct run *r, bool at_mark)
{
	uint64_t tsc = at_mark ? r->mark : tsc_read(), cycles = tsc - r->tsc;

	if (unlikely(cycles > l->turn_limit))
		long_turn(l, r, cycles);
	if (r->busy) {
		l->busy_turns++;
		l->busy_cycles += cycles;
		r->busy = false;
	}
	r->tsc = r->mark = tsc;
}

void loop_run(struct loop *l)
{
	struct run r = begin(l);

	while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
		bool at_mark = false;

		clock_turn_at(&l->clock, r.tsc);
		for (unsigned i = 0; i < l->sources; i++) {
			at_mark = source_poll(l, &r, &l->source[i]);
			r.busy |= at_mark;
		}
		at_mark &= !flush(l);
		l->turns++;
		r.countdown--;
		if (l->clock.kind == CLOCK_CAPTURE || r.countdown == 0) {
			at_mark = false;
			if (!housekeeping(l, &r))
				break;
		}
		turn(l, &r, at_mark);
	}
	flush(l);
	turn(l, &r, false);
}
