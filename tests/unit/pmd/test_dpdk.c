// SPDX-License-Identifier: BSD-3-Clause
// test_dpdk.c - the dpdk port over net_ring (a ring that comes back): one buffer, two headers
#include "pmd/dpdk/dpdk.h" // first: DPDK's headers stumble over always_inline of core/lcore.h

#include "port_test.h"

static struct mempool *pool;

static int setup(void **state)
{
	pool = test_pool(8192, 0, DPDK_PREFIX);
	return 0;
}

// A net_ring by another name each time: DPDK frees one of its 16 rings when it is removed, so the
// same name cannot be used twice in a process.
static void open_ring(struct port *p)
{
	static unsigned serial;
	char args[32];

	snprintf(args, sizeof(args), "net_ring%u", serial++);
	test_open(p, "d", "dpdk", args, pool, NULL);
}

static void close_port(struct port *p)
{
	struct err e;

	if (port_close(p, &e))
		fail_msg("close: %s", e.text);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static struct mbuf *numbered(uint32_t tag, uint32_t len)
{
	uint8_t bytes[9000];
	struct mbuf *m;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(tag + i);
	m = mbuf_from_bytes(pool, bytes, len);
	assert_non_null(m);
	return m;
}

static void check_numbered(const struct mbuf *m, uint32_t tag, uint32_t len)
{
	uint8_t bytes[9000];

	assert_int_equal(m->pkt_len, len);
	assert_int_equal(mbuf_check(m), 0);
	assert_int_equal(mbuf_copy_out(m, 0, bytes, len), 0);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], (uint8_t)(tag + i));
}

// What DPDK requires of a buffer that is by itself (rte_mbuf.h: rte_mbuf_raw_free).
static void check_dpdk_invariant(struct mbuf *m)
{
	for (; m; m = m->next) {
		struct rte_mbuf *r = to_rte(m);

		assert_int_equal(rte_mbuf_refcnt_read(r), 1);
		assert_null(r->next);
		assert_int_equal(r->nb_segs, 1);
		assert_ptr_equal(r->buf_addr, m->buf);
	}
}

// The same buffers come back, with the fields moved over.
static void test_no_copy(void **state)
{
	struct mbuf *sent[64], *got[64];
	struct port p = {.id = 9};
	struct port_stats s;

	open_ring(&p);
	for (unsigned i = 0; i < 64; i++) {
		sent[i] = numbered(i, 60 + i);
		if (i & 1) { // data that does not start at the headroom's end
			mbuf_prepend(sent[i], 4);
			memset(sent[i]->data, 0xaa, 4);
		}
		if (i & 2)
			mbuf_pull(sent[i], 8);
		sent[i]->flags = MBUF_RX_L4_OK | MBUF_BCAST;
	}
	assert_int_equal(port_tx_burst(&p, 0, sent, 64), 64);
	assert_int_equal(port_rx_burst(&p, 0, got, 64), 64);
	for (unsigned i = 0; i < 64; i++) {
		unsigned len = 60 + i + (i & 1 ? 4 : 0) - (i & 2 ? 8 : 0);

		assert_ptr_equal(got[i], sent[i]);
		assert_int_equal(got[i]->pkt_len, len);
		assert_int_equal(got[i]->len, len);
		assert_int_equal(got[i]->port, 9);
		assert_int_equal(got[i]->flags, 0);
		assert_int_equal(got[i]->data - got[i]->buf,
				 MBUF_HEADROOM - (i & 1 ? 4 : 0) + (i & 2 ? 8 : 0));
		check_dpdk_invariant(got[i]);
	}
	assert_int_equal(port_rx_burst(&p, 0, got, 64), 0);
	port_stats(&p, &s);
	assert_int_equal(s.tx_packets, 64);
	assert_int_equal(s.rx_packets, 64);
	assert_int_equal(s.rx_bytes, s.tx_bytes);
	assert_int_equal(s.tx_bytes, 64 * 60 + 63 * 64 / 2 + 32 * 4 - 32 * 8);
	mbuf_free_bulk(sent, 64);
	close_port(&p);
}

static void test_chains(void **state)
{
	struct port p = {.id = 9};
	struct mbuf *m, *got;

	open_ring(&p);
	for (uint32_t len = 2040; len <= 9000; len += 580) {
		m = numbered(len, len);
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(port_rx_burst(&p, 0, &got, 1), 1);
		assert_ptr_equal(got, m);
		assert_int_equal(got->nsegs, (len + 2047) / 2048);
		check_numbered(got, len, len);
		check_dpdk_invariant(got);
		mbuf_free(got);
	}
	close_port(&p);
}

// The ring takes some of a burst: the rest is the caller's again, whole, and can be sent later.
static void test_full_ring(void **state)
{
	struct mbuf *m[128], *got[64];
	struct port p = {.id = 9};
	unsigned sent = 0, back = 0, n;
	struct port_stats s;
	uint64_t bytes = 0;

	open_ring(&p);
	for (;;) {
		for (unsigned i = 0; i < 100; i++)
			m[i] = numbered(sent + i, i % 3 ? 60 : 3000);
		n = port_tx_burst(&p, 0, m, 100);
		for (unsigned i = 0; i < n; i++)
			bytes += i % 3 ? 60 : 3000;
		for (unsigned i = n; i < 100; i++) {
			check_numbered(m[i], sent + i, i % 3 ? 60 : 3000);
			check_dpdk_invariant(m[i]);
		}
		if (n < 100)
			break;
		sent += n;
	}
	mbuf_free_bulk(m + n, 100 - n);
	sent += n;
	port_stats(&p, &s);
	assert_int_equal(s.tx_packets, sent);
	assert_true(s.tx_bytes == bytes);
	while ((n = port_rx_burst(&p, 0, got, 64))) {
		for (unsigned i = 0; i < n; i++)
			check_numbered(got[i], back + i, (back + i) % 100 % 3 ? 60 : 3000);
		back += n;
		mbuf_free_bulk(got, n);
	}
	assert_int_equal(back, sent);
	close_port(&p);
}

// A buffer with other owners is not DPDK's to free or to link: a copy goes out.
static void test_shared(void **state)
{
	struct port p = {.id = 9};
	struct mbuf *m, *keep, *got;

	open_ring(&p);
	for (uint32_t len = 60; len < 9000; len += 4000) {
		keep = m = numbered(3, len);
		mbuf_ref(m);
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(port_rx_burst(&p, 0, &got, 1), 1);
		assert_ptr_not_equal(got, keep);
		check_numbered(got, 3, len);
		check_numbered(keep, 3, len);
		assert_int_equal(keep->refcnt, 1);
		mbuf_free(got);
		mbuf_free(keep);
	}
	assert_int_equal(test_counter(&p, "tx-copied"), 3);
	close_port(&p);
}

// Packets in the device when it closes come back to the pool; the device can be opened again.
static void test_close_drains(void **state)
{
	struct port p = {.id = 9};
	struct mbuf *m[64];

	for (unsigned k = 0; k < 3; k++) {
		open_ring(&p);
		for (unsigned i = 0; i < 64; i++)
			m[i] = numbered(i, 3000);
		assert_int_equal(port_tx_burst(&p, 0, m, 64), 64);
		close_port(&p);
	}
}

// DPDK allocates from and frees to our pool.
static void test_pool_operations(void **state)
{
	struct rte_mempool *rte;
	struct rte_mbuf *r[300];
	struct err e;

	assert_int_equal(dpdk_eal_start(&e), 0);
	rte = dpdk_pool_get(pool, &e);
	assert_non_null(rte);
	assert_ptr_equal(dpdk_pool_get(pool, &e), rte);
	assert_int_equal(rte_mempool_avail_count(rte), mempool_count(pool));
	assert_int_equal(rte_pktmbuf_alloc_bulk(rte, r, 300), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool) - 300);
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(rte_pktmbuf_tailroom(r[i]), MBUF_DATAROOM);
		assert_int_equal(rte_pktmbuf_headroom(r[i]), MBUF_HEADROOM);
		assert_ptr_equal(rte_pktmbuf_mtod(r[i], void *),
				 from_rte(r[i])->buf + MBUF_HEADROOM);
		assert_ptr_equal(rte_mempool_from_obj(r[i]), rte);
		assert_non_null(rte_pktmbuf_append(r[i], 2048));
	}
	for (unsigned i = 0; i < 300; i += 2) { // singles, and chains of two
		assert_int_equal(rte_pktmbuf_chain(r[i], r[i + 1]), 0);
		rte_pktmbuf_free(r[i]);
	}
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	dpdk_pool_put(pool);
	dpdk_pool_put(pool);
}

static void test_several_devices(void **state)
{
	struct port p[3] = {{.id = 0}, {.id = 1}, {.id = 2}};
	struct mbuf *m, *got;
	struct err e;

	test_open(&p[0], "a", "dpdk", "net_ring20", pool, NULL);
	// net_ring has no address; a router needs one of its own on every port.
	assert_memory_equal(p[0].grant.mac, "\x02weir\x00", 6);
	test_open(&p[1], "b", "dpdk", "net_null1,size=64", pool, NULL);
	assert_true(!(p[1].grant.mac[0] & 1) && memcmp(p[1].grant.mac, "\0\0\0\0\0\0", 6));
	assert_memory_not_equal(p[0].grant.mac, p[1].grant.mac, 6);
	assert_int_equal(test_try_open(&p[2], "c", "dpdk", "net_ring20", pool, NULL, &e), -EEXIST);
	assert_non_null(strstr(e.text, "another port uses"));
	m = numbered(1, 60);
	assert_int_equal(port_tx_burst(&p[0], 0, &m, 1), 1);
	assert_int_equal(port_rx_burst(&p[1], 0, &got, 1), 1); // made by net_null
	assert_int_equal(got->pkt_len, 64);
	assert_int_equal(port_tx_burst(&p[1], 0, &got, 1), 1); // and freed by it
	assert_int_equal(port_rx_burst(&p[0], 0, &got, 1), 1);
	assert_ptr_equal(got, m);
	mbuf_free(m);
	assert_int_equal(port_close(&p[1], &e), 0);
	close_port(&p[0]);
}

static void test_refusals(void **state)
{
	struct mempool *plain = test_pool(64, 0, 0);
	struct port p = {.id = 0};
	struct err e;

	assert_int_equal(test_try_open(&p, "d", "dpdk", "", pool, NULL, &e), -EINVAL);
	assert_true(test_try_open(&p, "d", "dpdk", "net_nonsense0", pool, NULL, &e) < 0);
	assert_non_null(strstr(e.text, "net_nonsense0"));
	assert_true(test_try_open(&p, "d", "dpdk", "0000:7f:1f.7", pool, NULL, &e) < 0);
	assert_int_equal(test_try_open(&p, "d", "dpdk", "net_virtio_user0,path=/x", pool, NULL, &e),
			 -ENOTSUP);
	assert_int_equal(test_try_open(&p, "d", "dpdk", "net_ring0", plain, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "prefix"));
	open_ring(&p); // failures left nothing behind
	close_port(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_copy),         cmocka_unit_test(test_chains),
		cmocka_unit_test(test_full_ring),       cmocka_unit_test(test_shared),
		cmocka_unit_test(test_close_drains),    cmocka_unit_test(test_pool_operations),
		cmocka_unit_test(test_several_devices), cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
