// SPDX-License-Identifier: BSD-3-Clause
// test_dpdk_offload.c - offloads of the dpdk port: flags moved over, and a net_tap that computes,
// verifies and cuts, with a raw socket of the host as judge
#include "pmd/dpdk/dpdk.h" // first: DPDK's headers stumble over always_inline of core/lcore.h

#include "host_test.h"

#include "pmd/offload.h"

#define ALL (PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

static struct mempool *pool;
static struct port port = {.id = 4};
static int host_end;

// A checksum as the host's kernel would leave it to a card (host_test.h), with the flags our graph
// has.
static struct mbuf *partial(unsigned len)
{
	static uint8_t f[9000];
	struct mbuf *m;

	host_tcp(f, len, 3);
	m = host_mbuf(pool, f, len);
	m->l3 = 14;
	m->l4 = 34;
	m->flags = MBUF_TX_L4_CSUM;
	return m;
}

// rte_mbuf_core.h: the meaning of each flag.
static void test_rx_flags(void **state)
{
	static const struct {
		uint64_t dpdk;
		uint32_t ours;
	} map[] = {
		{0, 0},
		{RTE_MBUF_F_RX_IP_CKSUM_GOOD, MBUF_RX_L3_OK},
		{RTE_MBUF_F_RX_IP_CKSUM_BAD, MBUF_RX_L3_BAD},
		{RTE_MBUF_F_RX_L4_CKSUM_GOOD, MBUF_RX_L4_OK},
		{RTE_MBUF_F_RX_L4_CKSUM_BAD, MBUF_RX_L4_BAD},
		{RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD,
		 MBUF_RX_L3_OK | MBUF_RX_L4_OK},
		{RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD,
		 MBUF_RX_L3_OK | MBUF_RX_L4_BAD},
		{RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_GOOD, MBUF_RX_L4_OK},
		{RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_VLAN, 0},
	};

	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		struct mbuf *m = partial(100);

		m->flags = 0;
		assert_true(dpdk_rx_flags(map[i].dpdk, 0, m));
		assert_int_equal(m->flags, map[i].ours);
		mbuf_free(m);
	}
}

// Integrity known, field not right: whoever sends it computes it, from the pseudo header's sum.
static void test_rx_partial(void **state)
{
	struct mbuf *m = partial(100);
	uint8_t want[2];

	memcpy(want, m->data + 50, 2); // host_tcp() knows that sum
	memset(m->data + 50, 0xee, 2);
	m->flags = 0;
	assert_true(dpdk_rx_flags(RTE_MBUF_F_RX_L4_CKSUM_NONE, 0, m));
	assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM);
	assert_int_equal(m->l3, 14);
	assert_int_equal(m->l4, 34);
	assert_memory_equal(m->data + 50, want, 2);
	mbuf_free(m);
	// Not TCP, not UDP: there is nothing to compute.
	m = partial(100);
	m->data[23] = 50;
	m->flags = 0;
	assert_true(dpdk_rx_flags(RTE_MBUF_F_RX_L4_CKSUM_NONE, 0, m));
	assert_int_equal(m->flags, 0);
	mbuf_free(m);
}

static void test_rx_joined(void **state)
{
	static const struct {
		uint16_t mss;
		unsigned cut; // bytes more than the IP packet
		bool good;
		uint32_t flags;
	} map[] = {
		{500, 0, true, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO},
		{946, 0, true, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM}, // one segment after all
		{0, 0, false, 0},
		{500, 3, false, 0},
	};

	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		struct mbuf *m = partial(1000);

		m->flags = 0;
		if (map[i].cut)
			memset(mbuf_append(m, map[i].cut), 0, map[i].cut);
		assert_int_equal(dpdk_rx_flags(RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_GOOD,
					       map[i].mss, m),
				 map[i].good);
		if (map[i].good)
			assert_int_equal(m->flags, map[i].flags);
		if (m->flags & MBUF_TSO)
			assert_int_equal(m->mss, map[i].mss);
		mbuf_free(m);
	}
}

// IPv6 with so many extension headers that DPDK's nine bits cannot say how many: computed here.
static void test_tx_long_headers(void **state)
{
	struct mbuf *m = partial(1200);
	uint8_t *ip = m->data + 14;
	struct rte_mbuf *r = to_rte(m);

	memset(ip, 0, 1186);
	ip[0] = 0x60;
	ip[4] = (1186 - 40) >> 8;
	ip[5] = (uint8_t)(1186 - 40);
	ip[6] = 60; // destination options
	ip[40] = 6;
	ip[41] = 79; // 640 bytes of them
	ip[42] = 1;  // PadN
	ip[43] = 255;
	m->l4 = 14 + 40 + 640;
	m->data[m->l4 + 12] = 0x50;
	r->ol_flags = 0;
	assert_true(dpdk_tx_flags(m, r));
	assert_int_equal(r->ol_flags, 0);
	// The complement of what stood in the field, 0, and the sum of all else: one word is not 0.
	assert_int_equal(m->data[m->l4 + 16] << 8 | m->data[m->l4 + 17], 0xffff - 0x5000);
	m->flags = MBUF_TX_L4_CSUM | MBUF_TSO;
	m->mss = 100;
	assert_false(dpdk_tx_flags(m, r));
	mbuf_free(m);
}

// net_tap says what it can; nothing more is granted, and nothing that was not asked for.
static int open_tap(void **state)
{
	struct port_conf conf = {
		.name = "d", .driver = "dpdk", .pool = pool, .queues = 1, .offloads = ALL};
	static unsigned serial;
	char args[40];
	struct err e;

	snprintf(args, sizeof(args), "net_tap%u,iface=wd%u", serial, serial);
	conf.args = args;
	if (port_open(&port, &conf, &e))
		fail_msg("%s", e.text);
	assert_int_equal(port.grant.offloads,
			 PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6);
	snprintf(args, sizeof(args), "wd%u", serial++);
	host("ip link set %s up", args);
	host_end = host_socket(args);
	return 0;
}

static int close_tap(void **state)
{
	struct err e;

	close(host_end);
	assert_int_equal(port_close(&port, &e), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	return 0;
}

static void test_not_asked(void **state)
{
	struct port p = {.id = 1};

	test_open(&p, "d", "dpdk", "net_null7", pool, NULL);
	assert_int_equal(p.grant.offloads, 0);
	assert_int_equal(port_close(&p, NULL), 0);
}

static void test_sends_checksum(void **state)
{
	static const unsigned lens[] = {54, 60, 61, 1001, 1514};
	static uint8_t f[9000];

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct mbuf *m = partial(lens[i]);

		assert_int_equal(port_tx_burst(&port, 0, &m, 1), 1);
		assert_int_equal(host_receive(host_end, f, sizeof(f)), lens[i]);
		assert_int_equal(host_tcp_sum(f), 0);
	}
	assert_int_equal(test_counter(&port, "tx-refused"), 0);
}

// Shared: a copy is sent, which asks what the packet asked.
static void test_sends_shared(void **state)
{
	static uint8_t f[9000];
	struct mbuf *m = partial(1000), *same = m;

	mbuf_ref(m);
	assert_int_equal(port_tx_burst(&port, 0, &m, 1), 1);
	assert_int_equal(host_receive(host_end, f, sizeof(f)), 1000);
	assert_int_equal(host_tcp_sum(f), 0);
	assert_int_equal(test_counter(&port, "tx-copied"), 1);
	mbuf_free(same);
}

static void test_cuts(void **state)
{
	static uint8_t f[9000];
	struct mbuf *m = partial(54 + 2500);
	unsigned total = 0;

	m->flags |= MBUF_TSO;
	m->mss = 1000;
	assert_int_equal(port_tx_burst(&port, 0, &m, 1), 1);
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = host_receive(host_end, f, sizeof(f));

		assert_int_equal(n, i < 2 ? 1054 : 554);
		assert_int_equal(host_tcp_sum(f), 0);
		assert_int_equal(host_sum(f + 14, 20), 0); // the IPv4 header's
		total += n - 54;
	}
	assert_int_equal(total, 2500);
}

static void test_verifies(void **state)
{
	static uint8_t f[1000];
	struct mbuf *m;
	uint32_t sum;

	host_tcp(f, sizeof(f), 3);
	f[50] = f[51] = 0;
	sum = 65535 - host_tcp_sum(f);
	f[50] = (uint8_t)(sum >> 8);
	f[51] = (uint8_t)sum;
	assert_int_equal(host_tcp_sum(f), 0);
	for (unsigned bad = 0; bad < 2; bad++) {
		f[999] ^= (uint8_t)bad;
		assert_int_equal(send(host_end, f, sizeof(f), 0), sizeof(f));
		assert_int_equal(host_rx(&port, 0, &m, 1), 1);
		host_same(m, f, sizeof(f));
		assert_int_equal(m->flags & (MBUF_RX_L4_OK | MBUF_RX_L4_BAD),
				 bad ? MBUF_RX_L4_BAD : MBUF_RX_L4_OK);
		assert_int_equal(m->flags & (MBUF_RX_L3_OK | MBUF_RX_L3_BAD), MBUF_RX_L3_OK);
		mbuf_free(m);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_tap, close_tap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rx_flags),
		cmocka_unit_test(test_rx_partial),
		cmocka_unit_test(test_rx_joined),
		cmocka_unit_test(test_tx_long_headers),
		cmocka_unit_test(test_not_asked),
		T(test_sends_checksum),
		T(test_sends_shared),
		T(test_cuts),
		T(test_verifies),
	};
	int rc = host_enter();

	if (rc)
		return rc;
	pool = test_pool(8192, 0, DPDK_PREFIX);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
