// SPDX-License-Identifier: BSD-3-Clause
// test_xdp.c - the AF_XDP port on one end of a veth pair, a raw socket on the other
#include <signal.h>

#include "host_port.h"

#include "pmd/xdp/xdp.h"

static struct mempool *pool, *large, *prefixed, *foreign, *tiny, *doomed;

static void begin(struct port *p, const char *args, struct mempool *mp, struct host_want w)
{
	w.rx_size = 64; // the kernel gets as many buffers
	host_open(p, "xdp", args, mp, w);
}

static void frames(struct mempool *mp, const char *args)
{
	static const unsigned lens[] = {14, 60, 61, 255, 256, 257, 1514, 1920, 1921, 9014};
	struct port p = {.id = 5};

	begin(&p, args, mp, (struct host_want){0});
	assert_int_equal(p.grant.mtu, 9000);
	assert_memory_equal(p.grant.mac, "\x02\0\0\0\0\x01", 6);
	host_there_and_back(&p, "hp1", lens, sizeof(lens) / sizeof(lens[0]));
	assert_int_equal(test_counter(&p, "tx-copied"), 0);
	host_close(&p, mp);
}

static void test_frames(void **state)
{
	frames(pool, "hp0");
	frames(large, "hp0");	 // chunks of a page
	frames(prefixed, "hp0"); // something in front of every mbuf
}

static void test_modes(void **state)
{
	frames(pool, "hp0,native");
	frames(pool, "hp0,native,copy");
	host("ip -d link show hp0 | grep -qv xdp"); // nothing stays
}

// Without the driver's help: frames of one chunk.
static void test_generic(void **state)
{
	struct port p = {.id = 0};

	begin(&p, "hp0,skb", pool, (struct host_want){0});
	host_echo(&p, pool, "hp1");
	host_close(&p, pool);
}

// A burst in order, some from another pool, some in more pieces than one frame may have; what it may
// not send is dropped on the way and counted.
static void test_burst(void **state)
{
	struct mempool *const pools[8] = {pool, pool, pool, pool, pool, pool, foreign, tiny};
	struct port p = {.id = 0};

	begin(&p, "hp0", pool, (struct host_want){0});
	host_burst(&p, "hp1", pools, 13);
	assert_int_equal(test_counter(&p, "tx-refused"), 1);
	assert_int_equal(test_counter(&p, "tx-copied"), 16);
	assert_int_equal(mempool_available(foreign), mempool_count(foreign));
	assert_int_equal(mempool_available(tiny), mempool_count(tiny));
	host_close(&p, pool);
}

// More than the rings hold, many times: all that is taken arrives, in order.
static void test_many(void **state)
{
	struct port p = {.id = 0};
	static uint8_t f[100], g[100];
	unsigned next = 0;
	int fd;

	begin(&p, "hp0", pool, (struct host_want){0});
	fd = host_socket("hp1");
	for (unsigned i = 0; i < 5000; i++) {
		struct mbuf *m;

		host_frame(f, 100, i);
		m = host_mbuf(pool, f, 100);
		while (!port_tx_burst(&p, 0, &m, 1))
			;
		if (i % 50 != 49)
			continue;
		for (; next <= i; next++) {
			host_frame(f, 100, next);
			assert_int_equal(host_receive(fd, g, sizeof(g)), 100);
			assert_memory_equal(f, g, 100);
		}
	}
	close(fd);
	host_close(&p, pool);
}

static void test_link(void **state)
{
	struct port p = {.id = 0};

	begin(&p, "hp0", pool, (struct host_want){0});
	host_down_up(&p, pool, "hp0");
	host_echo(&p, pool, "hp1");
	assert_int_equal(test_counter(&p, "link-changes"), 2);
	host_close(&p, pool);
}

static void test_removed(void **state)
{
	struct port p = {.id = 0};

	begin(&p, "hp0", pool, (struct host_want){0});
	host("ip link del hp0");
	assert_true(host_wait_link(&p, false));
	assert_int_equal(test_counter(&p, "device-lost"), 1);
	host_tx_down(&p, pool);
	host_veth(NULL);
	assert_true(host_wait_link(&p, true));
	usleep(110000);
	p.pmd->poll_queue(&p, 0);
	host_echo(&p, pool, "hp1");
	host_close(&p, pool);
}

// No buffers to replace those filled: the kernel drops and counts, and goes on when there are some.
static void test_no_buffers(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *all[512], *pkts[128];
	unsigned n = 0, got;
	uint8_t f[60];
	int fd;

	begin(&p, "hp0", pool, (struct host_want){0});
	while (n < 512 && !mempool_get_bulk(pool, &all[n], 1))
		n++;
	fd = host_socket("hp1");
	host_frame(f, 60, 7);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(send(fd, f, 60, 0), 60);
	usleep(10000);
	got = host_rx(&p, 0, pkts, 64);
	assert_int_equal(got, 64);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 64), 0);
	assert_true(test_counter(&p, "rx-nombuf") > 0);
	assert_int_equal(test_counter(&p, "rx-host-dropped"), 36);
	assert_int_equal(test_counter(&p, "rx-fill-empty"), 36); // that was why
	mbuf_free_bulk(pkts, got);
	mempool_put_bulk(pool, all, n);
	port_rx_burst(&p, 0, pkts, 1);
	assert_int_equal(send(fd, f, 60, 0), 60);
	assert_int_equal(host_rx(&p, 0, pkts, 1), 1);
	host_same(pkts[0], f, 60);
	mbuf_free(pkts[0]);
	close(fd);
	host_close(&p, pool);
}

// Two sockets on two queues of a veth: all that comes is at one of them.
static void test_queues(void **state)
{
	struct port p = {.id = 0};
	unsigned got[2];

	host("ip link del hp0");
	host("ip link add hp0 numrxqueues 2 numtxqueues 2 type veth peer name hp1 numrxqueues 2 "
	     "numtxqueues 2");
	host("ip link set hp0 up; ip link set hp1 up");
	begin(&p, "hp0", pool, (struct host_want){.queues = 2});
	assert_int_equal(p.grant.queues, 2);
	host_flows(&p, "hp1", got);
	host_close(&p, pool);
}

// Killed: the kernel takes the program off.
static void test_killed(void **state)
{
	int pipes[2], status;
	pid_t child;
	char c;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child) {
		struct port p = {.id = 0};

		begin(&p, "hp0", doomed, (struct host_want){0}); // pools are shared memory
		if (write(pipes[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(pipes[0], &c, 1), 1);
	host("ip -d link show hp0 | grep -q xdp");
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	usleep(50000);
	host("! ip -d link show hp0 | grep -q xdp");
	close(pipes[0]);
	close(pipes[1]);
}

// Addresses and indices that a kernel should never hand back are counted, and touch nothing.
static void test_bad_addresses(void **state)
{
	static const uint64_t wrong[] = {1, 64, UINT64_MAX, (uint64_t)1 << 40};
	struct port p = {.id = 0};
	struct xdp_port *x;
	struct xdp_queue *q;
	struct mbuf *m;

	begin(&p, "hp0", pool, (struct host_want){0});
	x = p.priv;
	q = &x->queue[0];
	for (unsigned i = 0; i < 6; i++) {
		// As the kernel would, into the ring of received frames.
		uint32_t at = *q->rx.producer;
		struct xdp_desc *d = &((struct xdp_desc *)q->rx.ring)[at & q->rx.mask];
		uint64_t chunk = q->umem.first;

		while (!q->slot[(chunk - q->umem.first) / q->umem.stride].posted)
			chunk += q->umem.stride;
		*d = (struct xdp_desc){.addr = i < 4 ? wrong[i] : chunk, .len = 60};
		if (i == 4)
			d->len = 70000;
		if (i == 5)
			d->addr |= (uint64_t)0xffff << 48;
		__atomic_store_n(q->rx.producer, at + 1, __ATOMIC_RELEASE);
		assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
	}
	assert_int_equal(test_counter(&p, "rx-bad-address"), 6);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t at = *q->comp.producer;

		((uint64_t *)q->comp.ring)[at & q->comp.mask] = i < 4 ? wrong[i] : q->umem.first;
		__atomic_store_n(q->comp.producer, at + 1, __ATOMIC_RELEASE);
		xdp_reap(q);
	}
	assert_int_equal(test_counter(&p, "tx-bad-address"), 5);
	host_close(&p, pool);
}

static void test_own_mac(void **state)
{
	host_own_mac("xdp", pool);
}

static void test_sleep(void **state)
{
	struct port p = {.id = 0};

	begin(&p, "hp0", pool, (struct host_want){0});
	host_sleep(&p, "hp1");
	host_close(&p, pool);
}

static void test_errors(void **state)
{
	static const char *const wrong[] = {
		"",
		"hp0,fast",
		"hp0,queue=",
		"hp0,queue=x",
		"hp0,queue=1024",
		"hp0,native,skb",
		"hp0,copy,zerocopy",
		"hp0,skb,zerocopy",
		"hp0,",
		"a/b",
	};
	struct port p = {.id = 0}, other = {.id = 1};
	struct err e;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
			host_try_open(&p, "xdp", wrong[i], pool, (struct host_want){0}, &e),
			-EINVAL);
	assert_int_equal(host_try_open(&p, "xdp", "nosuch", pool, (struct host_want){0}, &e),
			 -ENODEV);
	assert_non_null(strstr(e.text, "hp0"));
	assert_int_equal(host_try_open(&p, "xdp", "hp0", pool, (struct host_want){.mtu = 9001}, &e),
			 -EINVAL);
	assert_non_null(strstr(e.text, "ip link set hp0 mtu 9001"));
	assert_int_equal(host_try_open(&p, "xdp", "hp0", tiny, (struct host_want){0}, &e), -EINVAL);
	assert_non_null(strstr(e.text, "2048"));
	assert_int_equal(host_try_open(&p, "xdp", "hp0,queue=7", pool, (struct host_want){0}, &e),
			 -EINVAL);
	assert_non_null(strstr(e.text, "ethtool -l hp0"));
	assert_true(host_try_open(&p, "xdp", "hp0,zerocopy", pool, (struct host_want){0}, &e) < 0);
	assert_non_null(strstr(e.text, "zerocopy"));
	begin(&p, "hp0", pool, (struct host_want){0});
	assert_int_equal(host_try_open(&other, "xdp", "hp0", pool, (struct host_want){0}, &e),
			 -EBUSY);
	assert_non_null(strstr(e.text, "XDP program already"));
	host_close(&p, pool);
}

static void test_not_permitted(void **state)
{
	host_not_permitted("xdp", "hp0", pool, "CAP_BPF", "setcap");
}

#define T(f) cmocka_unit_test_setup_teardown(f, host_veth, host_no_veth)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_frames), T(test_modes),	T(test_generic),       T(test_burst),
		T(test_many),	T(test_link),	T(test_removed),       T(test_no_buffers),
		T(test_queues), T(test_killed), T(test_bad_addresses), T(test_own_mac),
		T(test_sleep),	T(test_errors), T(test_not_permitted),
	};
	int rc = host_enter();

	if (rc)
		return rc;
	pool = test_pool(256, 0, 0);
	large = test_pool(256, 9216, 0);
	prefixed = test_pool(256, 0, 128);
	foreign = test_pool(64, 0, 0);
	tiny = test_pool(256, 64, 0);
	doomed = test_pool(256, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
