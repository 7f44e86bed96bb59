// SPDX-License-Identifier: BSD-3-Clause
// host_port.h - what the tests of tap, packet and xdp ports do alike
//
// packet and xdp have one end of a veth pair, hp0; the test has the other, hp1.
#ifndef WEIR_TESTS_HOST_PORT_H
#define WEIR_TESTS_HOST_PORT_H

#include <sys/wait.h>

#include "host_test.h"
#include "pmd/port_node.h"

#define HOST_OFFLOADS                                                                              \
	(PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

struct host_want {
	uint32_t offloads;
	uint16_t mtu, queues, rx_size;
};

static inline int host_try_open(struct port *p, const char *driver, const char *args,
				struct mempool *mp, struct host_want w, struct err *e)
{
	struct port_conf conf = {.name = "p",
				 .driver = driver,
				 .args = args,
				 .pool = mp,
				 .mtu = w.mtu,
				 .rx_size = w.rx_size,
				 .offloads = w.offloads,
				 .queues = w.queues ? w.queues : 1};

	e->text[0] = 0;
	return port_open(p, &conf, e);
}

static inline void host_open(struct port *p, const char *driver, const char *args,
			     struct mempool *mp, struct host_want w)
{
	struct err e;

	if (host_try_open(p, driver, args, mp, w, &e))
		fail_msg("%s", e.text);
}

// Nothing is left out of the pool.
static inline void host_close(struct port *p, struct mempool *mp)
{
	struct err e;

	assert_int_equal(port_close(p, &e), 0);
	assert_int_equal(mempool_available(mp), mempool_count(mp));
}

static inline int host_veth(void **state)
{
	host("ip link add hp0 mtu 9000 type veth peer name hp1 mtu 9000");
	host("ip link set hp0 address 02:00:00:00:00:01 up");
	host("ip link set hp1 up");
	return 0;
}

static inline int host_no_veth(void **state)
{
	return if_nametoindex("hp0") ? host_try("ip link del hp0") : 0;
}

static inline bool host_wait_link(struct port *p, bool up)
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

// A frame each way.
static inline void host_echo(struct port *p, struct mempool *mp, const char *peer)
{
	uint8_t f[60], g[100];
	struct mbuf *m;
	int fd = host_socket(peer);

	host_frame(f, 60, 9);
	m = host_mbuf(mp, f, 60);
	assert_int_equal(port_tx_burst(p, 0, &m, 1), 1);
	assert_int_equal(host_receive(fd, g, sizeof(g)), 60);
	assert_memory_equal(f, g, 60);
	assert_int_equal(send(fd, f, 60, 0), 60);
	assert_int_equal(host_rx(p, 0, &m, 1), 1);
	host_same(m, f, 60);
	mbuf_free(m);
	close(fd);
}

// The lengths there and back, each the same chain, while somebody else still has it.
static inline void host_there_and_back(struct port *p, const char *peer, const unsigned *lens,
				       unsigned count)
{
	static uint8_t f[70000], g[70000];
	struct port_stats s;
	uint64_t bytes = 0;
	struct mbuf *m;
	int fd = host_socket(peer);

	for (unsigned i = 0; i < count; i++) {
		host_frame(f, lens[i], i);
		assert_int_equal(send(fd, f, lens[i], 0), lens[i]);
		assert_int_equal(host_rx(p, 0, &m, 1), 1);
		host_same(m, f, lens[i]);
		assert_int_equal(m->port, p->id);
		assert_int_equal(m->flags, 0);
		mbuf_ref(m);
		assert_int_equal(port_tx_burst(p, 0, &m, 1), 1);
		assert_int_equal(host_receive(fd, g, sizeof(g)), lens[i]);
		assert_memory_equal(f, g, lens[i]);
		host_same(m, f, lens[i]);
		mbuf_free(m);
		bytes += lens[i];
	}
	assert_int_equal(port_rx_burst(p, 0, &m, 1), 0); // what is sent is not received
	port_stats(p, &s);
	assert_int_equal(s.rx_packets, count);
	assert_int_equal(s.tx_packets, count);
	assert_int_equal(s.rx_bytes, bytes);
	assert_int_equal(s.tx_bytes, bytes);
	close(fd);
}

// A burst in order, packet i from pool i % 8; number 20, of bad_len bytes, is not sent.
static inline void host_burst(struct port *p, const char *peer, struct mempool *const pools[8],
			      unsigned bad_len)
{
	static uint8_t f[10000], g[10000];
	struct mbuf *pkts[64];
	int fd = host_socket(peer);

	for (unsigned i = 0; i < 64; i++) {
		unsigned len = i == 20 ? bad_len : 60 + i;

		host_frame(f, len, i);
		pkts[i] = host_mbuf(pools[i % 8], f, len);
	}
	assert_int_equal(port_tx_burst(p, 0, pkts, 64), 64);
	for (unsigned i = 0; i < 64; i++) {
		if (i == 20)
			continue;
		host_frame(f, 60 + i, i);
		assert_int_equal(host_receive(fd, g, sizeof(g)), 60 + i);
		assert_memory_equal(f, g, 60 + i);
	}
	close(fd);
}

// The interface is down or away: nothing comes; what is sent is taken and counted.
static inline void host_tx_down(struct port *p, struct mempool *mp)
{
	uint8_t f[60];
	struct mbuf *m;

	assert_int_equal(port_rx_burst(p, 0, &m, 1), 0);
	host_frame(f, 60, 1);
	m = host_mbuf(mp, f, 60);
	assert_int_equal(port_tx_burst(p, 0, &m, 1), 1);
	assert_int_equal(test_counter(p, "tx-down"), 1);
}

// The host takes the interface down, and up again.
static inline void host_down_up(struct port *p, struct mempool *mp, const char *dev)
{
	struct port_link link;

	port_link(p, &link);
	assert_true(link.up);
	host("ip link set %s down", dev);
	assert_true(host_wait_link(p, false));
	host_tx_down(p, mp);
	host("ip link set %s up", dev);
	assert_true(host_wait_link(p, true));
}

// No buffers: packets wait with the host, and come when there are buffers again.
static inline void host_no_buffers(struct port *p, struct mempool *mp, const char *peer)
{
	struct mbuf *all[512], *m;
	unsigned n = 0;
	uint8_t f[60];
	int fd = host_socket(peer);

	while (n < 512 && !mempool_get_bulk(mp, &all[n], 1))
		n++;
	host_frame(f, 60, 7);
	assert_int_equal(send(fd, f, 60, 0), 60);
	usleep(10000);
	assert_int_equal(port_rx_burst(p, 0, &m, 1), 0);
	assert_true(test_counter(p, "rx-nombuf") > 0);
	mempool_put_bulk(mp, all, n);
	assert_int_equal(host_rx(p, 0, &m, 1), 1);
	host_same(m, f, 60);
	mbuf_free(m);
	close(fd);
}

// 64 flows sent to a port of two queues: all come. got[q]: by which.
static inline void host_flows(struct port *p, const char *peer, unsigned got[2])
{
	struct mbuf *pkts[64];
	uint8_t f[100];
	int fd = host_socket(peer);

	got[0] = got[1] = 0;
	for (unsigned i = 0; i < 200 && got[0] + got[1] < 64; i++) {
		if (i < 64) {
			host_udp(f, 100, i);
			assert_int_equal(send(fd, f, 100, 0), 100);
		} else {
			usleep(1000);
		}
		for (uint16_t q = 0; q < 2; q++) {
			unsigned k = port_rx_burst(p, q, pkts, 64);

			mbuf_free_bulk(pkts, k);
			got[q] += k;
		}
	}
	assert_int_equal(got[0] + got[1], 64);
	close(fd);
}

// The host's unfinished packets come as they are, and ours reach it likewise.
static inline void host_unfinished(struct port *p, const char *peer, uint16_t mss)
{
	static uint8_t f[66000], g[66000];
	struct mbuf *m;
	int fd = host_socket_vnet(peer);

	for (unsigned len = 1000; len <= 65000; len += 32000) {
		uint16_t cut = len > mss + HOST_TCP_HDRS ? mss : 0;

		host_tcp(f, len, 1);
		host_send_tcp(fd, f, len, cut);
		assert_int_equal(host_rx(p, 0, &m, 1), 1);
		host_same(m, f, len);
		assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | (cut ? MBUF_TSO : 0));
		assert_int_equal(m->l3, 14);
		assert_int_equal(m->l4, 34);
		if (cut)
			assert_int_equal(m->mss, cut);
		// And back: the host is told what the frame lacks.
		assert_int_equal(port_tx_burst(p, 0, &m, 1), 1);
		assert_int_equal(host_receive(fd, g, sizeof(g)), 10 + len);
		assert_int_equal(g[0], 1); // NEEDS_CSUM
		assert_int_equal(g[1], cut ? 1 : 0);
		assert_int_equal(g[4] | g[5] << 8, cut);
		assert_int_equal(g[6] | g[7] << 8, 34);
		assert_int_equal(g[8] | g[9] << 8, 16);
		assert_memory_equal(g + 10, f, len);
	}
	close(fd);
}

// An armed queue: a packet that comes ends the halt; one that waits forbids it.
static inline void host_sleep(struct port *p, const char *peer)
{
	struct loop_source s;
	struct mbuf *m;
	uint8_t f[60];
	uint64_t t0;
	int fd = host_socket(peer);

	host_frame(f, 60, 1);
	port_source(&s, p, 0, NULL);
	assert_int_equal(s.arm(s.arm_arg, 0), 0);
	if (!fork()) {
		usleep(50000);
		_exit(send(fd, f, 60, 0) != 60);
	}
	t0 = tsc_read();
	plat_halt(900000000);
	assert_true(tsc_read() - t0 < plat_tsc_hz() / 10 * 8);
	s.disarm(s.arm_arg, 0);
	assert_int_equal(s.arm(s.arm_arg, 0), -EAGAIN);
	assert_int_equal(host_rx(p, 0, &m, 1), 1);
	mbuf_free(m);
	assert_int_equal(s.arm(s.arm_arg, 0), 0);
	s.disarm(s.arm_arg, 0);
	assert_true(wait(NULL) > 0);
	close(fd);
}

// An address of the port's own, or `promisc`, makes the interface promiscuous, as long as we are
// there.
static inline void host_own_mac(const char *driver, struct mempool *mp)
{
	struct port p = {.id = 0};
	struct port_conf conf = {.name = "p",
				 .driver = driver,
				 .args = "hp0",
				 .pool = mp,
				 .rx_size = 64,
				 .mac = {2, 9, 9, 9, 9, 9},
				 .has_mac = true,
				 .queues = 1};
	struct err e;

	assert_int_equal(port_open(&p, &conf, &e), 0);
	assert_memory_equal(p.grant.mac, conf.mac, 6);
	host("ip -d link show hp0 | grep -q 'promiscuity 1'");
	host_close(&p, mp);
	host("ip -d link show hp0 | grep -q 'promiscuity 0'");
	host_open(&p, driver, "hp0,promisc", mp, (struct host_want){.rx_size = 64});
	host("ip -d link show hp0 | grep -q 'promiscuity 1'");
	host_close(&p, mp);
}

// Without privileges the error names the capability, and `remedy`.
static inline void host_not_permitted(const char *driver, const char *args, struct mempool *mp,
				      const char *capability, const char *remedy)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct port p = {.id = 0};
		struct err e;

		if (setgid(65534) || setuid(65534))
			_exit(3);
		if (host_try_open(&p, driver, args, mp, (struct host_want){0}, &e) != -EPERM)
			_exit(1);
		_exit(strstr(e.text, capability) && strstr(e.text, remedy) ? 0 : 2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#endif
