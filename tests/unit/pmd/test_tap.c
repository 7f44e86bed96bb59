// SPDX-License-Identifier: BSD-3-Clause
// test_tap.c - the TAP port against the kernel: frames both ways, links, removal, errors
#include "host_port.h"

static struct mempool *pool, *small;

static int try_open(struct port *p, const char *args, struct err *e)
{
	return host_try_open(p, "tap", args, pool, (struct host_want){0}, e);
}

static void begin(struct port *p, struct mempool *mp, struct host_want w)
{
	host_open(p, "tap", "wt0", mp, w);
}

static void frames(struct mempool *mp, uint16_t mtu)
{
	const unsigned lens[] = {14, 60, 61, 255, 256, 257, 1514, mtu + 14u};
	struct port p = {.id = 5};

	begin(&p, mp, (struct host_want){.mtu = mtu});
	assert_int_equal(p.grant.mtu, mtu);
	assert_memory_equal(p.grant.mac, "\x02weir\x05", 6);
	host_there_and_back(&p, "wt0", lens, sizeof(lens) / sizeof(lens[0]));
	host_close(&p, mp);
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

	begin(&p, pool, (struct host_want){.mtu = 1500});
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
	host_close(&p, pool);
}

static void test_link(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_down_up(&p, pool, "wt0");
	assert_int_equal(test_counter(&p, "link-changes"), 2);
	host_close(&p, pool);
}

// The device is deleted while we use it, and made again by the administrator.
static void test_removed(void **state)
{
	struct port p = {.id = 0};
	struct port_link link;

	host("ip tuntap add dev wt0 mode tap");
	host("ip link set wt0 up");
	begin(&p, pool, (struct host_want){0});
	host("ip link del wt0");
	host_tx_down(&p, pool);
	assert_int_equal(test_counter(&p, "device-lost"), 1);
	p.pmd->poll_queue(&p, 0);
	p.pmd->poll(&p);
	port_link(&p, &link);
	assert_false(link.up);

	host("ip tuntap add dev wt0 mode tap");
	host("ip link set wt0 up");
	assert_true(host_wait_link(&p, true));
	host_echo(&p, pool, "wt0");
	host_close(&p, pool);
	assert_int_not_equal(if_nametoindex("wt0"), 0); // not made by us: stays
	host("ip link del wt0");
}

static void test_no_buffers(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_no_buffers(&p, pool, "wt0");
	host_close(&p, pool);
}

// Every flow meets one queue, and all that was sent comes.
static void test_queues(void **state)
{
	struct port p = {.id = 0};
	unsigned got[2];

	begin(&p, pool, (struct host_want){.queues = 2});
	assert_int_equal(p.grant.queues, 2);
	host_flows(&p, "wt0", got);
	assert_true(got[0] > 0 && got[1] > 0);
	host_close(&p, pool);
}

// A device made for one queue gives one; one made for several serves a port of one.
static void test_queues_of_existing(void **state)
{
	struct port p = {.id = 0};

	host("ip tuntap add dev wt0 mode tap");
	begin(&p, pool, (struct host_want){.queues = 4});
	assert_int_equal(p.grant.queues, 1);
	host_close(&p, pool);
	host("ip link del wt0");
	host("ip tuntap add dev wt0 mode tap multi_queue");
	begin(&p, pool, (struct host_want){0});
	assert_int_equal(p.grant.queues, 1);
	host_close(&p, pool);
	host("ip link del wt0");
}

static void test_offloads(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){.offloads = HOST_OFFLOADS});
	assert_int_equal(p.grant.offloads & ~PORT_TX_USO, HOST_OFFLOADS & ~PORT_TX_USO);
	host_unfinished(&p, "wt0", 1448);
	host_close(&p, pool);
}

// Granted none, the host finishes packets before it hands them over.
static void test_no_offloads(void **state)
{
	static uint8_t f[66000], flat[2000];
	struct port p = {.id = 0};
	struct mbuf *pkts[8];
	int fd;

	begin(&p, pool, (struct host_want){0});
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
	host_close(&p, pool);
}

static void test_sleep(void **state)
{
	struct port p = {.id = 0};

	begin(&p, pool, (struct host_want){0});
	host_sleep(&p, "wt0");
	host_close(&p, pool);
}

static void test_errors(void **state)
{
	struct port p = {.id = 0}, q = {.id = 1};
	struct err e;

	assert_int_equal(try_open(&p, "", &e), -EINVAL);
	assert_int_equal(try_open(&p, "a/b", &e), -EINVAL);
	assert_int_equal(try_open(&p, "tap%d", &e), -EINVAL);
	assert_int_equal(try_open(&p, "sixteen-bytes-xx", &e), -EINVAL);
	assert_int_equal(try_open(&p, "lo", &e), -EINVAL);
	assert_non_null(strstr(e.text, "is no TAP"));
	begin(&p, pool, (struct host_want){0});
	assert_int_equal(try_open(&q, "wt0", &e), -EBUSY);
	assert_non_null(strstr(e.text, "another process"));
	host_close(&p, pool);
}

static void test_not_permitted(void **state)
{
	host_not_permitted("tap", "wt0", pool, "CAP_NET_ADMIN", "ip tuntap add dev wt0");
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
