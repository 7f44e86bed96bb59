// SPDX-License-Identifier: BSD-3-Clause
// test_pcap.c - the pcap port on sound files: formats, times, lengths, recording (libpcap reads
// back)
#include "capture_test.h"

#include <pcap/pcap.h>
#include <time.h>

static struct mempool *pool;
static struct clock clk;

static int setup(void **state)
{
	pool = test_pool(256, 0, 0);
	return capture_setup(state);
}

static void set_clock(enum clock_kind kind)
{
	clock_init(&clk, kind);
}

static void close_port(struct port *p)
{
	struct err e;

	assert_int_equal(port_close(p, &e), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

// Plays the whole of port p back into itself on the capture clock; returns the packets.
static unsigned play(struct port *p)
{
	struct mbuf *pkts[64];
	unsigned total = 0;
	uint64_t t;

	while ((t = p->pmd->next_time(p)) != TIME_NEVER) {
		unsigned n;

		clock_advance(&clk, t);
		n = port_rx_burst(p, 0, pkts, 64);
		assert_in_range(n, 1, 64);
		assert_int_equal(port_tx_burst(p, 0, pkts, (uint16_t)n), n);
		total += n;
	}
	return total;
}

static const struct { // times that micro- and nanosecond files can both hold, and lengths
	uint64_t sec;
	uint32_t nsec, len;
} records[] = {
	{1000000000, 0, 60},
	{1000000000, 999999000, 61},
	{1000000001, 1000, 1514},
	{4294967295, 123456000, 62}, // 2106: the last second of classic pcap
};

// What libpcap, a reader that is not ours, finds in the file.
static void check_by_libpcap(const char *path, bool ns_digits)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	struct pcap_pkthdr *h;
	const uint8_t *data;

	if (!in)
		fail_msg("libpcap: %s", why);
	assert_int_equal(pcap_datalink(in), DLT_EN10MB);
	for (unsigned i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		assert_int_equal(pcap_next_ex(in, &h, &data), 1);
		assert_int_equal((uint32_t)h->ts.tv_sec, records[i].sec);
		assert_int_equal(h->ts.tv_usec, records[i].nsec + (ns_digits ? 789 : 0));
		assert_int_equal(h->caplen, records[i].len);
		assert_int_equal(h->len, records[i].len);
		for (unsigned k = 0; k < h->caplen; k++)
			assert_int_equal(data[k], (uint8_t)k);
	}
	assert_int_equal(pcap_next_ex(in, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(in);
}

static void round_trip(bool ng, bool nano, bool big, const char *out)
{
	struct port p = {.id = 2};
	struct capbuf c;
	struct port_stats s;
	char args[300];
	struct err e;

	cap_begin(&c, ng, nano, big, 1);
	for (unsigned i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		cap_record(&c, records[i].sec, records[i].nsec + (nano ? 789 : 0), records[i].len,
			   records[i].len);
	snprintf(args, sizeof(args), "%s,%s", cap_save(&c, c.n, "in.pcap"), test_path(out));
	set_clock(CLOCK_CAPTURE);
	test_open(&p, "p", "pcap", args, pool, &clk);
	assert_int_equal(play(&p), 4);
	assert_int_equal(p.pmd->error(&p, &e), 0);
	port_stats(&p, &s);
	assert_int_equal(s.rx_packets, 4);
	assert_int_equal(s.rx_bytes, 60 + 61 + 1514 + 62);
	assert_int_equal(s.tx_packets, 4);
	assert_int_equal(s.tx_bytes, s.rx_bytes);
	close_port(&p);
	check_by_libpcap(test_path(out), nano);
}

static void test_round_trips(void **state)
{
	for (unsigned i = 0; i < 16; i++)
		round_trip(i & 1, i & 2, i & 4, i & 8 ? "out.pcapng" : "out.pcap");
}

// Recorded pcapng says nanoseconds and names the interface.
static void test_pcapng_header(void **state)
{
	static const uint8_t name_opt[] = {2, 0, 3, 0, 'w', 'a', 'n', 0};
	static const uint8_t tsresol_opt[] = {9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0};
	struct port p = {.id = 0};
	uint8_t b[256];
	char args[300];
	size_t n;
	FILE *f;

	snprintf(args, sizeof(args), ",%s", test_path("out.pcapng"));
	test_open(&p, "wan", "pcap", args, pool, &clk);
	close_port(&p);
	f = fopen(test_path("out.pcapng"), "rb");
	n = fread(b, 1, sizeof(b), f);
	fclose(f);
	assert_int_equal(n, 28 + 16 + 8 + 12 + 4);
	assert_memory_equal(b + 28 + 16, name_opt, 8);
	assert_memory_equal(b + 28 + 24, tsresol_opt, 12);
}

// On a capture clock a packet waits for its time; a stamp that goes back is due at once.
static void test_waits_for_the_clock(void **state)
{
	struct port p = {.id = 2};
	struct mbuf *pkts[8];
	struct capbuf c;
	char args[160];

	cap_begin(&c, false, true, false, 1);
	cap_record(&c, 100, 5, 60, 60);
	cap_record(&c, 100, 7, 60, 60);
	cap_record(&c, 99, 0, 60, 60);
	cap_record(&c, 101, 0, 60, 60);
	snprintf(args, sizeof(args), "%s,", cap_save(&c, c.n, "in.pcap"));
	set_clock(CLOCK_CAPTURE);
	test_open(&p, "p", "pcap", args, pool, &clk);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 8), 0);
	assert_true(p.pmd->next_time(&p) == 100000000005ull);
	clock_advance(&clk, 100000000006ull);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 8), 1);
	assert_int_equal(pkts[0]->flags, MBUF_TIME);
	assert_true(pkts[0]->time == 100000000005ull);
	assert_int_equal(pkts[0]->port, 2);
	assert_true(p.pmd->next_time(&p) == 100000000007ull);
	clock_advance(&clk, 100000000007ull);
	assert_int_equal(port_rx_burst(&p, 0, pkts + 1, 1), 1); // no more than asked for
	assert_int_equal(port_rx_burst(&p, 0, pkts + 2, 6), 1); // the one from before
	clock_advance(&clk, 200000000000ull);
	assert_int_equal(port_rx_burst(&p, 0, pkts + 3, 5), 1);
	assert_true(p.pmd->next_time(&p) == TIME_NEVER);
	assert_int_equal(port_rx_burst(&p, 0, pkts + 4, 4), 0);
	assert_int_equal(port_tx_burst(&p, 0, pkts, 4), 4);
	assert_int_equal(test_counter(&p, "tx-unrecorded"), 4);
	close_port(&p);
}

static void test_real_clock_plays_at_once(void **state)
{
	time_t before = time(NULL);
	struct port p = {.id = 2};
	struct pcap_pkthdr *h;
	struct mbuf *pkts[8];
	const uint8_t *data;
	char why[PCAP_ERRBUF_SIZE];
	struct capbuf c;
	char args[300];
	pcap_t *in;

	cap_begin(&c, false, false, false, 1);
	for (unsigned i = 0; i < 5; i++)
		cap_record(&c, 4000000000u + 1000 * i, 0, 60, 60);
	snprintf(args, sizeof(args), "%s,%s", cap_save(&c, c.n, "in.pcap"), test_path("out.pcap"));
	set_clock(CLOCK_REAL);
	clock_turn(&clk);
	test_open(&p, "p", "pcap", args, pool, &clk);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 8), 5);
	assert_int_equal(pkts[0]->flags, 0); // its stamp is not of this clock
	assert_int_equal(port_tx_burst(&p, 0, pkts, 5), 5);
	close_port(&p);
	// Recorded with the time of day.
	in = pcap_open_offline(test_path("out.pcap"), why);
	assert_non_null(in);
	assert_int_equal(pcap_next_ex(in, &h, &data), 1);
	assert_in_range(h->ts.tv_sec, before, time(NULL) + 1);
	pcap_close(in);
}

// Lengths that are no Ethernet frame's are for the graph to judge; here nothing is lost.
static void test_odd_lengths(void **state)
{
	static const uint32_t caplens[] = {0, 1, 13, 2048, 2049, 9000, 20000};
	struct port p = {.id = 2};
	struct mbuf *pkts[8];
	struct capbuf c;
	char args[160];
	uint8_t data[20000];

	cap_begin(&c, false, true, false, 1);
	for (unsigned i = 0; i < 7; i++)
		cap_record(&c, 100, i, caplens[i], caplens[i] + (i == 2));
	snprintf(args, sizeof(args), "%s", cap_save(&c, c.n, "in.pcap"));
	set_clock(CLOCK_REAL);
	test_open(&p, "p", "pcap", args, pool, &clk);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 8), 7);
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(pkts[i]->pkt_len, caplens[i]);
		assert_int_equal(mbuf_check(pkts[i]), 0);
		assert_int_equal(mbuf_copy_out(pkts[i], 0, data, caplens[i]), 0);
		for (uint32_t k = 0; k < caplens[i]; k++)
			assert_int_equal(data[k], (uint8_t)k);
	}
	assert_int_equal(pkts[4]->nsegs, 2);
	assert_int_equal(test_counter(&p, "rx-snapped"), 1);
	mbuf_free_bulk(pkts, 7);
	close_port(&p);
}

// No buffer: the packet waits in the file. A frame that no number of buffers holds is counted.
static void test_small_pool(void **state)
{
	struct mempool *small = test_pool(4, 64, 0);
	unsigned count = mempool_count(small), total = 0;
	struct port p = {.id = 2};
	struct mbuf *pkts[64];
	struct capbuf c;
	char args[160];
	struct err e;

	cap_begin(&c, false, true, false, 1);
	for (unsigned i = 0; i < 3 * count; i++)
		cap_record(&c, 100, i, 60, 60);
	cap_record(&c, 100, 0, 64 * count + 1, 64 * count + 1);
	cap_record(&c, 100, 0, 64 * count, 64 * count);
	snprintf(args, sizeof(args), "%s", cap_save(&c, c.n, "in.pcap"));
	set_clock(CLOCK_REAL);
	test_open(&p, "p", "pcap", args, small, &clk);
	while (p.pmd->next_time(&p) != TIME_NEVER) {
		unsigned n = port_rx_burst(&p, 0, pkts, 64);

		assert_in_range(n, 1, count);
		total += n;
		mbuf_free_bulk(pkts, n);
	}
	assert_int_equal(total, 3 * count + 1);
	assert_in_range(test_counter(&p, "rx-nombuf"), 3, 4);
	assert_int_equal(test_counter(&p, "rx-too-long"), 1);
	assert_int_equal(port_close(&p, &e), 0);
	assert_int_equal(mempool_available(small), count);
}

// Stamps a file cannot mean are cut and counted; times stay below what sums of them can overflow.
static void test_wild_stamps(void **state)
{
	struct port p = {.id = 2};
	struct mbuf *pkts[8];
	struct capbuf c;
	char args[160];

	cap_begin(&c, true, true, false, 1);
	cap_record(&c, 0, 0, 60, 60);
	memset(c.b + 60 + 12, 0xff, 8); // the stamp of the record: 2^64 - 1 ns
	snprintf(args, sizeof(args), "%s", cap_save(&c, c.n, "in.pcapng"));
	set_clock(CLOCK_CAPTURE);
	test_open(&p, "p", "pcap", args, pool, &clk);
	assert_true(p.pmd->next_time(&p) == INT64_MAX);
	assert_int_equal(test_counter(&p, "rx-bad-time"), 1);
	clock_advance(&clk, INT64_MAX);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 8), 1);
	mbuf_free_bulk(pkts, 1);
	close_port(&p);
}

// A classic file can say more nanoseconds than a second has: the packet stays within its second.
static void test_wild_nanoseconds(void **state)
{
	struct port p = {.id = 2};
	struct mbuf *pkts[8];
	struct capbuf c;
	char args[160];

	cap_begin(&c, false, true, false, 1);
	cap_record(&c, 100, 1000000000, 60, 60);
	cap_record(&c, 100, 0xffffffff, 60, 60);
	cap_record(&c, 101, 999999999, 60, 60);
	snprintf(args, sizeof(args), "%s", cap_save(&c, c.n, "in.pcap"));
	set_clock(CLOCK_CAPTURE);
	test_open(&p, "p", "pcap", args, pool, &clk);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t want = i < 2 ? 100999999999ull : 101999999999ull;

		assert_int_equal(p.pmd->next_time(&p), want);
		clock_advance(&clk, want);
		assert_int_equal(port_rx_burst(&p, 0, pkts, 1), 1);
		mbuf_free(pkts[0]);
	}
	assert_int_equal(test_counter(&p, "rx-bad-time"), 2);
	close_port(&p);
}

// A chain is recorded as one frame.
static void test_records_chains(void **state)
{
	struct port p = {.id = 2};
	char why[PCAP_ERRBUF_SIZE], args[160];
	struct pcap_pkthdr *h;
	const uint8_t *data;
	uint8_t bytes[5001];
	struct mbuf *m;
	pcap_t *in;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (unsigned ng = 0; ng < 2; ng++) {
		const char *out = test_path(ng ? "out.pcapng" : "out.pcap");

		snprintf(args, sizeof(args), ",%s", out);
		test_open(&p, "p", "pcap", args, pool, NULL);
		m = mbuf_from_bytes(pool, bytes, sizeof(bytes));
		assert_int_equal(m->nsegs, 3);
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		close_port(&p);
		in = pcap_open_offline(out, why);
		assert_non_null(in);
		assert_int_equal(pcap_next_ex(in, &h, &data), 1);
		assert_int_equal(h->caplen, sizeof(bytes));
		assert_memory_equal(data, bytes, sizeof(bytes));
		assert_int_equal(pcap_next_ex(in, &h, &data), PCAP_ERROR_BREAK);
		pcap_close(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_pcapng_header),
		cmocka_unit_test(test_waits_for_the_clock),
		cmocka_unit_test(test_real_clock_plays_at_once),
		cmocka_unit_test(test_odd_lengths),
		cmocka_unit_test(test_small_pool),
		cmocka_unit_test(test_wild_stamps),
		cmocka_unit_test(test_wild_nanoseconds),
		cmocka_unit_test(test_records_chains),
	};

	return cmocka_run_group_tests(tests, setup, capture_teardown);
}
