// SPDX-License-Identifier: BSD-3-Clause
// test_impair.c - what the impairing node does, packet by packet, and what the measuring node makes of it
#include "tests/unit/core/graph_kinds.h"
#include "tests/unit/apps/signed_packet.h"

#include "apps/impair/impair.h"
#include "apps/pktgen/meas.h"
#include "core/clock.h"
#include "core/plat.h"

static struct mempool *pool;
static struct hdr_pool *copies;

struct rig {
	struct clock clock;
	struct graph *g;
	struct impair *p;
	struct picker out;
	struct meas *m;
	struct node *rx;
};

static struct rig rig;

static void start(const struct blob_impair *conf, enum clock_kind kind, bool measured)
{
	struct meas_conf mc = {.streams = 1, .ports = 1};
	struct err err = {""};
	struct node *to;

	memset(&rig, 0, sizeof(rig));
	clock_init(&rig.clock, kind);
	rig.out.due = TIME_NEVER;
	rig.out.pick = pick_sent;
	rig.g = graph_create(&rig.clock, &err);
	rig.p = impair_add(rig.g, "impair-a", conf, kind, &err);
	assert_non_null(rig.p);
	to = test_add(rig.g, &picker_def, "out", &rig.out);
	if (measured) {
		rig.m = meas_create(&mc, &err);
		rig.rx = meas_node_add(rig.g, rig.m, 0, "pktgen-rx-b", &err);
		assert_int_equal(node_connect(rig.rx, "stack", to, &err), 0);
		to = rig.rx;
		meas_start(rig.m, 7, tsc_read(), 1ull << 60);
	}
	assert_int_equal(node_connect(rig.p->node, "out", to, &err), 0);
	graph_housekeep(rig.g, 0);
}

static void stop(void)
{
	struct graph_books b;

	graph_books(rig.g, &b);
	assert_true(graph_balanced(&b));
	graph_destroy(rig.g);
	meas_destroy(rig.m);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

// Packets first to first + n - 1, in bursts.
static void send(uint32_t first, unsigned n, unsigned burst)
{
	struct mbuf *pkts[GRAPH_BURST];

	while (n) {
		unsigned k = n < burst ? n : burst;

		for (unsigned i = 0; i < k; i++) {
			uint8_t zeros[60] = {0};

			pkts[i] = mbuf_from_bytes(pool, zeros, sizeof(zeros));
			pkts[i]->scratch32[0] = first + i;
		}
		graph_rx(rig.g, rig.p->node, pkts, k);
		first += k;
		n -= k;
	}
}

static void came(const uint32_t *want, unsigned n)
{
	assert_int_equal(rig.out.seens, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(rig.out.seen[i], want[i]);
	rig.out.seens = 0;
}

// Two of five, as they stand in a burst and over bursts.
static void every_nth(void **state)
{
	static const uint32_t lossless[] = {0, 1, 3, 4, 6, 7, 9};
	static const uint32_t twice[] = {0, 1, 1, 2, 3, 3, 4, 5, 5, 6};
	struct blob_impair loss = {.loss = 3, .gap = 1, .flags = BLOB_IMPAIR_LOSS_EXACT};
	struct blob_impair copy = {.duplicate = 2, .gap = 1, .flags = BLOB_IMPAIR_DUPLICATE_EXACT};

	for (unsigned burst = 1; burst < 64; burst += 9) {
		start(&loss, CLOCK_CAPTURE, false);
		send(0, 10, burst);
		came(lossless, 7);
		assert_int_equal(rig.p->node->stats.drop[0], 3);
		assert_int_equal(rig.p->chance[IMPAIR_LOSS].done, 3);
		stop();
		start(&copy, CLOCK_CAPTURE, false);
		send(0, 7, burst);
		came(twice, 10);
		assert_int_equal(rig.p->chance[IMPAIR_DUPLICATE].done, 3);
		stop();
	}
}

// Exactly `gap` packets overtake each, in whatever bursts they come.
static void reorder(void **state)
{
	static const uint32_t want[] = {0, 1, 2, 4, 5, 3, 6, 8, 9, 7, 10};
	struct blob_impair conf = {.reorder = 4, .gap = 2, .flags = BLOB_IMPAIR_REORDER_EXACT};

	for (unsigned burst = 1; burst < 64; burst += 3) {
		start(&conf, CLOCK_CAPTURE, false);
		send(0, 11, burst);
		came(want, 11);
		send(11, 1, 1); // 11 waits for two that do not come
		assert_int_equal(rig.out.seens, 0);
		rig.clock.now += IMPAIR_BACK_NS - 1;
		graph_housekeep(rig.g, rig.clock.now);
		assert_int_equal(rig.out.seens, 0);
		rig.clock.now++;
		graph_housekeep(rig.g, rig.clock.now);
		came((const uint32_t[]){11}, 1);
		assert_int_equal(rig.p->overdue, 1);
		stop();
	}
}

// On a capture clock to the nanosecond.
static void delay(void **state)
{
	struct blob_impair conf = {.delay_ns = 50000};

	start(&conf, CLOCK_CAPTURE, false);
	rig.clock.now = 1000;
	send(0, 3, 2);
	rig.clock.now = 1010;
	send(3, 1, 1);
	assert_int_equal(graph_housekeep(rig.g, 1010), 51000);
	rig.clock.now = 50999;
	assert_int_equal(graph_housekeep(rig.g, 50999), 51000);
	assert_int_equal(rig.out.seens, 0);
	rig.clock.now = 51000;
	assert_int_equal(graph_housekeep(rig.g, 51000), 51010);
	came((const uint32_t[]){0, 1, 2}, 3);
	rig.clock.now = 51010;
	assert_int_equal(graph_housekeep(rig.g, 51010), TIME_NEVER);
	came((const uint32_t[]){3}, 1);
	stop();
}

static void line_full(void **state)
{
	struct blob_impair conf = {.delay_ns = 1000, .packets = 5, .duplicate = 2, .flags = BLOB_IMPAIR_DUPLICATE_EXACT};

	start(&conf, CLOCK_CAPTURE, false);
	send(0, 6, 6); // 0 1 1 2 3 | 3 4 5 5
	assert_int_equal(rig.p->node->stats.drop[1], 4);
	assert_int_equal(rig.p->node->stats.held, 5);
	rig.clock.now = 1000;
	graph_housekeep(rig.g, 1000);
	came((const uint32_t[]){0, 1, 1, 2, 3}, 5);
	send(6, 6, 6);
	stop(); // what is held is dropped, and counted
}

// By the TSC: never less than asked for, and polled for not much more.
static void real_delay(void **state)
{
	struct blob_impair conf = {.delay_ns = 200000};
	uint64_t hz = plat_tsc_hz(), from, to;

	start(&conf, CLOCK_REAL, false);
	from = tsc_read();
	send(0, 1, 1);
	assert_int_equal(impair_poll(rig.p, NULL, 64), 0);
	assert_int_equal(rig.out.seens, 0);
	while (!rig.out.seens)
		impair_poll(rig.p, NULL, 64);
	to = tsc_read();
	assert_true((double)(to - from) / (double)hz >= 200e-6);
	assert_int_equal(rig.p->next_due, UINT64_MAX);
	stop();
}

// Shares at random: as many as chance has it, and the same for the same seed.
static void random_shares(void **state)
{
	struct blob_impair conf = {.loss = 100000, .duplicate = 50000, .reorder = 20000, .gap = 3, .corrupt = 10000, .seed = 5};
	uint64_t done[2][IMPAIR_KINDS];
	uint32_t sum[3] = {0};

	for (unsigned k = 0; k < 3; k++) {
		conf.seed = k == 2 ? 6 : 5;
		start(&conf, CLOCK_CAPTURE, false);
		for (unsigned i = 0; i < 10; i++) {
			send(0, 1000, 32);
			for (unsigned j = 0; j < rig.out.seens; j++)
				sum[k] = sum[k] * 31 + rig.out.seen[j];
			rig.out.seens = 0;
		}
		for (unsigned i = 0; k < 2 && i < IMPAIR_KINDS; i++)
			done[k][i] = rig.p->chance[i].done;
		stop();
	}
	assert_memory_equal(done[0], done[1], sizeof(done[0]));
	assert_int_equal(sum[0], sum[1]);
	assert_int_not_equal(sum[0], sum[2]);
	// Five standard deviations of 10,000 draws.
	assert_in_range(done[0][IMPAIR_LOSS], 850, 1150);
	assert_in_range(done[0][IMPAIR_CORRUPT], 45, 140);
	assert_in_range(done[0][IMPAIR_REORDER], 110, 245);
	assert_in_range(done[0][IMPAIR_DUPLICATE], 335, 545);
}

static struct frame frame;

static void send_signed(uint32_t first, unsigned n, unsigned len)
{
	struct mbuf *pkts[GRAPH_BURST];

	for (unsigned i = 0; i < n;) {
		unsigned k = 0;

		for (; k < 37 && i < n; k++, i++) {
			signed_packet(&frame, i % 2 ? 6 : 4, i % 3 ? 17 : 6, len, 0, first + i, (1ull << 60) - 1000);
			pkts[k] = mbuf_from_bytes(pool, frame.b, frame.len);
			assert_non_null(pkts[k]);
			pkts[k]->flags = i % 5 ? 0 : MBUF_RX_L4_OK; // as a port that verifies says
		}
		graph_rx(rig.g, rig.p->node, pkts, k);
	}
}

// Everything at once: what was done is what was measured, exactly.
static void measured(void **state)
{
	struct blob_impair conf = {.loss = 10, .corrupt = 9, .reorder = 8, .duplicate = 7, .gap = 5, .flags = BLOB_IMPAIR_FLAGS};
	static const unsigned len[] = {98, 1500, 9000};

	for (unsigned k = 0; k < 3; k++) {
		unsigned n = 10000, lost, corrupted, reordered, duplicated;
		struct meas_result r = {0};

		start(&conf, CLOCK_CAPTURE, true);
		send_signed(0, n, len[k]);
		rig.clock.now += IMPAIR_BACK_NS; // the last ones held back
		graph_housekeep(rig.g, rig.clock.now);
		lost = n / 10;
		corrupted = (n - lost) / 9;
		reordered = (n - lost - corrupted) / 8;
		duplicated = (n - lost - corrupted - reordered) / 7;
		hdr_pool_reset(copies);
		hdr_init(&r.latency, copies);
		hdr_init(&r.ipdv, copies);
		meas_result(rig.m, UINT32_MAX, &r);
		assert_int_equal(rig.p->chance[IMPAIR_LOSS].done, lost);
		assert_int_equal(rig.p->chance[IMPAIR_CORRUPT].done, corrupted);
		assert_int_equal(rig.p->chance[IMPAIR_REORDER].done, reordered);
		assert_int_equal(rig.p->chance[IMPAIR_DUPLICATE].done, duplicated);
		assert_int_equal(r.packets, n - lost - corrupted);
		assert_int_equal(r.corrupt, corrupted);
		assert_int_equal(r.duplicate, duplicated);
		// All but those at the end that too few came to overtake.
		assert_in_range(r.reordered, reordered - rig.p->overdue, reordered);
		assert_true(rig.p->overdue <= 1);
		assert_in_range(r.reorder_extent_max, 5, 6); // 5 passed, and perhaps one that was held back too
		assert_true(r.reorder_extent_sum >= 5 * r.reordered - 4);
		assert_int_equal(r.late + r.reorder_unmeasured + r.negative, 0);
		stop();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_nth), cmocka_unit_test(reorder),	      cmocka_unit_test(delay),
		cmocka_unit_test(line_full), cmocka_unit_test(real_delay),    cmocka_unit_test(random_shares),
		cmocka_unit_test(measured),
	};
	struct mempool_conf conf = {.name = "test", .count = 2048, .data_room = 2048, .lcores = 1};
	struct err err;

	pool = mempool_create(&conf, &err);
	assert_non_null(pool);
	copies = hdr_pool_create(256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
