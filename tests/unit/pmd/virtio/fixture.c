// SPDX-License-Identifier: BSD-3-Clause
// fixture.c - see fixture.h
#include "fixture.h"

#include <string.h>

struct fixture fix;
const struct fix_layout fix_layouts[FIX_LAYOUTS] = {
	{"split", 0},
	{"packed", MODEL_F_RING_PACKED},
	{"split, in order", MODEL_F_IN_ORDER},
	{"packed, in order", MODEL_F_RING_PACKED | MODEL_F_IN_ORDER},
};
unsigned fix_layout;

bool fix_packed(void)
{
	return fix_layouts[fix_layout].features & MODEL_F_RING_PACKED;
}

bool fix_in_order(void)
{
	return fix_layouts[fix_layout].features & MODEL_F_IN_ORDER;
}

static struct mempool *the_pool(void)
{
	static struct mempool *pool;
	const struct mempool_conf conf = {.name = "rx", .count = POOL};

	if (!pool)
		pool = mempool_create(&conf, NULL);
	assert_non_null(pool);
	return pool;
}

int fix_setup(void **state)
{
	model_init();
	model.features |= fix_layouts[fix_layout].features;
	memset(&fix, 0, sizeof(fix));
	fix.pool = the_pool();
	fix.port.id = 3;
	clock_init(&fix.clock, CLOCK_CAPTURE);
	return 0;
}

int fix_teardown(void **state)
{
	fix_close();
	assert_int_equal(mempool_report(fix.pool, stderr), 0);
	return 0;
}

int fix_open(void)
{
	const struct port_conf conf = {
		.name = "wan",
		.driver = "virtio",
		.args = "0",
		.pool = fix.pool,
		.clock = &fix.clock,
		.rx_size = fix.rx_size,
		.tx_size = fix.tx_size,
		.offloads = fix.offloads,
		.queues = 1,
	};
	int r = virtio_pmd.open(&fix.port, &conf, &fix.err);

	fix.open = r == 0;
	fix.port.pmd = &virtio_pmd;
	return r;
}

void fix_up(void)
{
	if (fix_open())
		fail_msg("%s", fix.err.text);
	// A new queue grows by housekeeping until the ring is full: 1024 in steps of 64.
	for (unsigned i = 0; i < 16; i++)
		fix_pass(0);
}

void fix_close(void)
{
	if (fix.open)
		assert_int_equal(virtio_pmd.close(&fix.port, &fix.err), 0);
	fix.open = false;
}

uint64_t fix_counter(const char *name)
{
	struct port_stats s = {0};

	virtio_pmd.stats(&fix.port, &s);
	for (unsigned i = 0; i < s.counters; i++)
		if (!strcmp(s.counter[i].name, name))
			return s.counter[i].value;
	fail_msg("the driver has no counter %s", name);
	return 0;
}

void fix_pass(uint64_t ns)
{
	fix.clock.now += ns;
	virtio_pmd.poll_queue(&fix.port, 0);
	virtio_pmd.poll(&fix.port);
}

unsigned fix_rx(struct mbuf **pkts, unsigned n)
{
	return port_rx_burst(&fix.port, 0, pkts, (uint16_t)n);
}

unsigned fix_tx(struct mbuf **pkts, unsigned n)
{
	return port_tx_burst(&fix.port, 0, pkts, (uint16_t)n);
}

void fix_pattern(uint8_t *p, unsigned n, uint8_t seed)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(seed + i * 7 + i / 251);
}

struct mbuf *fix_packet(struct mempool *pool, unsigned n, uint8_t seed)
{
	static uint8_t bytes[1 << 17];
	struct mbuf *m;

	fix_pattern(bytes, n, seed);
	m = mbuf_from_bytes(pool, bytes, n);
	assert_non_null(m);
	return m;
}

void fix_works(void)
{
	uint8_t frame[60], got[2048];
	struct mbuf *m[2];

	fix_pattern(frame, sizeof(frame), 0x31);
	assert_true(model_receive(frame, sizeof(frame)));
	assert_int_equal(fix_rx(m, 2), 1);
	assert_int_equal(m[0]->pkt_len, sizeof(frame));
	assert_memory_equal(m[0]->data, frame, sizeof(frame));
	assert_int_equal(m[0]->port, 3);
	assert_int_equal(mbuf_check(m[0]), 0);
	assert_int_equal(fix_tx(m, 1), 1);
	assert_int_equal(model_transmit(got, sizeof(got)), sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
}

void fix_recovers(const char *counter)
{
	uint64_t resets = fix_counter("resets");
	struct mbuf *m[4];

	assert_int_equal(fix_counter(counter), 1);
	assert_int_equal(fix_rx(m, 4), 0); // a queue that stands still
	fix_pass(1);
	assert_int_equal(fix_counter("resets"), resets + 1);
	assert_int_equal(fix_counter(counter), 1);
	fix_works();
}
