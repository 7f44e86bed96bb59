// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_open.c - finding a device and starting it, also one that lies about itself
#include <errno.h>
#include <string.h>

#include "fixture.h"

static void put32(unsigned at, uint32_t v)
{
	memcpy(model.pci + at, &v, sizeof(v));
}

static void refused(int code, const char *why)
{
	assert_int_equal(fix_open(), code);
	if (!strstr(fix.err.text, why))
		fail_msg("'%s' does not say '%s'", fix.err.text, why);
	assert_false(model.bus_master);
}

static void opens(void **state)
{
	fix_up();
	assert_true(model.bus_master);
	assert_int_equal(model.status, 15); // 3.1.1: all four bits
	assert_int_equal(fix.port.grant.mtu, 1500);
	assert_int_equal(fix.port.grant.queues, 1);
	assert_int_equal(fix.port.grant.rx_size, 256);
	assert_memory_equal(fix.port.grant.mac, model.mac, 6);
	assert_non_null(strstr(fix.port.grant.text, "virtio-pci 00:02.0"));
	assert_non_null(strstr(fix.port.grant.text, "mrg_rxbuf"));
	assert_int_equal(model.driver_features & MODEL_F_EVENT_IDX, 0);
	fix_works();
	fix_close();
	assert_int_equal(model.status, 0);
	assert_false(model.bus_master);
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

static void names_devices(void **state)
{
	assert_int_equal(open_args("0"), 0);
	assert_int_equal(open_args("00:02.0"), 0);
	assert_int_equal(open_args("1"), -ENODEV);
	assert_int_equal(open_args("00:03.0"), -ENODEV);
	assert_int_equal(open_args("00:00.0"), -ENODEV); // the bridge
	assert_int_equal(open_args(""), -EINVAL);
	assert_int_equal(open_args("wan"), -EINVAL);
	assert_int_equal(open_args("0x"), -EINVAL);
	assert_int_equal(open_args("00:99.0"), -EINVAL);
	assert_int_equal(open_args("99999999999999999999"), -EINVAL);
	model.absent = true;
	assert_int_equal(open_args("0"), -ENODEV);
	assert_non_null(strstr(fix.err.text, "0 virtio-net device(s)"));
}

static void takes_a_transitional_device(void **state)
{
	put32(0, 0x10001af4);
	fix_up();
	fix_works();
}

static void does_without_optional_features(void **state)
{
	model.features = MODEL_F_VERSION_1;
	fix_up();
	fix_works();
	assert_int_equal(fix.port.grant.mac[0] & 3, 2); // local, one station's
	assert_int_equal(fix.port.grant.mtu, 1500);
	struct port_link link;

	virtio_pmd.link(&fix.port, &link);
	assert_true(link.up);
}

static void grants_the_mtu_the_device_has(void **state)
{
	model.mtu = 900;
	fix_up();
	assert_int_equal(fix.port.grant.mtu, 900);
}

static void shortens_rings_as_asked(void **state)
{
	fix.rx_size = 100; // rounded down
	fix.tx_size = 4096;
	fix_up();
	assert_int_equal(fix.port.grant.rx_size, 64);
	assert_int_equal(fix.port.grant.tx_size, 256);
	assert_int_equal(model.q[MODEL_RX].size, 64);
	fix_works();
}

// --- capabilities ---

static void no_capability_list(void **state)
{
	model.pci[6] = 0;
	refused(-EPROTO, "no capability list");
}

static void capability_loop(void **state)
{
	model.pci[MODEL_CAP_DEVICE + 1] = MODEL_CAP_COMMON;
	refused(-EPROTO, "loop");
}

static void capability_in_header(void **state)
{
	model.pci[MODEL_CAP_NOTIFY + 1] = 0x10;
	refused(-EPROTO, "into the header");
}

static void capability_at_the_end(void **state)
{
	model.pci[0x34] = 0xfc; // its 16 bytes do not fit: not taken
	model.pci[0xfc] = 9;
	model.pci[0xfe] = 16;
	model.pci[0xff] = 1;
	refused(-EPROTO, "no common");
}

static void capability_too_short(void **state)
{
	model.pci[MODEL_CAP_COMMON + 2] = 15;
	refused(-EPROTO, "no common");
}

static void notify_capability_without_multiplier(void **state)
{
	model.pci[MODEL_CAP_NOTIFY + 2] = 16;
	refused(-EPROTO, "no notification");
}

static void capability_bar_6(void **state)
{
	model.pci[MODEL_CAP_COMMON + 4] = 6;
	refused(-EPROTO, "no common");
}

static void bar_not_mapped(void **state)
{
	model.pci[MODEL_CAP_COMMON + 4] = 0;
	refused(-EPROTO, "cannot be mapped");
}

static void structure_beyond_the_bar(void **state)
{
	put32(MODEL_CAP_COMMON + 8, 0x3fe0);
	refused(-EPROTO, "common structure of 56 bytes at offset 16352 of BAR 4");
}

static void structure_wraps(void **state)
{
	put32(MODEL_CAP_DEVICE + 8, 0xfffffffc);
	put32(MODEL_CAP_DEVICE + 12, 0xffffffff);
	refused(-EPROTO, "device configuration structure");
}

static void structure_misaligned(void **state)
{
	put32(MODEL_CAP_COMMON + 8, 2);
	refused(-EPROTO, "common structure");
}

static void common_structure_short(void **state)
{
	put32(MODEL_CAP_COMMON + 12, 55);
	refused(-EPROTO, "common structure of 55 bytes");
}

static void empty_bar(void **state)
{
	model.bar_len = 0;
	refused(-EPROTO, "cannot be mapped");
}

static void doorbell_beyond_the_structure(void **state)
{
	model.q[MODEL_TX].notify_off = 0x400; // x 4 = the structure's length
	refused(-EPROTO, "doorbell at offset 1024 x 4");
}

static void doorbell_offset_overflows(void **state)
{
	model.q[MODEL_RX].notify_off = 0xffff;
	put32(MODEL_CAP_NOTIFY + 16, 0x10001); // the product is 0x1_0000_ffff
	refused(-EPROTO, "doorbell");
}

// --- registers ---

static void not_modern(void **state)
{
	model.features &= ~MODEL_F_VERSION_1;
	refused(-EPROTO, "VERSION_1");
	assert_int_equal(model.status & 0x80, 0); // closing has reset it
}

static void features_refused(void **state)
{
	model.refuse_features = true;
	refused(-EPROTO, "refuses");
}

static void reset_that_takes_a_while(void **state)
{
	model.reset_reads = 1000;
	fix_up();
	fix_works();
}

static void reset_that_never_ends(void **state)
{
	model.reset_reads = ~0u;
	model.status = 15;
	refused(-ETIMEDOUT, "reset");
}

static void multicast_mac(void **state)
{
	model.mac[0] = 1;
	refused(-EPROTO, "01:54:00:12:34:56");
}

static void zero_mac(void **state)
{
	memset(model.mac, 0, 6);
	refused(-EPROTO, "MAC address");
}

static void mtu_below_68(void **state)
{
	model.mtu = 67;
	refused(-EPROTO, "MTU 67");
}

static void configuration_too_short(void **state)
{
	put32(MODEL_CAP_DEVICE + 12, 11);
	refused(-EPROTO, "too short a configuration");
}

static void configuration_restless(void **state)
{
	model.restless = true;
	refused(-EPROTO, "whenever it is read");
}

static void queue_sizes(void **state)
{
	static const uint16_t bad[] = {0, 1, 3, 255, 32769, 65535};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		model.q[i % 2].max = bad[i];
		refused(-EPROTO, "power of two");
		model.q[i % 2].max = 256;
	}
}

static void smallest_and_largest_queue(void **state)
{
	model.q[MODEL_RX].max = 2;
	model.q[MODEL_TX].max = 32768;
	fix.tx_size = 32768;
	fix_up();
	assert_int_equal(fix.port.grant.rx_size, 2);
	assert_int_equal(fix.port.grant.tx_size, 32768);
	for (unsigned i = 0; i < 100; i++)
		fix_works();
}

static void one_queue_only(void **state)
{
	model.queues = 1;
	refused(-EPROTO, "has 1 queues");
}

#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(opens),
		T(names_devices),
		T(takes_a_transitional_device),
		T(does_without_optional_features),
		T(grants_the_mtu_the_device_has),
		T(shortens_rings_as_asked),
		T(no_capability_list),
		T(capability_loop),
		T(capability_in_header),
		T(capability_at_the_end),
		T(capability_too_short),
		T(notify_capability_without_multiplier),
		T(capability_bar_6),
		T(bar_not_mapped),
		T(structure_beyond_the_bar),
		T(structure_wraps),
		T(structure_misaligned),
		T(common_structure_short),
		T(empty_bar),
		T(doorbell_beyond_the_structure),
		T(doorbell_offset_overflows),
		T(not_modern),
		T(features_refused),
		T(reset_that_takes_a_while),
		T(reset_that_never_ends),
		T(multicast_mac),
		T(zero_mac),
		T(mtu_below_68),
		T(configuration_too_short),
		T(configuration_restless),
		T(queue_sizes),
		T(smallest_and_largest_queue),
		T(one_queue_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
