// SPDX-License-Identifier: BSD-3-Clause
// test_loop_idle.c - when a loop sleeps, for how long, and what keeps it awake. The platform's halt is
// replaced by one that does what a test says.
#include "tests/unit/core/loop_bench.h"

#include <errno.h>

#include "core/plat.h"

#define IDLE_NS 50000u
#define MSEC	(NSEC_PER_SEC / 1000)

static struct feeder { // a source that can be armed
	unsigned waiting;     // packets
	unsigned arms, disarms;
	unsigned on_arm;      // packets that come while it is armed
	int refuses;	      // what arm answers
} feeder[2];

static struct {
	unsigned halts, ends; // the loop is stopped at the halt number `ends`
	uint64_t ns[64];      // asked for
	uint64_t now[64];
	unsigned brings[64]; // packets that come during it
	bool sleeps;	     // it takes its time
} fake;

void plat_halt(uint64_t ns)
{
	uint64_t from = tsc_read();
	unsigned i = fake.halts++;

	assert_true(i < 64);
	for (unsigned f = 0; f < b.l.sources; f++)
		assert_int_equal(feeder[f].arms, feeder[f].disarms + 1);
	fake.ns[i] = ns;
	fake.now[i] = b.l.clock.now;
	feeder[0].waiting += fake.brings[i];
	while (fake.sleeps && clock_tsc_to_ns(&b.l.clock, tsc_read() - from) < ns)
		__asm__ volatile("pause");
	if (fake.halts == fake.ends)
		atomic_store(&b.l.stop, true);
}

static uint16_t feeder_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	struct feeder *f = arg;
	uint16_t k = f->waiting < n ? (uint16_t)f->waiting : n;

	test_packets(pool, pkts, k, 0);
	f->waiting -= k;
	return k;
}

static int feeder_arm(void *arg, uint16_t index)
{
	struct feeder *f = (struct feeder *)arg + index;

	if (f->refuses)
		return f->refuses;
	if (f->waiting)
		return -EAGAIN;
	f->arms++;
	f->waiting += f->on_arm;
	f->on_arm = 0;
	return 0;
}

static void feeder_disarm(void *arg, uint16_t index)
{
	((struct feeder *)arg)[index].disarms++;
}

static int tick_limit(void *arg, uint64_t now)
{
	return now > 200 * MSEC;
}

static void bench(enum clock_kind kind, unsigned sources, unsigned ends)
{
	setup(kind);
	memset(feeder, 0, sizeof(feeder));
	memset(&fake, 0, sizeof(fake));
	fake.ends = ends;
	b.l.idle_ns = IDLE_NS;
	b.l.tick = tick_limit; // what never sleeps ends too
	for (unsigned i = 0; i < sources; i++)
		b.l.source[b.l.sources++] = (struct loop_source){
			.burst = feeder_burst,
			.arg = &feeder[i],
			.node = b.n,
			.arm = feeder_arm,
			.disarm = feeder_disarm,
			.arm_arg = feeder,
			.arm_index = (uint16_t)i,
		};
}

static void awake(void)
{
	loop_run(&b.l);
	assert_int_equal(fake.halts, 0);
	assert_int_equal(b.l.sleeps, 0);
	assert_int_equal(b.l.slept_ns, 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(feeder[i].arms, feeder[i].disarms);
	teardown();
}

// Slept through: straight back to sleep after one turn with its housekeeping.
static void sleeps_on(void **state)
{
	bench(CLOCK_REAL, 2, 3);
	fake.sleeps = true;
	loop_run(&b.l);
	assert_true(b.l.clock.now >= IDLE_NS);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fake.ns[i], LOOP_SLEEP_NS);
	assert_int_equal(b.l.sleeps, 3);
	assert_true(b.l.slept_ns >= 3 * LOOP_SLEEP_NS);
	assert_int_equal(b.l.false_wakes, 0);
	assert_int_equal(b.l.turns % LOOP_HOUSEKEEPING, 2); // the last halt ended the loop
	assert_int_equal(feeder[0].disarms, 3);
	assert_int_equal(feeder[1].disarms, 3);
	teardown();
}

static void packet_ends_it(void **state)
{
	bench(CLOCK_REAL, 2, 3);
	fake.brings[0] = 5;
	fake.brings[1] = GRAPH_BURST + 1;
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 5 + GRAPH_BURST + 1);
	assert_int_equal(b.l.false_wakes, 0);
	for (unsigned i = 1; i < 3; i++) // and it polls for the whole idle time again
		assert_true(fake.now[i] - fake.now[i - 1] >= IDLE_NS);
	teardown();
}

// Whatever wakes it again and again for nothing gets a halt every idle time, not one a turn.
static void false_wakes(void **state)
{
	bench(CLOCK_REAL, 1, 10);
	loop_run(&b.l);
	assert_int_equal(b.l.false_wakes, 9);
	for (unsigned i = 1; i < 10; i++)
		assert_true(fake.now[i] - fake.now[i - 1] >= IDLE_NS);
	teardown();
}

// A packet that comes between the last look and the halt, as the driver sees it: not slept over.
static void packet_while_arming(void **state)
{
	bench(CLOCK_REAL, 2, 1);
	feeder[1].on_arm = 3;
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 3);
	assert_int_equal(feeder[1].arms, 2); // first in vain
	assert_int_equal(fake.halts, 1);
	teardown();
}

static void timer_comes_first(void **state)
{
	bench(CLOCK_REAL, 1, 1);
	b.p.due = 5 * MSEC;
	loop_run(&b.l);
	assert_int_equal(fake.now[0] + fake.ns[0], 5 * MSEC);
	teardown();
}

static void refused(void **state)
{
	const int refusals[] = {-EAGAIN, -ENOTSUP};

	for (unsigned i = 0; i < 2; i++) {
		bench(CLOCK_REAL, 2, 1);
		feeder[1].refuses = refusals[i];
		awake();
	}
}

static void cannot_be_armed(void **state)
{
	bench(CLOCK_REAL, 2, 1);
	b.l.source[1].arm = NULL;
	awake();
}

static void not_asked_to(void **state)
{
	bench(CLOCK_REAL, 1, 1);
	b.l.idle_ns = 0;
	awake();
}

static bool always_waits(void *arg)
{
	return true;
}

static void something_waits_to_be_sent(void **state)
{
	bench(CLOCK_REAL, 1, 1);
	b.l.sink[b.l.sinks++] = (struct loop_sink){always_waits, NULL};
	awake();
}

static void capture_clock_never(void **state)
{
	static const uint64_t t[] = {1000, 2000};

	bench(CLOCK_CAPTURE, 1, 1);
	b.tape[0] = (struct tape){&b.l.clock, t, 2, 0, 0};
	b.l.source[0].burst = tape_burst;
	b.l.source[0].arg = &b.tape[0];
	b.l.source[0].next_time = tape_next;
	b.l.source[0].next_arg = &b.tape[0];
	awake();
	assert_int_equal(b.p.seens, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps_on),
		cmocka_unit_test(packet_ends_it),
		cmocka_unit_test(false_wakes),
		cmocka_unit_test(packet_while_arming),
		cmocka_unit_test(timer_comes_first),
		cmocka_unit_test(refused),
		cmocka_unit_test(cannot_be_armed),
		cmocka_unit_test(not_asked_to),
		cmocka_unit_test(something_waits_to_be_sent),
		cmocka_unit_test(capture_clock_never),
	};

	pool = test_pool(1024);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
