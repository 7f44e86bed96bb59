// SPDX-License-Identifier: BSD-3-Clause
// test_packet.c - the AF_PACKET port on one end of a veth pair, a raw socket on the other
#include "host_test.h"

#include <sys/wait.h>

#include "pmd/offload.h"

#define ALL (PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

static struct mempool *pool, *small;
static const char *dev = "hp0";

struct want {
	uint32_t offloads;
	uint16_t mtu, queues, rx_size;
};

static int try_open(struct port *p, const char *args, struct mempool *mp, struct want w,
		    struct err *e)
{
	struct port_conf conf = {.name = "p",
				 .driver = "packet",
				 .args = args,
				 .pool = mp,
				 .mtu = w.mtu,
				 .rx_size = w.rx_size,
				 .offloads = w.offloads,
				 .queues = w.queues ? w.queues : 1};

	e->text[0] = 0;
	return port_open(p, &conf, e);
}

static void begin(struct port *p, const char *args, struct mempool *mp, struct want w)
{
	struct err e;

	if (try_open(p, args, mp, w, &e))
		fail_msg("%s", e.text);
}

static void end(struct port *p, struct mempool *mp)
{
	struct err e;

	assert_int_equal(port_close(p, &e), 0);
	assert_int_equal(mempool_available(mp), mempool_count(mp));
}

static int veth(void **state)
{
	host("ip link add hp0 mtu 9000 type veth peer name hp1 mtu 9000");
	host("ip link set hp0 address 02:00:00:00:00:01 up");
	host("ip link set hp1 up");
	return 0;
}

static int no_veth(void **state)
{
	return if_nametoindex("hp0") ? host_try("ip link del hp0") : 0;
}

static void frames(struct mempool *mp)
{
	static const unsigned lens[] = {14, 60, 61, 255, 256, 257, 1514, 9014};
	static uint8_t f[70000], g[70000];
	struct port p = {.id = 5};
	struct port_stats s;
	struct mbuf *m;
	int fd;

	begin(&p, dev, mp, (struct want){0});
	assert_int_equal(p.grant.mtu, 9000);
	assert_memory_equal(p.grant.mac, "\x02\0\0\0\0\x01", 6);
	fd = host_socket("hp1");
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		host_frame(f, lens[i], i);
		assert_int_equal(send(fd, f, lens[i], 0), lens[i]);
		assert_int_equal(host_rx(&p, 0, &m, 1), 1);
		host_same(m, f, lens[i]);
		assert_int_equal(m->port, 5);
		assert_int_equal(m->flags, 0);
		mbuf_ref(m); // somebody else still has it
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(host_receive(fd, g, sizeof(g)), lens[i]);
		assert_memory_equal(f, g, lens[i]);
		host_same(m, f, lens[i]);
		mbuf_free(m);
	}
	assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0); // what we send we do not receive
	port_stats(&p, &s);
	assert_int_equal(s.rx_packets, 8);
	assert_int_equal(s.tx_packets, 8);
	assert_int_equal(s.rx_bytes, 14 + 60 + 61 + 255 + 256 + 257 + 1514 + 9014);
	assert_int_equal(s.tx_bytes, s.rx_bytes);
	close(fd);
	end(&p, mp);
}

static void test_frames(void **state)
{
	frames(pool);
	frames(small); // chains of 256 bytes
}

// A burst in order, the one that no interface takes dropped on the way and counted.
static void test_burst(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *pkts[64];
	static uint8_t f[10000], g[10000];
	int fd;

	begin(&p, dev, pool, (struct want){0});
	fd = host_socket("hp1");
	for (unsigned i = 0; i < 64; i++) {
		unsigned len = i == 20 ? 9100 : 60 + i;

		host_frame(f, len, i);
		pkts[i] = host_mbuf(pool, f, len);
	}
	assert_int_equal(port_tx_burst(&p, 0, pkts, 64), 64);
	for (unsigned i = 0; i < 64; i++) {
		if (i == 20)
			continue;
		host_frame(f, 60 + i, i);
		assert_int_equal(host_receive(fd, g, sizeof(g)), 60 + i);
		assert_memory_equal(f, g, 60 + i);
	}
	assert_int_equal(test_counter(&p, "tx-too-long"), 1);
	close(fd);
	end(&p, pool);
}

// The tag, which the kernel keeps apart, is back in its place, checksums left to us with it.
static void test_vlan(void **state)
{
	static const uint8_t tag[] = {0x81, 0x00, 0x60, 0x2a};
	struct port p = {.id = 0};
	uint8_t f[200], g[204];
	struct mbuf *m;
	int fd;

	for (unsigned turn = 0; turn < 2; turn++) {
		begin(&p, dev, turn ? small : pool, (struct want){.offloads = ALL});
		fd = host_socket("hp1");
		host_udp(f, 200, 1);
		memcpy(g, f, 12);
		memcpy(g + 12, tag, 4);
		memcpy(g + 16, f + 12, 188);
		assert_int_equal(send(fd, g, 204, 0), 204);
		assert_int_equal(host_rx(&p, 0, &m, 1), 1);
		host_same(m, g, 204);
		mbuf_free(m);
		close(fd);
		end(&p, turn ? small : pool);
	}
}

static void test_offloads(void **state)
{
	static uint8_t f[66000], g[66000];
	struct port p = {.id = 0};
	struct mbuf *m;
	int fd;

	begin(&p, dev, pool, (struct want){.offloads = ALL});
	assert_int_equal(p.grant.offloads & ~PORT_TX_USO, ALL & ~PORT_TX_USO);
	fd = host_socket_vnet("hp1");
	for (unsigned len = 1000; len <= 65000; len += 32000) {
		uint16_t mss = len > 9014 ? 8948 : 0;

		host_tcp(f, len, 1);
		host_send_tcp(fd, f, len, mss);
		assert_int_equal(host_rx(&p, 0, &m, 1), 1);
		host_same(m, f, len);
		assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | (mss ? MBUF_TSO : 0));
		assert_int_equal(m->l3, 14);
		assert_int_equal(m->l4, 34);
		if (mss)
			assert_int_equal(m->mss, mss);
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
}

// Nobody asked for unfinished packets: a checksum is completed, a packet of many segments refused.
static void test_no_offloads(void **state)
{
	static uint8_t f[66000], flat[2000];
	struct port p = {.id = 0};
	struct mbuf *m;
	int fd;

	begin(&p, dev, pool, (struct want){0});
	assert_int_equal(p.grant.offloads, 0);
	fd = host_socket_vnet("hp1");
	host_tcp(f, 30000, 1);
	host_send_tcp(fd, f, 30000, 1000);
	host_tcp(f, 1001, 2);
	assert_int_not_equal(host_tcp_sum(f), 0);
	host_send_tcp(fd, f, 1001, 0);
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	assert_int_equal(m->pkt_len, 1001);
	assert_int_equal(m->flags, 0);
	assert_int_equal(mbuf_copy_out(m, 0, flat, 1001), 0);
	assert_int_equal(host_tcp_sum(flat), 0);
	mbuf_free(m);
	// Slots have no room for it in the first place.
	assert_int_equal(test_counter(&p, strchr(dev, ',') ? "rx-too-long" : "rx-gso-refused"), 1);
	close(fd);
	end(&p, pool);
}

static bool wait_for_link(struct port *p, bool up)
{
	struct port_link link;

	for (unsigned i = 0; i < 200; i++) {
		p->pmd->poll_queue(p, 0);
		p->pmd->poll(p);
		port_link(p, &link);
		if (link.up == up)
			return true;
		usleep(10000);
	}
	return false;
}

static void echo(struct port *p, const char *peer)
{
	uint8_t f[60], g[100];
	struct mbuf *m;
	int fd = host_socket(peer);

	host_frame(f, 60, 9);
	m = host_mbuf(pool, f, 60);
	assert_int_equal(port_tx_burst(p, 0, &m, 1), 1);
	assert_int_equal(host_receive(fd, g, sizeof(g)), 60);
	assert_memory_equal(f, g, 60);
	assert_int_equal(send(fd, f, 60, 0), 60);
	assert_int_equal(host_rx(p, 0, &m, 1), 1);
	host_same(m, f, 60);
	mbuf_free(m);
	close(fd);
}

static void test_link(void **state)
{
	struct port p = {.id = 0};
	struct port_link link;
	struct mbuf *m;
	uint8_t f[60];

	begin(&p, dev, pool, (struct want){0});
	port_link(&p, &link);
	assert_true(link.up);
	host("ip link set hp0 down");
	assert_true(wait_for_link(&p, false));
	host_frame(f, 60, 1);
	m = host_mbuf(pool, f, 60);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	assert_int_equal(test_counter(&p, "tx-down"), 1);
	host("ip link set hp0 up");
	assert_true(wait_for_link(&p, true));
	assert_int_equal(p.pmd->arm(&p, 0), -EAGAIN); // the error of having been down is taken off
	assert_int_equal(p.pmd->arm(&p, 0), 0);
	echo(&p, "hp1");
	host("ip link set hp1 down"); // no carrier
	assert_true(wait_for_link(&p, false));
	host("ip link set hp1 up");
	assert_true(wait_for_link(&p, true));
	echo(&p, "hp1");
	assert_int_equal(test_counter(&p, "link-changes"), 4);
	end(&p, pool);
}

static void removed(uint16_t queues)
{
	struct port p = {.id = 0};
	struct mbuf *m;
	uint8_t f[60];

	begin(&p, dev, pool, (struct want){.queues = queues});
	host("ip link del hp0");
	usleep(110000);
	assert_true(wait_for_link(&p, false));
	for (uint16_t q = 1; q < queues; q++)
		p.pmd->poll_queue(&p, q);
	assert_int_equal(test_counter(&p, "device-lost"), queues);
	assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
	host_frame(f, 60, 1);
	m = host_mbuf(pool, f, 60);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	assert_int_equal(test_counter(&p, "tx-down"), 1);
	veth(NULL);
	assert_true(wait_for_link(&p, true));
	usleep(110000);
	for (uint16_t q = 0; q < queues; q++)
		p.pmd->poll_queue(&p, q);
	if (queues == 1)
		echo(&p, "hp1");
	end(&p, pool);
}

static void test_removed(void **state)
{
	removed(1);
	removed(2);
}

static void test_no_buffers(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *all[512], *m;
	unsigned n = 0;
	uint8_t f[60];
	int fd;

	begin(&p, dev, pool, (struct want){0});
	while (n < 512 && !mempool_get_bulk(pool, &all[n], 1))
		n++;
	fd = host_socket("hp1");
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

// What the ring has no room for is counted: nothing vanishes.
static void test_ring_full(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *pkts[64];
	unsigned got = 0, n;
	static uint8_t f[1514];
	int fd;

	begin(&p, dev, pool, (struct want){.rx_size = 64});
	fd = host_socket("hp1");
	host_frame(f, 1514, 7);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(send(fd, f, 1514, 0), 1514);
	usleep(10000);
	while ((n = port_rx_burst(&p, 0, pkts, 64))) {
		mbuf_free_bulk(pkts, n);
		got += n;
	}
	assert_true(got > 0 && got < 1000);
	assert_int_equal(got + test_counter(&p, "rx-host-dropped"), 1000);
	assert_true(strchr(dev, ',') || test_counter(&p, "rx-host-frozen") > 0);
	assert_int_equal(send(fd, f, 1514, 0), 1514);
	assert_int_equal(host_rx(&p, 0, pkts, 1), 1);
	mbuf_free_bulk(pkts, 1);
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

	begin(&p, dev, pool, (struct want){.queues = 2});
	assert_int_equal(p.grant.queues, 2);
	fd = host_socket("hp1");
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

// A MAC address of our own makes the interface promiscuous, as long as we are there.
static void test_own_mac(void **state)
{
	struct port p = {.id = 0};
	struct port_conf conf = {.name = "p",
				 .driver = "packet",
				 .args = "hp0",
				 .pool = pool,
				 .mac = {2, 9, 9, 9, 9, 9},
				 .has_mac = true,
				 .queues = 1};
	struct err e;

	assert_int_equal(port_open(&p, &conf, &e), 0);
	assert_memory_equal(p.grant.mac, conf.mac, 6);
	host("ip -d link show hp0 | grep -q 'promiscuity 1'");
	end(&p, pool);
	host("ip -d link show hp0 | grep -q 'promiscuity 0'");
	begin(&p, "hp0,promisc", pool, (struct want){0});
	host("ip -d link show hp0 | grep -q 'promiscuity 1'");
	end(&p, pool);
}

static void test_sleep(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *m;
	uint8_t f[60];
	uint64_t t0;
	int fd;

	begin(&p, dev, pool, (struct want){0});
	fd = host_socket("hp1");
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
	assert_true(wait(NULL) > 0);
	close(fd);
	end(&p, pool);
}

static void test_errors(void **state)
{
	struct port p = {.id = 0};
	struct err e;

	assert_int_equal(try_open(&p, "", pool, (struct want){0}, &e), -EINVAL);
	assert_int_equal(try_open(&p, "hp0,fas", pool, (struct want){0}, &e), -EINVAL);
	assert_int_equal(try_open(&p, "hp0,", pool, (struct want){0}, &e), -EINVAL);
	assert_int_equal(try_open(&p, "nosuch", pool, (struct want){0}, &e), -ENODEV);
	assert_non_null(strstr(e.text, "hp0"));
	assert_int_equal(try_open(&p, "hp0", pool, (struct want){.mtu = 9001}, &e), -EINVAL);
	assert_non_null(strstr(e.text, "ip link set hp0 mtu 9001"));
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_not_permitted(void **state)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct port p = {.id = 0};
		struct err e;

		if (setgid(65534) || setuid(65534))
			_exit(3);
		if (try_open(&p, "hp0", pool, (struct want){0}, &e) != -EPERM)
			_exit(1);
		_exit(strstr(e.text, "CAP_NET_RAW") ? 0 : 2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, veth, no_veth)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_frames),	     T(test_burst),	    T(test_vlan),    T(test_offloads),
		T(test_no_offloads), T(test_link),	    T(test_removed), T(test_no_buffers),
		T(test_ring_full),   T(test_queues),	    T(test_own_mac), T(test_sleep),
		T(test_errors),	     T(test_not_permitted),
	};
	int rc = host_enter();

	if (rc)
		return rc;
	pool = test_pool(256, 0, 0);
	small = test_pool(512, 256, 0);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	dev = "hp0,immediate"; // the other ring
	return rc + cmocka_run_group_tests(tests, NULL, NULL);
}
