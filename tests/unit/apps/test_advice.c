// SPDX-License-Identifier: BSD-3-Clause
// test_advice.c - what a started function says of the machine: each line fires, and not where all
// is well
#include "app_test.h"

#include "apps/advice.h"
#include "core/noise.h"

static struct port_stats figures; // of the device

static void device_stats(const struct port *port, struct port_stats *s)
{
	*s = figures;
}

static const struct pmd device = {
	.stats = device_stats, .name = "virtio", .can = {.queues = 16, .live = true}};
static const struct pmd memory = {.stats = device_stats, .name = "null", .can = {.queues = 16}};

static struct blob_port asked[2];
static struct app_lcore lcores[2];
static struct app app;

static void begin(void)
{
	memset(asked, 0, sizeof(asked));
	memset(lcores, 0, sizeof(lcores));
	memset(&app, 0, sizeof(app));
	app.blob.ports = asked;
	app.blob.n_ports = app.ports = 2;
	app.lcore = lcores;
	app.lcores = 2;
	app.ready_tsc = tsc_read();
	for (unsigned i = 0; i < 2; i++) {
		app.port[i].pmd = i ? &memory : &device;
		snprintf(app.port[i].name, sizeof(app.port[i].name), "%s", i ? "lan" : "wan");
		app.port[i].grant = (struct port_grant){
			.mtu = 1500, .rx_size = 1024, .tx_size = 1024, .queues = 2};
	}
}

// All lines there are now, but the one of a machine that is itself emulated.
static char *lines(struct advice *a)
{
	static char all[1000];
	char line[200];

	all[0] = 0;
	while (advice_next(a, &app, line, sizeof(line))) {
		if (strstr(line, "TCG"))
			continue;
		assert_true(strlen(line) < sizeof(line) - 1);
		strcat(strcat(all, line), "\n");
	}
	return all;
}

static void says(const char *want)
{
	struct advice a = {0};

	assert_string_equal(lines(&a), want);
	assert_string_equal(lines(&a), ""); // once
}

static void test_all_is_well(void **state)
{
	begin();
	says("");
}

static void test_queues(void **state)
{
	begin();
	app.port[0].grant.queues = 1;
	says("port wan: 1 of 2 queue pairs, others get their packets handed over: queues=2 on the "
	     "netdev, "
	     "mq=on,vectors=6 on the device\n");
	asked[0].queues = 1; // as asked
	says("");
}

static void test_rings(void **state)
{
	begin();
	app.port[0].grant.rx_size = 256;
	says("port wan: rings of 256 and 1024, bursts and pauses lose packets sooner: "
	     "rx_queue_size=1024,"
	     "tx_queue_size=1024 on the device\n");
	asked[0].rx_size = 256;
	says("");
	// Ports made of memory are as they are.
	app.port[1].grant.rx_size = 2;
	says("");
}

static void test_mtu(void **state)
{
	begin();
	asked[0].mtu = 9000;
	says("port wan: MTU 1500 of 9000: mrg_rxbuf=on (and host_mtu=9000) on the device\n");
	app.port[0].grant.mtu = 9000;
	says("");
}

static void test_offloads(void **state)
{
	begin();
	asked[0].offloads = PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_USO;
	says(""); // the driver's best was asked for
	asked[0].flags = BLOB_PORT_OFFLOADS;
	app.port[0].grant.offloads = PORT_TX_CSUM;
	says("port wan: done in software, the device does not offer it: tso4 uso: see the back "
	     "end's "
	     "features\n");
	app.port[0].grant.offloads |= PORT_TX_TSO4 | PORT_TX_USO;
	says("");
}

static void test_noise(void **state)
{
	struct advice a = {0};
	char line[200];

	begin();
	lcores[0].loop.noise = (struct noise){.gaps = 7, .lost = plat_tsc_hz() / 50};
	assert_string_equal(lines(&a), ""); // too soon to tell
	app.ready_tsc -= plat_tsc_hz() / 1000 * (ADVICE_NOISE_MS + 1);
	assert_true(advice_next(&a, &app, line, sizeof(line)));
	assert_non_null(strstr(line, "the host took the CPU 7 times in 1"));
	assert_false(advice_next(&a, &app, line, sizeof(line)));
	lcores[0].loop.noise.lost = plat_tsc_hz() / 200;
	says("");
}

// What QEMU's fall back looks like from inside, and what a good back end does.
static void test_unshared(void **state)
{
	static const struct {
		uint64_t rx, tx, doorbells;
		bool amiss;
	} map[] = {
		{0, 1000, 16, true},	 {0, 64000, 1000, true}, {0, 999, 999, false},
		{1, 64000, 1000, false}, {0, 64000, 10, false},
	};
	struct advice a;
	char line[200];

	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		begin();
		a = (struct advice){0};
		figures = (struct port_stats){.rx_packets = map[i].rx, .tx_packets = map[i].tx};
		port_stats_add(&figures, "tx-doorbells", map[i].doorbells);
		assert_string_equal(lines(&a), ""); // too soon to tell
		app.ready_tsc -= plat_tsc_hz() / 1000 * (ADVICE_NOISE_MS + 1);
		assert_false(advice_next(&a, &app, line, sizeof(line))); // of noise, none
		assert_int_equal(advice_next(&a, &app, line, sizeof(line)), map[i].amiss);
		if (map[i].amiss)
			assert_non_null(strstr(line,
					       "port wan: a doorbell a burst and nothing comes "
					       "back: is the memory shared?"));
		assert_false(advice_next(&a, &app, line, sizeof(line))); // once
	}
	figures = (struct port_stats){0};
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well), cmocka_unit_test(test_queues),
		cmocka_unit_test(test_rings),	    cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_offloads),    cmocka_unit_test(test_noise),
		cmocka_unit_test(test_unshared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
