// SPDX-License-Identifier: BSD-3-Clause
// test_config.c - YAML to blob: what is right arrives, what is wrong is said with its place
#include "config_test.h"
#include "core/wire.h"

#include "apps/tool/config_internal.h"
#include "pmd/port.h"

static struct blob_port port_of(const char *keys)
{
	struct diags d = {0};
	struct blob_port p;
	struct config c;
	char text[512];

	snprintf(text, sizeof(text), HEAD "ports:\n  wan: {device: \"null\", addresses: [192.0.2.1/24]%s}\n",
		 keys);
	assert_int_equal(config_parse(&c, "f.yaml", text, strlen(text), false, &d), true);
	p = c.ports[0].blob;
	config_free(&c);
	diag_free(&d);
	return p;
}

// What segments need comes with them; silence asks for the driver's best.
static void offloads(void **state)
{
	assert_int_equal(port_of("").flags & BLOB_PORT_OFFLOADS, 0);
	assert_int_equal(port_of(", offloads: none").flags & BLOB_PORT_OFFLOADS, BLOB_PORT_OFFLOADS);
	assert_int_equal(port_of(", offloads: none").offloads, 0);
	assert_int_equal(port_of(", offloads: []").offloads, 0);
	assert_int_equal(port_of(", offloads: [tso]").offloads,
			 PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6);
	assert_int_equal(port_of(", offloads: [lro, rss]").offloads,
			 PORT_RX_CSUM | PORT_RX_LRO | PORT_RSS);
	assert_int_equal(port_of(", offloads: [uso, tso6, rx-csum]").offloads,
			 PORT_TX_CSUM | PORT_TX_USO | PORT_TX_TSO6 | PORT_RX_CSUM);
}

static uint32_t idle_of(const char *keys)
{
	struct diags d = {0};
	struct config c;
	uint32_t us;
	char text[512];

	snprintf(text, sizeof(text), HEAD PORTS "%s", keys);
	assert_true(config_parse(&c, "f.yaml", text, strlen(text), false, &d));
	us = c.params.idle_us;
	config_free(&c);
	diag_free(&d);
	return us;
}

static void idle(void **state)
{
	assert_int_equal(idle_of(""), 0); // the default
	assert_int_equal(idle_of("idle: off\n"), BLOB_IDLE_NEVER);
	assert_int_equal(idle_of("idle: 1\n"), 1);
	assert_int_equal(idle_of("idle: 1000000\n"), 1000000);
	says(HEAD PORTS "idle: 0\n", "f.yaml:6:7: 0: expected off, or 1 to 1000000 microseconds\n");
	says(HEAD PORTS "idle: 1000001\n",
	     "f.yaml:6:7: 1000001: expected off, or 1 to 1000000 microseconds\n");
	says(HEAD PORTS "idle: never\n", "f.yaml:6:7: never: expected off, or 1 to 1000000 microseconds\n");
	says(HEAD PORTS "idle: [1]\n", "f.yaml:6:7: […]: expected off, or 1 to 1000000 microseconds\n");
}

static void leads_to(const struct blob *b, const struct blob_route4 *r, uint32_t via, uint16_t iface)
{
	const struct blob_hop *h = &b->hops[r->hop];

	assert_int_equal(h->paths, 1);
	assert_int_equal(be32(load32(b->paths[h->first].via)), via);
	assert_int_equal(b->paths[h->first].iface, iface);
}

// The example of the user guide, read back from the blob.
static void example(void **state)
{
	const char *text = HEAD PORTS "lcores: 1\n"
				      "routes:\n"
				      "  - {to: 0.0.0.0/0, via: 192.0.2.254}\n"
				      "  - {to: 203.0.113.0/24, via: 198.51.100.7}\n"
				      "  - {to: 203.0.112.0/24, via: 192.0.2.254}\n"
				      "neighbors:\n"
				      "  - {port: wan, address: 192.0.2.254, mac: \"02:00:00:00:00:fe\"}\n";
	struct diags d = {0};
	struct config c;
	struct blob b;
	struct err err;
	size_t len;
	void *blob;

	assert_true(config_parse(&c, "f.yaml", text, strlen(text), true, &d));
	blob = config_blob(&c, &len);
	assert_int_equal(blob_open(&b, blob, len, &err), 0);
	assert_string_equal(b.hdr->function, "router");
	assert_int_equal(b.n_ports, 2);
	assert_string_equal(blob_str(&b, b.ports[1].name), "lan");
	assert_string_equal(blob_str(&b, b.ports[1].driver), "virtio");
	assert_string_equal(blob_str(&b, b.ports[1].args), "1");
	assert_int_equal(b.ports[0].flags, 0);
	assert_int_equal(b.ports[1].flags, BLOB_PORT_MAC);
	assert_memory_equal(b.ports[1].mac, "\x02\0\0\0\0\x01", 6);
	assert_int_equal(b.n_addrs, 2);
	assert_memory_equal(b.addrs[0].addr, "\xc0\x00\x02\x01", 4);
	assert_int_equal(b.addrs[0].plen, 24);
	assert_int_equal(b.n_routes4, 3);
	assert_int_equal(b.n_hops, 2);
	assert_int_equal(b.routes4[0].prefix, 0);
	leads_to(&b, &b.routes4[0], 0xc00002fe, 0);
	assert_int_equal(b.routes4[2].prefix, 0xcb007100);
	leads_to(&b, &b.routes4[2], 0xc6336407, 1);
	assert_int_equal(b.n_neighbors, 1);
	assert_memory_equal(b.neighbors[0].addr, "\xc0\x00\x02\xfe", 5);
	assert_int_equal(b.neighbors[0].family, 4);
	free(blob);
	config_free(&c);
}

static void all_errors_at_once(void **state)
{
	says("version: 2\nfunction: ruter\nports:\n  wan: {device: \"virtio:x\", addresses: [192.0.2.0/24]}\n"
	     "speed: 3\n",
	     "f.yaml:1:10: 2: expected 1, the only value there is\n"
	     "f.yaml:2:11: ruter: expected a function: router, patch, pktgen, replay, impair\n"
	     "f.yaml:4:17: virtio:x: expected virtio:N, N counting the machine's virtio-net devices "
	     "from 0, virtio:mmioN or a PCI address, virtio:BB:DD.F\n"
	     "f.yaml:4:41: 192.0.2.0/24: expected a host's address, not a network, broadcast, "
	     "multicast, loopback or reserved one\n"
	     "f.yaml:5:1: speed: unknown key: a configuration has version, function, lcores, vrfs, "
	     "ports, interfaces, routes, neighbors, patches, impairments, replay, icmp, arp, nd, reassembly, services, "
	     "burst, idle, mbufs, streams\n");
}

static void device_string(const char *device, const char *expected)
{
	struct config_port p = {0};
	struct err err = {""};

	assert_true((config_device(&p, device, &err) < 0) == !!expected);
	if (expected)
		assert_non_null(strstr(err.text, expected));
	assert_true(!p.driver == !!expected);
	free(p.driver);
	free(p.args);
}

// What the text alone tells is told before anything runs.
static void device_strings(void **state)
{
	device_string("virt:0", "expected DRIVER:ARGUMENT with a driver of virtio, ");
	device_string("virt:0", ", pcap");
	device_string("", "expected DRIVER:ARGUMENT");
	device_string("virtio:7", NULL); // the image's; checked where units are counted
	device_string("loop", NULL);
	device_string("loop:a", NULL);
	device_string("loop:a\n", "without control characters");
	device_string("null:rx=59", "60 to 1514");
	device_string("null:rx=60", NULL);
	device_string("pcap:a,b,c", "expected IN,OUT");
	device_string("pcap:", "expected IN,OUT");
	device_string("pcap:,b", NULL);
	device_string("dpdk:", "expected a device");
	device_string("dpdk:net_virtio_user0,path=x", "net_vhost");
	device_string("dpdk:net_ring0", NULL);
}

static void patches(void **state)
{
	const char *head = "version: 1\nfunction: patch\nports:\n"
			   "  a: {device: \"null\"}\n  b: {device: \"null\"}\n";
	char text[512];

	says(head, "f.yaml:1:1: {…}: expected key patches: [{from: PORT, to: PORT}, …] in a patch\n");
	snprintf(text, sizeof(text), "%spatches: [{from: a, to: b}, {from: b, to: b}]\n", head);
	says(text, "");
	snprintf(text, sizeof(text), "%spatches: [{from: a, to: b}, {from: a, to: a}]\n", head);
	says(text, "f.yaml:6:29: {…}: port a is patched already: expected one patch from a port\n");
	snprintf(text, sizeof(text), "%spatches: [{from: a, to: b}]\narp: {timeout: 9}\n", head);
	says(text, "f.yaml:1:1: {…}: addresses, interfaces, vrfs, routes, neighbors, icmp, arp, nd, reassembly "
	     "and services belong to function "
		   "router, not patch\n");
	says(HEAD PORTS "patches: [{from: wan, to: lan}]\n",
	     "f.yaml:1:1: {…}: patches belong to function patch, not router\n");
}

static void impairments(void **state)
{
	const char *head = "version: 1\nfunction: impair\nports:\n"
			   "  a: {device: \"null\"}\n  b: {device: \"null\"}\nimpairments:\n";
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s- {from: a, to: b, delay: 1.5ms, loss: 0.25%%, corrupt_every: 1000, reorder_every: 7, gap: 3}\n"
		 "- {from: b, to: a, duplicate: 100%%, seed: 9, packets: 100}\n",
		 head);
	says(text, "");
	snprintf(text, sizeof(text), "%s- {from: a, to: b, delay: 50}\n- {from: b, to: a, delay: 11s}\n", head);
	says(text, "f.yaml:7:27: 50: expected a time of at most 10 s with its unit: 50us, 1.5ms\n"
		   "f.yaml:8:27: 11s: expected a time of at most 10 s with its unit: 50us, 1.5ms\n");
	snprintf(text, sizeof(text), "%s- {from: a, to: b, loss: 0.1, duplicate: 101%%, reorder_every: 0}\n", head);
	says(text, "f.yaml:7:26: 0.1: expected a share of all packets in percent, to a millionth: 0.1%\n"
		   "f.yaml:7:42: 101%: expected a share of all packets in percent, to a millionth: 0.1%\n"
		   "f.yaml:7:63: 0: expected a number from 1 to 4294967295\n");
	snprintf(text, sizeof(text), "%s- {from: a, to: b, loss: 1%%, loss_every: 3}\n- {from: b, to: b, gap: 3}\n", head);
	says(text, "f.yaml:7:42: 3: expected either loss or loss_every\n"
		   "f.yaml:8:3: {…}: gap is how many packets overtake one: expected reorder or reorder_every with it\n");
	snprintf(text, sizeof(text), "%s- {from: a, to: b}\n- {from: a, to: a}\n", head);
	says(text, "f.yaml:8:3: {…}: port a is patched already: expected one patch from a port\n");
	snprintf(text, sizeof(text), "%s- {from: a, to: b}\npatches: [{from: b, to: a}]\n", head);
	says(text, "f.yaml:1:1: {…}: patches belong to function patch, not impair\n");
	says(HEAD PORTS "impairments: [{from: wan, to: lan}]\n",
	     "f.yaml:1:1: {…}: impairments belong to function impair, not router\n");
	says("version: 1\nfunction: impair\nports: {a: {device: \"null\"}}\n",
	     "f.yaml:1:1: {…}: expected key impairments: [{from: PORT, to: PORT, delay: 50us}, …]\n");
}

static void devices(void **state)
{
	// Two receive rings of 1024 and 1024 under way.
	says(HEAD PORTS "mbufs: 3071\n", "f.yaml:6:8: 3071: expected a number from 3072 to 4194304\n");
	says(HEAD PORTS "mbufs: 3072\n", "");
	says(HEAD PORTS "  dmz: {device: \"virtio:x\", addresses: [10.0.0.1/24]}\n",
	     "f.yaml:6:17: virtio:x: expected virtio:N, N counting the machine's virtio-net devices "
	     "from 0, virtio:mmioN or a PCI address, virtio:BB:DD.F\n");
	says(HEAD PORTS "  dmz: {device: \"virtio:1\", addresses: [10.0.0.1/24]}\n",
	     "f.yaml:6:17: virtio:1: is port lan's already: expected another device\n");
	says(HEAD PORTS "  dmz: {device: \"virtio:00:1f.7\", addresses: [10.0.0.1/24]}\n", "");
	says(HEAD PORTS "  dmz: {device: \"virtio:mmio0\", addresses: [10.0.0.1/24]}\n", "");
	says(HEAD PORTS "  dmz: {device: \"virtio:mmiox\", addresses: [10.0.0.1/24]}\n",
	     "f.yaml:6:17: virtio:mmiox: expected virtio:N, N counting the machine's virtio-net devices "
	     "from 0, virtio:mmioN or a PCI address, virtio:BB:DD.F\n");
	says(HEAD PORTS "  dmz: {device: \"null:\\e\", addresses: [10.0.0.1/24]}\n",
	     "f.yaml:6:17: null:\\x1b: expected a device without control characters\n");
}

// Queues and buffers go with lcores, which stand before the ports in whatever order they are written.
static void lcores(void **state)
{
	static const struct {
		const char *rss;
		uint16_t kind;
	} kinds[] = {{"symmetric", BLOB_RSS_SYMMETRIC}, {"microsoft", BLOB_RSS_MICROSOFT}};
	char text[512];

	says(HEAD PORTS "lcores: 0\n", "f.yaml:6:9: 0: expected a number from 1 to 16\n");
	says(HEAD PORTS "lcores: 17\n", "f.yaml:6:9: 17: expected a number from 1 to 16\n");
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [10.0.0.1/24], queues: 2, rss: crc}\n",
	     "f.yaml:6:59: 2: expected at most one an lcore: lcores is 1\n"
	     "f.yaml:6:67: crc: expected symmetric or microsoft\n");
	// A kilobuffer under way for each lcore, and one for each receive queue: three and two a lcore.
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [10.0.0.1/24], queues: 1}\n"
			"lcores: 3\nmbufs: 10239\n",
	     "f.yaml:8:8: 10239: expected a number from 10240 to 4194304\n");
	for (unsigned i = 0; i < 2; i++) {
		struct diags d = {0};
		struct config c;

		snprintf(text, sizeof(text),
			 HEAD "ports:\n  a: {device: \"null\", addresses: [10.0.0.1/24], queues: 3, "
			      "rss: %s}\nlcores: 4\n",
			 kinds[i].rss);
		assert_true(config_parse(&c, "f.yaml", text, strlen(text), true, &d));
		assert_int_equal(c.params.lcores, 4);
		assert_int_equal(c.ports[0].blob.queues, 3);
		assert_int_equal(c.ports[0].blob.rss, kinds[i].kind);
		config_free(&c);
		diag_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle),
		cmocka_unit_test(example),
		cmocka_unit_test(offloads),
		cmocka_unit_test(all_errors_at_once),
		cmocka_unit_test(device_strings),
		cmocka_unit_test(patches),
		cmocka_unit_test(impairments),
		cmocka_unit_test(devices),
		cmocka_unit_test(lcores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
