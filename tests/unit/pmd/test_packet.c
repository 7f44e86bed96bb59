// SPDX-License-Identifier: BSD-3-Clause
// test_packet.c - the AF_PACKET port on one end of a veth pair, a raw socket on the other
#include "host_port.h"

static struct mempool *pool, *small;
static const char *dev = "hp0";

static void begin(struct port *p, struct mempool *mp, struct host_want w)
{
	host_open(p, "packet", dev, mp, w);
}

static void frames(struct mempool *mp)
{
	static const unsigned lens[] = {14, 60, 61, 255, 256, 257, 1514, 9014};
	struct port p = {.id = 5};

	begin(&p, mp, (struct host_want){0});
	assert_int_equal(p.grant.mtu, 9000);
	assert_memory_equal(p.grant.mac, "\x02\0\0\0\0\x01", 6);
	host_there_and_back(&p, "hp1", lens, sizeof(lens) / sizeof(lens[0]));
	host_close(&p, mp);
}

static void test_frames(void **state)
{
	frames(pool);
	frames(small); // chains of 256 bytes
}

// A burst in order, the one that no interface takes dropped on the way and counted.
static void test_burst(void **state)
{
	struct mempool *const pools[8] = {pool, pool, pool, pool, pool, pool, pool, pool};
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_burst(&p, "hp1", pools, 9100);
	assert_int_equal(test_counter(&p, "tx-too-long"), 1);
	host_close(&p, pool);
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
		begin(&p, turn ? small : pool, (struct host_want){.offloads = HOST_OFFLOADS});
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
		host_close(&p, turn ? small : pool);
	}
}

static void test_offloads(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){.offloads = HOST_OFFLOADS});
	assert_int_equal(p.grant.offloads & ~PORT_TX_USO, HOST_OFFLOADS & ~PORT_TX_USO);
	host_unfinished(&p, "hp1", 8948);
	host_close(&p, pool);
}

// Nobody asked for unfinished packets: a checksum is completed, a packet of many segments refused.
static void test_no_offloads(void **state)
{
	static uint8_t f[66000], flat[2000];
	struct port p = {.id = 0};
	struct mbuf *m;
	int fd;

	begin(&p, pool, (struct host_want){0});
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
	host_close(&p, pool);
}

static void test_link(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_down_up(&p, pool, "hp0");
	assert_int_equal(p.pmd->arm(&p, 0), -EAGAIN); // the error of having been down is taken off
	assert_int_equal(p.pmd->arm(&p, 0), 0);
	host_echo(&p, pool, "hp1");
	host("ip link set hp1 down"); // no carrier
	assert_true(host_wait_link(&p, false));
	host("ip link set hp1 up");
	assert_true(host_wait_link(&p, true));
	host_echo(&p, pool, "hp1");
	assert_int_equal(test_counter(&p, "link-changes"), 4);
	host_close(&p, pool);
}

static void removed(uint16_t queues)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){.queues = queues});
	host("ip link del hp0");
	usleep(110000);
	assert_true(host_wait_link(&p, false));
	for (uint16_t q = 1; q < queues; q++)
		p.pmd->poll_queue(&p, q);
	assert_int_equal(test_counter(&p, "device-lost"), queues);
	host_tx_down(&p, pool);
	host_veth(NULL);
	assert_true(host_wait_link(&p, true));
	usleep(110000);
	for (uint16_t q = 0; q < queues; q++)
		p.pmd->poll_queue(&p, q);
	if (queues == 1)
		host_echo(&p, pool, "hp1");
	host_close(&p, pool);
}

static void test_removed(void **state)
{
	removed(1);
	removed(2);
}

static void test_no_buffers(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_no_buffers(&p, pool, "hp1");
	host_close(&p, pool);
}

// What the ring has no room for is counted: nothing vanishes.
static void test_ring_full(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *pkts[64];
	unsigned got = 0, n;
	static uint8_t f[1514];
	int fd;

	begin(&p, pool, (struct host_want){.rx_size = 64});
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
	host_close(&p, pool);
}

// Every flow meets one queue, and all that was sent comes.
static void test_queues(void **state)
{
	struct port p = {.id = 0};
	unsigned got[2];

	begin(&p, pool, (struct host_want){.queues = 2});
	assert_int_equal(p.grant.queues, 2);
	host_flows(&p, "hp1", got);
	assert_true(got[0] > 0 && got[1] > 0);
	host_close(&p, pool);
}

static void test_own_mac(void **state)
{
	host_own_mac("packet", pool);
}

static void test_sleep(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_sleep(&p, "hp1");
	host_close(&p, pool);
}

static void test_errors(void **state)
{
	struct port p = {.id = 0};
	struct err e;

	assert_int_equal(host_try_open(&p, "packet", "", pool, (struct host_want){0}, &e), -EINVAL);
	assert_int_equal(host_try_open(&p, "packet", "hp0,fas", pool, (struct host_want){0}, &e),
			 -EINVAL);
	assert_int_equal(host_try_open(&p, "packet", "hp0,", pool, (struct host_want){0}, &e),
			 -EINVAL);
	assert_int_equal(host_try_open(&p, "packet", "nosuch", pool, (struct host_want){0}, &e),
			 -ENODEV);
	assert_non_null(strstr(e.text, "hp0"));
	assert_int_equal(
		host_try_open(&p, "packet", "hp0", pool, (struct host_want){.mtu = 9001}, &e),
		-EINVAL);
	assert_non_null(strstr(e.text, "ip link set hp0 mtu 9001"));
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_not_permitted(void **state)
{
	host_not_permitted("packet", dev, pool, "CAP_NET_RAW", "setcap");
}

#define T(f) cmocka_unit_test_setup_teardown(f, host_veth, host_no_veth)

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
