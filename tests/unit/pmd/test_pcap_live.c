// SPDX-License-Identifier: BSD-3-Clause
// test_pcap_live.c - the pcap port on one end of a veth pair, a raw socket on the other
#include "host_test.h"

#include <sys/wait.h>

static struct mempool *pool;

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

static void end(struct port *p)
{
	struct err e;

	assert_int_equal(port_close(p, &e), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_frames(void **state)
{
	static const unsigned lens[] = {14, 60, 61, 1514, 2049, 9014};
	static uint8_t f[9014], g[9014];
	struct port p = {.id = 5};
	struct port_stats s;
	struct mbuf *m;
	int fd;

	test_open(&p, "p", "pcap", "live=hp0", pool, NULL);
	assert_null(p.pmd->next_time); // it has no end
	assert_int_equal(p.grant.mtu, 9000);
	assert_memory_equal(p.grant.mac, "\x02\0\0\0\0\x01", 6);
	fd = host_socket("hp1");
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		host_frame(f, lens[i], i);
		assert_int_equal(send(fd, f, lens[i], 0), lens[i]);
		assert_int_equal(host_rx(&p, 0, &m, 1), 1);
		host_same(m, f, lens[i]);
		assert_int_equal(m->port, 5);
		// Back by the way it came, chains too; the port does not hear itself.
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(host_receive(fd, g, sizeof(g)), lens[i]);
		assert_memory_equal(f, g, lens[i]);
		assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
	}
	port_stats(&p, &s);
	assert_int_equal(s.rx_packets, 6);
	assert_int_equal(s.tx_packets, 6);
	assert_int_equal(s.rx_bytes, 14 + 60 + 61 + 1514 + 2049 + 9014);
	assert_int_equal(s.tx_bytes, s.rx_bytes);
	assert_int_equal(test_counter(&p, "rx-ps-drop"), 0);
	close(fd);
	end(&p);
}

// Nobody receives until libpcap's buffer is full: every packet is received or counted, none twice.
static void test_drops_are_counted(void **state)
{
	enum { SENT = 4000 };
	static uint8_t f[9000];
	struct port p = {.id = 5};
	unsigned got = 0, n;
	struct mbuf *pkts[8];
	int fd;

	test_open(&p, "p", "pcap", "live=hp0", pool, NULL);
	fd = host_socket("hp1");
	host_frame(f, sizeof(f), 0);
	for (unsigned i = 0; i < SENT; i++)
		assert_int_equal(send(fd, f, sizeof(f), 0), sizeof(f));
	while ((n = port_rx_burst(&p, 0, pkts, 8))) {
		got += n;
		mbuf_free_bulk(pkts, n);
	}
	assert_true(got > 0 && got < SENT);
	assert_int_equal(got + test_counter(&p, "rx-ps-drop") + test_counter(&p, "rx-ps-ifdrop"),
			 SENT);
	close(fd);
	end(&p);
}

static void test_no_buffers(void **state)
{
	struct port p = {.id = 5};
	static uint8_t f[60];
	struct mbuf *m, *all[256];
	int fd;

	test_open(&p, "p", "pcap", "live=hp0", pool, NULL);
	fd = host_socket("hp1");
	host_frame(f, sizeof(f), 1);
	assert_int_equal(mempool_get_bulk(pool, all, 256), 0);
	assert_int_equal(send(fd, f, sizeof(f), 0), sizeof(f));
	for (unsigned i = 0; i < 2000 && !test_counter(&p, "rx-nombuf"); i++) {
		assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
		usleep(1000);
	}
	assert_int_equal(test_counter(&p, "rx-nombuf"), 1);
	mempool_put_bulk(pool, all, 256);
	assert_int_equal(send(fd, f, sizeof(f), 0), sizeof(f));
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	mbuf_free(m);
	close(fd);
	end(&p);
}

// Removed and made anew under the port: it counts, and goes on.
static void test_removed(void **state)
{
	struct port p = {.id = 5};
	static uint8_t f[60];
	struct port_link link;
	struct mbuf *m;
	int fd;

	test_open(&p, "p", "pcap", "live=hp0", pool, NULL);
	port_link(&p, &link);
	assert_true(link.up);
	host("ip link del hp0");
	for (unsigned i = 0; i < 2000 && !test_counter(&p, "failures"); i++) {
		assert_int_equal(port_rx_burst(&p, 0, &m, 1), 0);
		usleep(1000);
	}
	p.pmd->poll(&p);
	port_link(&p, &link);
	assert_false(link.up);
	assert_int_equal(mempool_get_bulk(pool, &m, 1), 0);
	mbuf_reset(m);
	memset(mbuf_append(m, 60), 0, 60);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	assert_int_equal(test_counter(&p, "tx-down"), 1);
	veth(NULL);
	for (unsigned i = 0; i < 2000 && !link.up; i++) {
		p.pmd->poll(&p);
		port_link(&p, &link);
		usleep(1000);
	}
	assert_true(link.up);
	fd = host_socket("hp1");
	host_frame(f, sizeof(f), 1);
	assert_int_equal(send(fd, f, sizeof(f), 0), sizeof(f));
	assert_int_equal(host_rx(&p, 0, &m, 1), 1);
	host_same(m, f, sizeof(f));
	mbuf_free(m);
	close(fd);
	end(&p);
}

static void test_errors(void **state)
{
	struct port p = {.id = 5};
	struct err e;

	assert_int_equal(test_try_open(&p, "p", "pcap", "live=", pool, NULL, &e), -EINVAL);
	assert_int_equal(test_try_open(&p, "p", "pcap", "live=a/b", pool, NULL, &e), -EINVAL);
	assert_int_equal(test_try_open(&p, "p", "pcap", "live=nowhere", pool, NULL, &e), -ENODEV);
	assert_non_null(strstr(e.text, "hp0")); // there are
	// Neither a file nor meant to be one.
	assert_int_equal(test_try_open(&p, "p", "pcap", "hp0,", pool, NULL, &e), -ENOENT);
	assert_non_null(strstr(e.text, "pcap:live=hp0"));
}

static void test_not_permitted(void **state)
{
	pid_t child = fork();
	struct port p = {.id = 5};
	struct err e;
	int status;

	if (child == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(3);
		if (test_try_open(&p, "p", "pcap", "live=hp0", pool, NULL, &e) != -EPERM)
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
		T(test_frames), T(test_drops_are_counted), T(test_no_buffers), T(test_removed),
		T(test_errors), T(test_not_permitted),
	};
	int rc = host_enter();

	if (rc)
		return rc;
	pool = test_pool(256, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
