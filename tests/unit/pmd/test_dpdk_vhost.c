// SPDX-License-Identifier: BSD-3-Clause
// test_dpdk_vhost.c - the dpdk port as vhost-user back end of DPDK's own virtio driver
// (dpdk-testpmd, which sends back what it gets): every packet, both ways, and a peer that dies and
// comes back
#include "pmd/dpdk/dpdk.h" // first: DPDK's headers stumble over always_inline of core/lcore.h

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "port_test.h"

#define PACKETS 20000u
#define WINDOW  128u // in flight
#define PROBE	UINT32_MAX // the number of packets that only ask whether testpmd forwards
#define SECONDS 100

static struct mempool *pool;
static char dir[] = "/tmp/weir-test-XXXXXX";
static char socket_path[64];
static struct port port;
static unsigned probes_sent, probes_received;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

// testpmd on virtio_user; ends when its standard input does. Returns its pid and that pipe.
static pid_t start_peer(int *in)
{
	char vdev[160];
	int fds[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	snprintf(vdev, sizeof(vdev), "net_virtio_user0,path=%s,queues=1,queue_size=256",
		 socket_path);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		setenv("RUNTIME_DIRECTORY", dir, 1); // where it makes directories
		execlp("dpdk-testpmd", "dpdk-testpmd", "--no-huge", "--no-shconf", "-m", "128",
		       "-l", "0,1", "--no-pci", "--no-telemetry", "--file-prefix=weirtest",
		       "--vdev", vdev, "--", "--forward-mode=io", "--no-flush-rx",
		       "--disable-link-check", "--total-num-mbufs=4096", (char *)NULL);
		_exit(127);
	}
	close(fds[0]);
	close(null);
	*in = fds[1];
	return pid;
}

static bool wait_link(bool up)
{
	uint64_t end = now() + SECONDS;
	struct port_link link;

	do {
		port_link(&port, &link);
		port.pmd->poll(&port);
		if (link.up == up)
			return true;
		usleep(1000);
	} while (now() < end);
	return false;
}

static uint32_t length_of(uint32_t number)
{
	return 60 + number * 37 % 1455;
}

static unsigned send_some(uint32_t next, unsigned n)
{
	struct mbuf *pkts[32];
	uint8_t frame[1514];
	unsigned sent;

	for (unsigned i = 0; i < n; i++) {
		uint32_t number = next + i;

		memset(frame, (int)number, sizeof(frame));
		memcpy(frame, &number, sizeof(number));
		pkts[i] = mbuf_from_bytes(pool, frame, length_of(number));
		assert_non_null(pkts[i]);
	}
	sent = port_tx_burst(&port, 0, pkts, (uint16_t)n);
	mbuf_free_bulk(pkts + sent, n - sent);
	return sent;
}

// Returns how many came but for probes, which may come late.
static unsigned receive_some(uint32_t next)
{
	struct mbuf *pkts[32];
	unsigned n = port_rx_burst(&port, 0, pkts, 32), got = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct mbuf *m = pkts[i];
		uint32_t number;

		assert_int_equal(mbuf_check(m), 0);
		memcpy(&number, m->data, sizeof(number));
		assert_int_equal(m->pkt_len, length_of(number));
		assert_int_equal(m->data[m->len - 1], (uint8_t)number);
		if (number == PROBE) {
			probes_received++;
			continue;
		}
		assert_int_equal(number, next + got);
		got++;
	}
	mbuf_free_bulk(pkts, n);
	return got;
}

// The link is up before testpmd forwards, and what it gets until then it may throw away: a packet
// now and then until one comes back.
static void wait_forwarding(void)
{
	uint64_t end = now() + SECONDS;
	unsigned before = probes_received;

	while (probes_received == before && now() < end) {
		probes_sent += send_some(PROBE, 1);
		usleep(2000);
		assert_int_equal(receive_some(0), 0);
	}
	assert_true(probes_received > before);
}

// From then on every packet comes back, in order and whole.
static void exchange(void)
{
	unsigned sent = 0, received = 0;
	uint64_t end;

	wait_forwarding();
	end = now() + SECONDS;
	while (received < PACKETS && now() < end) {
		unsigned n = PACKETS - sent < 32 ? PACKETS - sent : 32;

		if (sent - received + n <= WINDOW)
			sent += send_some(sent, n);
		received += receive_some(received);
	}
	assert_int_equal(sent, PACKETS);
	assert_int_equal(received, PACKETS);
	assert_int_equal(receive_some(received), 0);
}

static void test_peer_comes_goes_and_comes_back(void **state)
{
	struct port_stats s;
	int in, status;
	pid_t peer;

	assert_true(wait_link(false)); // nobody there yet
	assert_int_equal(send_some(0, 8), 0);

	peer = start_peer(&in);
	assert_true(wait_link(true));
	exchange();
	kill(peer, SIGKILL);
	assert_int_equal(waitpid(peer, &status, 0), peer);
	close(in);
	assert_true(wait_link(false));
	assert_int_equal(send_some(0, 8), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool)); // nothing went with it

	peer = start_peer(&in);
	assert_true(wait_link(true));
	exchange();
	close(in); // it ends by itself
	assert_int_equal(waitpid(peer, &status, 0), peer);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(wait_link(false));

	port_stats(&port, &s);
	assert_int_equal(s.tx_packets, 2 * PACKETS + probes_sent);
	assert_int_equal(s.rx_packets, 2 * PACKETS + probes_received);
	assert_int_equal(test_counter(&port, "link-changes"), 4);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static int setup(void **state)
{
	char args[128];

	pool = test_pool(4096, 0, DPDK_PREFIX);
	if (!mkdtemp(dir))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	snprintf(args, sizeof(args), "net_vhost0,iface=%s,queues=1", socket_path);
	test_open(&port, "wan", "dpdk", args, pool, NULL);
	return 0;
}

static int teardown(void **state)
{
	char path[64];
	struct err e;
	int rc = port_close(&port, &e);

	unlink(socket_path);
	snprintf(path, sizeof(path), "%s/dpdk/weirtest", dir);
	rc |= rmdir(path);
	snprintf(path, sizeof(path), "%s/dpdk", dir);
	rc |= rmdir(path);
	return rc | rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_comes_goes_and_comes_back),
	};

	if (system("command -v dpdk-testpmd >/dev/null")) {
		printf("skipped: dpdk-testpmd is not installed (package dpdk)\n");
		return 77;
	}
	if (plat_lcore_count() < 2) {
		printf("skipped: testpmd needs two CPUs\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
