// SPDX-License-Identifier: BSD-3-Clause
// test_tap.c - the TAP port against the kernel: frames both ways, links, removal, errors
#include "host_test.h"

#include <sys/wait.h>

static struct mempool *pool, *small;
static uint32_t offloads; // that are asked for

static int open_tap(struct port *p, const char *args, struct mempool *mp, uint16_t mtu,
		    uint16_t queues, struct err *e)
{
	struct port_conf conf = {.name = "t",
				 .driver = "tap",
				 .args = args,
				 .pool = mp,
				 .mtu = mtu,
				 .offloads = offloads,
				 .queues = queues};

	e->text[0] = 0;
	return port_open(p, &conf, e);
}

static void begin(struct port *p, const char *args, struct mempool *mp, uint16_t mtu,
		  uint16_t queues)
{
	struct err e;

	if (open_tap(p, args, mp, mtu, queues, &e))
		fail_msg("%s", e.text);
}

static void end(struct port *p, struct mempool *mp)
{
	struct err e;

	assert_int_equal(port_close(p, &e), 0);
	assert_int_equal(mempool_available(mp), mempool_count(mp));
}

static void frames(struct mempool *mp, uint16_t mtu)
{
	static uint8_t f[70000], g[70000];
	const unsigned lens[] = {14, 60, 61, 255, 256, 257, 1514, mtu + 14u};
	struct port p = {.id = 5};
	struct port_stats s;
	struct mbuf *m;
	int fd;

	begin(&p, "wt0", mp, mtu, 1);
	assert_int_equal(p.grant.mtu, mtu);
	assert_memory_equal(p.grant.mac, "\x02weir\x05", 6);
	fd = host_socket("wt0");
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		host_frame(f, lens[i], i);
		assert_int_equal(send(fd, f, lens[i], 0), lens[i]);
		assert_int_equal(host_rx(&p, 0, &m, 1), 1);
		host_same(m, f, lens[i]);
		assert_int_equal(m->port, 5);
		assert_int_equal(m->flags, 0);
		// And back, the same chain, while somebody else still has it.
		mbuf_ref(m);
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(host_receive(fd, g, sizeof(g)), lens[i]);
		assert_memory_equal(f, g, lens[i]);
		host_same(m, f, lens[i]);
		mbuf_free(m);
	}
	port_stats(&p, &s);
	assert_int_equal(s.rx_packets, 8);
	assert_int_equal(s.tx_packets, 8);
	assert_int_equal(s.rx_bytes, 14 + 60 + 61 + 255 + 256 + 257 + 1514 + mtu + 14u);
	assert_int_equal(s.tx_bytes, s.rx_bytes);
	close(fd);
	end(&p, mp);
	assert_int_equal(if_nametoindex("wt0"), 0); // made by us: gone with us
}

static void test_frames(void **state)
{
	frames(pool, 1500);
	frames(pool, 9000);
	frames(small, 1500); // chains of 256 bytes
	frames(small, 9000);
}

// A frame longer than what was granted is counted, and does not cost a buffer.
static void test_too_long(void **state)
{
	struct port p = {.id = 0};
	uint8_t f[5000];
	struct mbuf *m;
	int fd;

	begin(&p, "wt0", pool, 1500, 1);
	host("ip link set wt0 mtu 4000");
	fd = host_socket("wt0");
	host_frame(f, 4000, 1);
	assert_int_equal(send(fd, f, 4000, 0), 4000);
	host_frame(f, 60, 2);
	assert_int_equal(send(fd, f, 60, 0), 60);
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	host_same(m, f, 60);
	mbuf_free(m);
	assert_int_equal(test_counter(&p, "rx-too-long"), 1);
	close(fd);
	end(&p, pool);
}

static void test_link(void **state)
{
	struct port p = {.id = 0};
	struct port_link link;
	uint8_t f[60];
	struct mbuf *m;

	begin(&p, "wt0", pool, 0, 1);
	host_frame(f, 60, 1);
	port_link(&p, &link);
	assert_true(link.up);
	host("ip link set wt0 down");
	p.pmd->poll(&p);
	port_link(&p, &link);
	assert_false(link.up);
	m = host_mbuf(pool, f, 60);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	assert_int_equal(test_counter(&p, "tx-down"), 1);
	assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
	host("ip link set wt0 up");
	p.pmd->poll(&p);
	port_link(&p, &link);
	assert_true(link.up);
	assert_int_equal(test_counter(&p, "link-changes"), 2);
	end(&p, pool);
}

static bool wait_for_device(struct port *p)
{
	struct port_link link;

	for (unsigned i = 0; i < 200; i++) {
		p->pmd->poll_queue(p, 0);
		p->pmd->poll(p);
		port_link(p, &link);
		if (link.up)
			return true;
		usleep(10000);
	}
	return false;
}

// The device is deleted while we use it, and made again by the administrator.
static void test_removed(void **state)
{
	struct port p = {.id = 0};
	uint8_t f[60], g[100];
	struct port_link link;
	struct mbuf *m;
	int fd;

	host("ip tuntap add dev wt0 mode tap");
	host("ip link set wt0 up");
	begin(&p, "wt0", pool, 0, 1);
	host_frame(f, 60, 1);
	host("ip link del wt0");
	assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
	m = host_mbuf(pool, f, 60);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	assert_int_equal(test_counter(&p, "tx-down"), 1);
	assert_int_equal(test_counter(&p, "device-lost"), 1);
	p.pmd->poll_queue(&p, 0);
	p.pmd->poll(&p);
	port_link(&p, &link);
	assert_false(link.up);

	host("ip tuntap add dev wt0 mode tap");
	host("ip link set wt0 up");
	assert_true(wait_for_device(&p));
	fd = host_socket("wt0");
	m = host_mbuf(pool, f, 60);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	assert_int_equal(host_receive(fd, g, sizeof(g)), 60);
	assert_memory_equal(f, g, 60);
	assert_int_equal(send(fd, f, 60, 0), 60);
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	mbuf_free(m);
	close(fd);
	end(&p, pool);
	assert_int_not_equal(if_nametoindex("wt0"), 0); // not made by us: stays
	host("ip link del wt0");
}

// No buffers: packets wait with the host, and come when there are buffers again.
static void test_no_buffers(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *all[512], *m;
	unsigned n = 0;
	uint8_t f[60];
	int fd;

	begin(&p, "wt0", pool, 0, 1);
	while (n < 512 && !mempool_get_bulk(pool, &all[n], 1))
		n++;
	fd = host_socket("wt0");
	host_frame(f, 60, 7);
	assert_int_equal(send(fd, f, 60, 0), 60);
	usleep(10000);
	assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
	assert_true(test_counter(&p, "rx-nombuf") > 0);
	mempool_put_bulk(pool, all, n);
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	host_same(m, f, 60);
	mbuf_free(m);
	close(fd);
	end(&p, pool);
}

// Every flow meets one queue, and all that was sent comes.
static void test_queues(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *pkts[64];
	unsigned n[2] = {0};
	uint8_t f[100];
	int fd;

	begin(&p, "wt0", pool, 0, 2);
	assert_int_equal(p.grant.queues, 2);
	fd = host_socket("wt0");
	for (unsigned i = 0; i < 64; i++) {
		host_udp(f, 100, i);
		assert_int_equal(send(fd, f, 100, 0), 100);
	}
	for (unsigned i = 0; i < 100 && n[0] + n[1] < 64; i++) {
		for (uint16_t q = 0; q < 2; q++) {
			unsigned k = port_rx_burst(&p, q, pkts, 64);

			mbuf_free_bulk(pkts, k);
			n[q] += k;
		}
		usleep(1000);
	}
	assert_int_equal(n[0] + n[1], 64);
	assert_true(n[0] > 0 && n[1] > 0);
	close(fd);
	end(&p, pool);
}

// A device made for one queue gives one; one made for several serves a port of one.
static void test_queues_of_existing(void **state)
{
	struct port p = {.id = 0};

	host("ip tuntap add dev wt0 mode tap");
	begin(&p, "wt0", pool, 0, 4);
	assert_int_equal(p.grant.queues, 1);
	end(&p, pool);
	host("ip link del wt0");
	host("ip tuntap add dev wt0 mode tap multi_queue");
	begin(&p, "wt0", pool, 0, 1);
	assert_int_equal(p.grant.queues, 1);
	end(&p, pool);
	host("ip link del wt0");
}

#define ALL (PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

// The host's unfinished packets come as they are, and ours reach it likewise.
static void test_offloads(void **state)
{
	static uint8_t f[66000], g[66000];
	struct port p = {.id = 0};
	struct mbuf *m;
	int fd;

	offloads = ALL;
	begin(&p, "wt0", pool, 0, 1);
	assert_int_equal(p.grant.offloads & ~PORT_TX_USO, ALL & ~PORT_TX_USO);
	fd = host_socket_vnet("wt0");
	for (unsigned len = 1000; len <= 65000; len += 32000) {
		uint16_t mss = len > 1514 ? 1448 : 0;

		host_tcp(f, len, 1);
		host_send_tcp(fd, f, len, mss);
		assert_int_equal(host_rx(&p, 0, &m, 1), 1);
		host_same(m, f, len);
		assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | (mss ? MBUF_TSO : 0));
		assert_int_equal(m->l3, 14);
		assert_int_equal(m->l4, 34);
		if (mss)
			assert_int_equal(m->mss, mss);
		// And back: the host is told what the frame lacks.
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(host_receive(fd, g, sizeof(g)), 10 + len);
		assert_int_equal(g[0], 1); // NEEDS_CSUM
		assert_int_equal(g[1], mss ? 1 : 0);
		assert_int_equal(g[4] | g[5] << 8, mss);
		assert_int_equal(g[6] | g[7] << 8, 34);
		assert_int_equal(g[8] | g[9] << 8, 16);
		assert_memory_equal(g + 10, f, len);
	}
	close(fd);
	end(&p, pool);
	offloads = 0;
}

// Granted none, the host finishes packets before it hands them over.
static void test_no_offloads(void **state)
{
	static uint8_t f[66000], flat[2000];
	struct port p = {.id = 0};
	struct mbuf *pkts[8];
	int fd;

	begin(&p, "wt0", pool, 0, 1);
	assert_int_equal(p.grant.offloads, 0);
	fd = host_socket_vnet("wt0");
	host_tcp(f, HOST_TCP_HDRS + 3000, 1);
	host_send_tcp(fd, f, HOST_TCP_HDRS + 3000, 1000);
	assert_int_equal(host_rx(&p, 0, pkts, 3), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(pkts[i]->pkt_len, HOST_TCP_HDRS + 1000);
		assert_int_equal(pkts[i]->flags, 0);
		assert_int_equal(mbuf_copy_out(pkts[i], 0, flat, HOST_TCP_HDRS + 1000), 0);
		assert_int_equal(host_tcp_sum(flat), 0);
		assert_memory_equal(flat + HOST_TCP_HDRS, f + HOST_TCP_HDRS + 1000 * i, 1000);
	}
	mbuf_free_bulk(pkts, 3);
	close(fd);
	end(&p, pool);
}

// An armed queue: nothing there, a packet that comes ends the halt; one that waits forbids it.
static void test_sleep(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *m;
	uint8_t f[60];
	uint64_t t0;
	int fd;

	begin(&p, "wt0", pool, 0, 1);
	fd = host_socket("wt0");
	host_frame(f, 60, 1);
	assert_int_equal(p.pmd->arm(&p, 0), 0);
	if (!fork()) {
		usleep(50000);
		_exit(send(fd, f, 60, 0) != 60);
	}
	t0 = tsc_read();
	plat_halt(900000000);
	assert_true(tsc_read() - t0 < plat_tsc_hz() / 10 * 8);
	p.pmd->disarm(&p, 0);
	assert_int_equal(p.pmd->arm(&p, 0), -EAGAIN);
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	mbuf_free(m);
	assert_int_equal(p.pmd->arm(&p, 0), 0);
	p.pmd->disarm(&p, 0);
	assert_true(wait(NULL) > 0);
	close(fd);
	end(&p, pool);
}

static void test_errors(void **state)
{
	struct port p = {.id = 0}, q = {.id = 1};
	struct err e;

	assert_int_equal(open_tap(&p, "", pool, 0, 1, &e), -EINVAL);
	assert_int_equal(open_tap(&p, "a/b", pool, 0, 1, &e), -EINVAL);
	assert_int_equal(open_tap(&p, "tap%d", pool, 0, 1, &e), -EINVAL);
	assert_int_equal(open_tap(&p, "sixteen-bytes-xx", pool, 0, 1, &e), -EINVAL);
	assert_int_equal(open_tap(&p, "lo", pool, 0, 1, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is no TAP"));
	begin(&p, "wt0", pool, 0, 1);
	assert_int_equal(open_tap(&q, "wt0", pool, 0, 1, &e), -EBUSY);
	assert_non_null(strstr(e.text, "another process"));
	end(&p, pool);
}

// Without the capability the error names it, and how to do without.
static void test_not_permitted(void **state)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct port p = {.id = 0};
		struct err e;

		if (setgid(65534) || setuid(65534))
			_exit(3);
		if (open_tap(&p, "wt0", pool, 0, 1, &e) != -EPERM)
			_exit(1);
		_exit(strstr(e.text, "CAP_NET_ADMIN") && strstr(e.text, "ip tuntap add dev wt0")
			      ? 0
			      : 2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_no_buffers),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_queues_of_existing),
		cmocka_unit_test(test_offloads),
		cmocka_unit_test(test_no_offloads),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_not_permitted),
	};
	int rc = host_enter();

	if (rc)
		return rc;
	pool = test_pool(256, 0, 0);
	small = test_pool(512, 256, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
