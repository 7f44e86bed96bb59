// SPDX-License-Identifier: BSD-3-Clause
// test_vhost_user.c - the front end's messages, byte by byte and in order, what it makes of hostile
// answers, and a back end that goes and comes
#include <dirent.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../port_test.h"
#include "core/linux/plat_linux.h"
#include "expect.h"
#include "pmd/pmds.h"

#define FEATURES (1ull << 32 | 1ull << 30 | 1ull << 22 | 1ull << 15 | 1ull << 3)
#define PROTOCOL (1ull << 0 | 1ull << 3 | 1ull << 4 | 1ull << 16)
#define MSEC	 1000000ull

static struct mempool *pool;
struct peer peer;
unsigned next;
static struct port port;
static struct clock loop_clock;
static char dir[] = "/tmp/weir-test-XXXXXX";
static struct err err;

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int setup(void **state)
{
	peer_forget(&peer);
	memset(&peer, 0, sizeof(peer));
	snprintf(peer.path, sizeof(peer.path), "%s/sock", dir);
	peer.features = FEATURES;
	peer.protocol = PROTOCOL;
	peer.queues = 2;
	memset(&port, 0, sizeof(port));
	return 0;
}

static int teardown(void **state)
{
	peer_forget(&peer);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	return 0;
}

static int open_port(const char *options, uint16_t queues, uint16_t mtu)
{
	char args[160];
	struct port_conf conf = {.name = "a",
				 .driver = "virtio-user",
				 .args = args,
				 .pool = pool,
				 .clock = &loop_clock,
				 .queues = queues,
				 .mtu = mtu,
				 .rx_size = 128,
				 .tx_size = 64};

	snprintf(args, sizeof(args), "%s%s", peer.path, options);
	err.text[0] = 0;
	return port_open(&port, &conf, &err);
}

static void must_open(const char *options, uint16_t queues, uint16_t mtu)
{
	if (open_port(options, queues, mtu))
		fail_msg("%s", err.text);
}

// Housekeeping until the link is as it should be.
static void pass_until(bool up)
{
	struct port_link link;

	for (unsigned i = 0; i < 5000; i++) {
		loop_clock.now += 10 * MSEC;
		for (uint16_t q = 0; q < port.grant.queues; q++)
			port.pmd->poll_queue(&port, q);
		port.pmd->poll(&port);
		port_link(&port, &link);
		if (link.up == up)
			return;
		usleep(1000);
	}
	fail_msg("the link is not %s", up ? "up" : "down");
}

static const uint8_t *map_region(const struct peer_msg *m, uint64_t *user)
{
	const uint8_t *p;

	assert_int_equal(u32(m, 0), 1); // one region
	*user = u64(m, 24);
	assert_int_equal(u64(m, 8), *user); // guest address: the same
	assert_int_equal(u64(m, 32), 0);    // mmap offset
	p = mmap(NULL, u64(m, 16), PROT_READ, MAP_SHARED, m->fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

// A ring of `size`, whose split available ring can be found in the memory that was handed over:
// flags NO_INTERRUPT (virtio 1.2, 2.7.6).
static void expect_ring(uint32_t index, uint32_t size, uint32_t base, const uint8_t *memory,
			uint64_t user)
{
	const struct peer_msg *m;
	uint16_t flags;

	expect_u64(13, 1, index, true); // SET_VRING_CALL
	expect_u64(14, 1, index, true); // SET_VRING_ERR
	expect_state(8, index, size);	// SET_VRING_NUM
	expect_state(10, index, base);	// SET_VRING_BASE
	m = expect(9, 1, 40, false);	// SET_VRING_ADDR
	assert_int_equal(u32(m, 0), index);
	assert_int_equal(u32(m, 4), 0);
	assert_int_equal(u64(m, 8) % 16, 0); // alignments: 2.7, 2.8.10.1
	assert_int_equal(u64(m, 16) % 4, 0);
	assert_int_equal(u64(m, 24) % 2, 0);
	assert_int_equal(u64(m, 32), 0);
	if (!base) {
		memcpy(&flags, memory + (u64(m, 24) - user), sizeof(flags));
		assert_int_equal(flags, 1);
	}
	expect_u64(12, 9, index, true); // SET_VRING_KICK
}

static void expect_greeting(void)
{
	next = 0;
	expect(1, 1, 0, false);		    // GET_FEATURES
	expect(15, 1, 0, false);	    // GET_PROTOCOL_FEATURES
	expect_u64(16, 1, PROTOCOL, false); // SET_PROTOCOL_FEATURES
	expect(17, 1, 0, false);	    // GET_QUEUE_NUM
	expect(3, 1, 0, false);		    // SET_OWNER
}

static void says_what_the_protocol_says(void **state)
{
	const struct peer_msg *m;
	const uint8_t *memory;
	uint64_t user;

	peer.protocol = UINT64_MAX; // only what we know may come back
	peer_start(&peer);
	must_open(",packed=off", 2, 1400);
	assert_int_equal(port.grant.queues, 2);
	assert_int_equal(port.grant.mtu, 1400);
	assert_int_equal(port_close(&port, NULL), 0);
	peer_stop(&peer);
	expect_greeting();
	expect_u64(39, 1, 1, false); // SET_STATUS: ACKNOWLEDGE, DRIVER
	expect_u64(39, 1, 3, false);
	expect_u64(2, 9, FEATURES, false); // SET_FEATURES
	expect_u64(20, 9, 1400, false);	   // NET_SET_MTU
	m = expect(5, 9, 40, true);	   // SET_MEM_TABLE
	assert_int_equal(u64(m, 16), plat_arena_size());
	memory = map_region(m, &user);
	expect_u64(39, 1, 11, false); // FEATURES_OK
	for (uint32_t i = 0; i < 4; i++)
		expect_ring(i, i % 2 ? 64 : 128, 0, memory, user);
	expect_u64(39, 1, 15, false); // DRIVER_OK
	for (uint32_t i = 0; i < 4; i++)
		expect_state(18, i, 1); // SET_VRING_ENABLE
	for (uint32_t i = 0; i < 4; i++) {
		expect_state(18, i, 0);
		expect_state(11, i, 0); // GET_VRING_BASE
	}
	expect_u64(39, 1, 0, false);
	assert_int_equal(next, peer.logged);
	munmap((void *)(uintptr_t)memory, plat_arena_size());
}

static void packed_rings_begin_with_their_wrap_counters(void **state)
{
	peer.features |= 1ull << 34;
	peer.protocol = 0;
	peer_start(&peer);
	must_open("", 1, 0);
	port_close(&port, NULL);
	peer_stop(&peer);
	next = 4; // GET_FEATURES, GET_, SET_PROTOCOL_FEATURES, SET_OWNER
	assert_int_equal(u64(expect(2, 1, 8, false), 0),
			 1ull << 34 | 1ull << 32 | 1ull << 30 | 1 << 15);
	next++; // SET_MEM_TABLE
	expect_u64(13, 1, 0, true);
	expect_u64(14, 1, 0, true);
	expect_state(8, 0, 128);
	expect_state(10, 0, 0x80008000u); // available and used index 0, wrap counters 1
}

// Old back ends: no protocol features, rings that are enabled once they are there.
static void does_without_protocol_features(void **state)
{
	peer.features = 1ull << 32 | 1ull << 15;
	peer_start(&peer);
	must_open("", 1, 0);
	port_close(&port, NULL);
	peer_stop(&peer);
	next = 0;
	expect(1, 1, 0, false);
	expect(3, 1, 0, false);
	assert_int_equal(u64(expect(2, 1, 8, false), 0), peer.features);
	for (unsigned i = 0; i < peer.logged; i++) {
		assert_int_not_equal(peer.log[i].request, 15);
		assert_int_not_equal(peer.log[i].request, 17);
		assert_int_not_equal(peer.log[i].request, 18);
		assert_int_not_equal(peer.log[i].request, 39);
		assert_int_equal(peer.log[i].flags, 1);
	}
}

static void refuses_lies(void **state)
{
	static const struct {
		enum peer_lie lie;
		uint32_t to;
		uint64_t value;
		const char *text;
	} cases[] = {
		{PEER_SILENT, 1, 0, "says nothing"},
		{PEER_HANGS_UP, 1, 0, "has closed the connection"},
		{PEER_HANGS_UP, 17, 0, "has closed the connection"},
		{PEER_HALF, 1, 0, "has closed the connection"},
		{PEER_OTHER, 1, 0, "answers GET_FEATURES by message 2"},
		{PEER_NO_REPLY_BIT, 15, 0, "flags 0x1"},
		{PEER_VERSION, 15, 0, "flags 0x6"},
		{PEER_SHORT, 1, 0, "with 4 bytes"},
		{PEER_HUGE, 17, 0, "with 4294967295 bytes"},
		{PEER_DESCRIPTORS, 1, 0, "file descriptors"},
		{PEER_TWICE, 1, 0, "answers GET_PROTOCOL_FEATURES by message 1"},
		{PEER_VALUE, 17, 0, "has 0 queue pairs"},
		{PEER_VALUE, 17, 129, "has 129 queue pairs"},
		{PEER_VALUE, 1, 1ull << 30, "without VERSION_1"},
		{PEER_REFUSES, 2, 0, "refuses SET_FEATURES"},
		{PEER_REFUSES, 5, 0, "refuses SET_MEM_TABLE"},
		{PEER_REFUSES, 12, 0, "refuses SET_VRING_KICK"},
		{PEER_REFUSES, 20, 0, "refuses NET_SET_MTU"},
		{PEER_SILENT, 5, 0, "answers SET_MEM_TABLE by message 12"},
		{PEER_SILENT, 12, 0, "not acknowledged"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned fds;

		setup(NULL);
		fds = open_fds();
		peer.lie = cases[i].lie;
		peer.lie_to = cases[i].to;
		peer.value = cases[i].value;
		peer_start(&peer);
		for (unsigned n = 0; access(peer.path, F_OK) && n < 1000; n++)
			usleep(1000);
		if (!open_port(",wait=1", 1, 1400)) {
			port_close(&port, NULL);
			fail_msg("case %u (%s): it opens", i, cases[i].text);
		}
		if (!strstr(err.text, cases[i].text))
			fail_msg("case %u: '%s' is not in: %s", i, cases[i].text, err.text);
		peer_stop(&peer);
		peer_forget(&peer);
		assert_int_equal(open_fds(), fds);
		teardown(NULL);
	}
}

// A lie told while the port runs ends the connection, not the port: it meets the next one.
static void recovers(void **state)
{
	static const uint8_t frame[60];
	struct mbuf *m[2];

	peer.client = *(const bool *)*state;
	peer_start(&peer);
	must_open(peer.client ? ",server" : ",wait=5", 2, 0);
	pass_until(true);
	for (unsigned i = 0; i < 2; i++) {
		m[i] = mbuf_from_bytes(pool, frame, sizeof(frame));
		assert_non_null(m[i]);
	}
	assert_int_equal(port_tx_burst(&port, 0, m, 2), 2);
	for (unsigned i = 1; i <= 5; i++) {
		peer_hang_up(&peer);
		pass_until(false);
		peer_forget(&peer);
		pass_until(true);
		assert_int_equal(peer_connections(&peer), i + 1);
		assert_int_equal(test_counter(&port, "disconnects"), i);
		assert_int_equal(test_counter(&port, "reconnects"), i);
		assert_int_equal(test_counter(&port, "protocol-errors"), 0);
	}
	assert_int_equal(test_counter(&port, "tx-lost"), 2);
	port_close(&port, NULL);
	peer_stop(&peer);
	expect_greeting(); // all anew, the memory and rings too
	for (unsigned i = 0, rings = 0, memory = 0; i < peer.logged; i++) {
		rings += peer.log[i].request == 12;
		memory += peer.log[i].request == 5;
		if (i + 1 == peer.logged)
			assert_true(rings == 4 && memory == 1);
	}
}

static void a_lie_at_the_end_hurts_nobody(void **state)
{
	peer.lie = PEER_RING;
	peer.lie_to = 11; // GET_VRING_BASE
	peer_start(&peer);
	must_open("", 1, 0);
	pass_until(true);
	port_close(&port, NULL); // nothing hangs, and no buffer is lost: teardown()
	peer_stop(&peer);
}

static void a_listener_takes_the_place_of_a_dead_one(void **state)
{
	char options[] = ",server,wait=0";

	peer_start(&peer); // listens
	for (unsigned n = 0; access(peer.path, F_OK) && n < 1000; n++)
		usleep(1000);
	assert_int_not_equal(open_port(options, 1, 0), 0);
	assert_non_null(strstr(err.text, "is there already"));
	peer_stop(&peer);
	assert_int_not_equal(open_port(options, 1, 0), 0); // nobody comes
	assert_non_null(strstr(err.text, "no back end has come"));
	assert_int_not_equal(access(peer.path, F_OK), 0); // it cleaned up behind itself
	assert_int_not_equal(open_port(",wait=0", 1, 0), 0);
	assert_non_null(strstr(err.text, "nobody listens there"));
}

static void judges_arguments(void **state)
{
	static const char *const bad[] = {
		"",	   ",server",	"x,foo",	"x,mac=01:00:00:00:00:01",
		"x,mac=2", "x,wait=-1", "x,wait=86401", "x,packed=yes"};
	static const char *const good[] = {"x", "x,server", "x,packed=off,wait=forever",
					   "x,mac=02:00:00:00:00:01,wait=0"};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(virtio_user_pmd.check(bad[i], &err), -EINVAL);
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(virtio_user_pmd.check(good[i], &err), 0);
}

int main(void)
{
	static const bool listens = false, connects = true;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_what_the_protocol_says, setup, teardown),
		cmocka_unit_test_setup_teardown(packed_rings_begin_with_their_wrap_counters, setup,
						teardown),
		cmocka_unit_test_setup_teardown(does_without_protocol_features, setup, teardown),
		cmocka_unit_test(refuses_lies),
		{"recovers: it listens", recovers, setup, teardown, (void *)(uintptr_t)&listens},
		{"recovers: it connects", recovers, setup, teardown, (void *)(uintptr_t)&connects},
		cmocka_unit_test_setup_teardown(a_lie_at_the_end_hurts_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(a_listener_takes_the_place_of_a_dead_one, setup,
						teardown),
		cmocka_unit_test(judges_arguments),
	};
	int rc;

	if (!mkdtemp(dir))
		return 1;
	pool = test_pool(2048, 0, 0);
	clock_init(&loop_clock, CLOCK_REAL);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
