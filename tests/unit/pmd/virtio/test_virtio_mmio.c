// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_mmio.c - the port over MMIO registers (virtio 1.2, 4.2.2), honest ones and others
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static int setup(void **state)
{
	fix_setup(state);
	model.mmio = true;
	model.bar_len = 0x200; // QEMU's windows
	return 0;
}

static void works(void **state)
{
	fix_up();
	assert_non_null(strstr(fix.port.grant.text, "virtio-mmio 0"));
	assert_int_equal(model.status, 15);
	assert_int_equal(fix.port.grant.rx_size, 256);
	assert_memory_equal(fix.port.grant.mac, model.mac, 6);
	assert_int_equal(model.msix_calls, 0);
	fix_works();
	// Its lcore polls for ever: there is no message to wake it.
	fix_pass(20 * MSEC);
	assert_int_equal(virtio_pmd.arm(&fix.port, 0), -ENOTSUP);
	fix_close();
	assert_int_equal(model.status, 0);
}

static void recovers(void **state)
{
	fix_up();
	model.status = 0x4f; // NEEDS_RESET
	for (unsigned i = 0; i < 4; i++)
		fix_pass(100 * MSEC);
	assert_int_equal(fix_counter("needs-reset"), 1);
	fix_works();
}

static int open_args(const char *args)
{
	struct port_conf conf = {
		.name = "wan", .args = args, .pool = fix.pool, .clock = &fix.clock, .queues = 1};
	int r = virtio_pmd.open(&fix.port, &conf, &fix.err);

	if (!r)
		virtio_pmd.close(&fix.port, NULL);
	return r;
}

static void names(void **state)
{
	assert_int_equal(open_args("0"), 0);
	assert_int_equal(open_args("mmio0"), 0);
	assert_int_equal(open_args("1"), -ENODEV);
	assert_int_equal(open_args("mmio1"), -ENODEV);
	assert_non_null(strstr(fix.err.text, "names 1 virtio-mmio"));
	assert_int_equal(open_args("mmio"), -EINVAL);
	assert_int_equal(open_args("mmio0x"), -EINVAL);
	assert_int_equal(open_args("00:02.0"), -ENODEV);
	model.mmio = false; // on PCI instead
	model.bar_len = 0x4000;
	assert_int_equal(open_args("0"), 0);
	assert_int_equal(open_args("mmio0"), -ENODEV);
}

static void refused(int code, const char *why)
{
	assert_int_equal(fix_open(), code);
	if (!strstr(fix.err.text, why))
		fail_msg("'%s' does not say '%s'", fix.err.text, why);
}

static void no_device(void **state)
{
	model.mmio_id = 0; // 4.2.3.1.1: nothing behind it
	refused(-ENODEV, "names 0 virtio-mmio");
	model.mmio_id = 2;
	refused(-ENODEV, "names 0 virtio-mmio");
	model.mmio_id = 1;
	model.mmio_magic = 0xffffffff;
	refused(-ENODEV, "names 0 virtio-mmio");
	model.mmio_magic = 0x74726976;
	model.bar_len = 0;
	refused(-ENODEV, "names 0 virtio-mmio");
	model.bar_len = 0xfc;
	refused(-ENODEV, "names 0 virtio-mmio");
}

static void legacy(void **state)
{
	model.mmio_version = 1;
	refused(-EPROTO, "force-legacy=false");
}

static void short_window(void **state)
{
	model.bar_len = 0x100; // no configuration at all
	refused(-EPROTO, "too short a configuration");
}

static void no_queues(void **state)
{
	model.q[0].max = 0;
	refused(-EPROTO, "queues");
}

// Registers at random, and some honest: opened, or refused by name; the window is never left (the model
// ends the run), nothing is lost.
static void any_registers(void **state)
{
	unsigned opened = 0;

	srandom(3);
	for (unsigned i = 0; i < 3000; i++) {
		long r = random();

		setup(state);
		model.lenient = true;
		if (r & 1)
			model.features = (uint64_t)random() << 33 ^ (uint64_t)random() << 8;
		if (r & 2)
			model.q[random() & 1].max = (uint16_t)random();
		if (r & 4)
			model.bar_len = (size_t)random() % 0x201;
		if (r & 8)
			model.mac[0] = (uint8_t)random();
		if (r & 16)
			model.mtu = (uint16_t)(random() % 2000);
		if (r & 32)
			model.queues = (uint16_t)(random() % 5);
		model.restless = (r & 0x3c0) == 0;
		model.refuse_features = (r & 0x3c00) == 0;
		model.reset_reads = (r & 0x3c000) ? 0 : 3;
		if (!fix_open()) {
			fix_pass(0);
			opened++;
			fix_close();
		}
		assert_int_equal(mempool_available(fix.pool), POOL);
	}
	assert_in_range(opened, 100, 2900); // both ends are met
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(works, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(recovers, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(names, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(no_device, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(legacy, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(short_window, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(no_queues, setup, fix_teardown),
		cmocka_unit_test_setup_teardown(any_registers, setup, fix_teardown),
	};

	return FIX_RUN(tests);
}
