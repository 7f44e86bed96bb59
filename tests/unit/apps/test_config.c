// SPDX-License-Identifier: BSD-3-Clause
// test_config.c - YAML to blob: what is right arrives, what is wrong is said with its place
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/config.h"
#include "apps/tool/config_internal.h"
#include "pmd/port.h"

#define HEAD "version: 1\nfunction: router\n"
#define NO_HOST "expected a host's address, not a network, broadcast or reserved one\n"
#define PORTS                                                                                      \
	"ports:\n"                                                                                 \
	"  wan: {device: \"virtio:0\", addresses: [192.0.2.1/24]}\n"                               \
	"  lan: {device: \"virtio:1\", addresses: [198.51.100.1/24], mac: \"02:00:00:00:00:01\"}\n"

// Compiles text (route files allowed) and gives what weir check would print; "" when it is good.
static char *complaints(const char *path, const char *text)
{
	struct diags d = {0};
	struct config c;
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	config_parse(&c, path, text, strlen(text), true, &d);
	diag_print(&d, f);
	fclose(f);
	diag_free(&d);
	config_free(&c);
	return out;
}

static void says(const char *text, const char *want)
{
	char *got = complaints("f.yaml", text);

	assert_string_equal(got, want);
	free(got);
}

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
	assert_int_equal(b.n_nexthops, 2);
	assert_int_equal(b.routes4[0].prefix, 0);
	assert_int_equal(b.nexthops[b.routes4[0].nexthop].via, 0xc00002fe);
	assert_int_equal(b.nexthops[b.routes4[0].nexthop].port, 0);
	assert_int_equal(b.routes4[2].prefix, 0xcb007100);
	assert_int_equal(b.nexthops[b.routes4[2].nexthop].via, 0xc6336407);
	assert_int_equal(b.nexthops[b.routes4[2].nexthop].port, 1);
	assert_int_equal(b.n_neighbors, 1);
	assert_int_equal(b.neighbors[0].addr, 0xc00002fe);
	free(blob);
	config_free(&c);
}

static void all_errors_at_once(void **state)
{
	says("version: 2\nfunction: ruter\nports:\n  wan: {device: \"virtio:x\", addresses: [192.0.2.0/24]}\n"
	     "speed: 3\n",
	     "f.yaml:1:10: 2: expected 1, the only value there is\n"
	     "f.yaml:2:11: ruter: expected a function: router or patch\n"
	     "f.yaml:4:17: virtio:x: expected virtio:N, N counting the machine's virtio-net devices "
	     "from 0, virtio:mmioN or a PCI address, virtio:BB:DD.F\n"
	     "f.yaml:4:41: 192.0.2.0/24: expected a host's address, not a network, broadcast, "
	     "multicast, loopback or reserved one\n"
	     "f.yaml:5:1: speed: unknown key: a configuration has version, function, lcores, ports, "
	     "routes, neighbors, patches, icmp, arp, burst, idle, mbufs\n");
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

static void routes(void **state)
{
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.1/8, via: 192.0.2.254}\n",
	     "f.yaml:7:10: 10.0.0.1/8: expected a prefix without host bits\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/33, via: 192.0.2.254}\n",
	     "f.yaml:7:10: 10.0.0.0/33: expected a prefix like 198.51.100.0/24\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 10.0.0.1}\n",
	     "f.yaml:7:27: 10.0.0.1: expected an address on the network of a port\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.1}\n",
	     "f.yaml:7:27: 192.0.2.1: expected an address that is not this router's own\n");
	// RFC 1812, 4.2.3.1: broadcast addresses of the port's network, and the all-zero form.
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.255}\n",
	     "f.yaml:7:27: 192.0.2.255: " NO_HOST);
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.0}\n",
	     "f.yaml:7:27: 192.0.2.0: " NO_HOST);
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.1/32, via: 192.0.2.9}\n",
	     "f.yaml:7:29: 192.0.2.1: expected another prefix: this is the router's own address\n");
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.255/32, via: 192.0.2.9}\n",
	     "f.yaml:7:31: 192.0.2.255: expected another prefix: this is a broadcast address of a "
	     "port's network\n");
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.7/32, via: 192.0.2.9}\n", "");
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.0/24, via: 192.0.2.9}\n",
	     "f.yaml:7:29: 192.0.2.0: expected another prefix: this is the network of a port\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.9}\n"
			"  - {to: 10.0.0.0/8, via: 192.0.2.8}\n",
	     "f.yaml:8:27: 10.0.0.0: this prefix /8 is there already, in f.yaml line 7: expected it "
	     "once\n");
	says(HEAD PORTS "routes:\n  - {to: \"2001:db8::/32\", via: 192.0.2.9}\n",
	     "f.yaml:7:10: 2001:db8::/32: expected an IPv4 prefix: IPv6 is not routed yet\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8}\n",
	     "f.yaml:7:5: {…}: expected a route {to: PREFIX, via: ADDRESS} or {file: NAME}\n");
	says(HEAD PORTS "routes: 3\n",
	     "f.yaml:6:9: 3: expected a list of routes like {to: PREFIX, via: ADDRESS}\n");
}

static void ports(void **state)
{
	says(HEAD "ports: {}\n", "f.yaml:3:8: {…}: expected at least one port\n");
	says(HEAD "ports:\n  wan: {device: \"virtio:0\"}\n",
	     "f.yaml:4:3: wan: expected addresses: [ADDRESS/LENGTH] for a router's port\n");
	says(HEAD "ports:\n  wan: {addresses: [192.0.2.1/24]}\n",
	     "f.yaml:4:8: {…}: expected key device in a port\n");
	says(HEAD "ports:\n  w an: {device: \"null\"}\n",
	     "f.yaml:4:3: w an: expected a name of 1 to 15 letters, digits, _ and -\n");
	says(HEAD PORTS "  wan: {device: \"null\"}\n",
	     "f.yaml:6:3: wan: a port of this name is there already\n");
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [192.0.2.129/25]}\n",
	     "f.yaml:6:37: 192.0.2.129/25: its network overlaps one of port wan: expected networks "
	     "that are apart\n");
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [10.0.0.1/24], mac: \"01:00:00:00:00:01\"}\n",
	     "f.yaml:6:56: 01:00:00:00:00:01: expected a unicast MAC address like "
	     "\"02:00:00:00:00:01\"\n");
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [10.0.0.1/24], mtu: 67, rx_size: 96}\n",
	     "f.yaml:6:56: 67: expected a number from 68 to 9000\n"
	     "f.yaml:6:69: 96: expected a power of two from 64 to 1024\n");
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [10.0.0.1/24], offloads: [tso, ufo]}\n",
	     "f.yaml:6:67: ufo: expected none, or a list of some of tso, rx-csum, tx-csum, tso4, "
	     "tso6, uso, lro, vlan-filter, mac-filter, rss\n");
	says(HEAD PORTS "  dmz: {device: \"null\", addresses: [10.0.0.1/24], offloads: all}\n",
	     "f.yaml:6:61: all: expected none, or a list of some of tso, rx-csum, tx-csum, tso4, "
	     "tso6, uso, lro, vlan-filter, mac-filter, rss\n");
	says(HEAD PORTS "neighbors:\n  - {port: wan, address: 10.0.0.1, mac: \"02:00:00:00:00:fe\"}\n",
	     "f.yaml:7:26: 10.0.0.1: expected an address on the network of a port\n");
	says(HEAD PORTS "neighbors:\n  - {port: lan, address: 192.0.2.9, mac: \"02:00:00:00:00:fe\"}\n",
	     "f.yaml:7:26: 192.0.2.9: is on the network of port wan: expected one of port lan\n");
	says(HEAD PORTS
	     "neighbors:\n  - {port: wan, address: 192.0.2.255, mac: \"02:00:00:00:00:fe\"}\n"
	     "  - {port: wan, address: 192.0.2.0, mac: \"02:00:00:00:00:fe\"}\n"
	     "  - {port: wan, address: 192.0.2.1, mac: \"02:00:00:00:00:fe\"}\n",
	     "f.yaml:7:26: 192.0.2.255: " NO_HOST "f.yaml:8:26: 192.0.2.0: " NO_HOST
	     "f.yaml:9:26: 192.0.2.1: expected an address that is not this router's own\n");
	// RFC 3021: both addresses of a /31 are hosts.
	says(HEAD "ports:\n  wan: {device: \"null\", addresses: [192.0.2.0/31]}\n"
		  "neighbors: [{port: wan, address: 192.0.2.1, mac: \"02:00:00:00:00:fe\"}]\n", "");
	says(HEAD PORTS "neighbors:\n  - {port: dmz, address: 192.0.2.9, mac: \"02:00:00:00:00:fe\"}\n",
	     "f.yaml:7:12: dmz: expected the name of a port: wan, lan\n");
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
	says(text, "f.yaml:1:1: {…}: addresses, routes, neighbors, icmp and arp belong to function "
		   "router, not patch\n");
	says(HEAD PORTS "patches: [{from: wan, to: lan}]\n",
	     "f.yaml:1:1: {…}: patches belong to function patch, not router\n");
}

static void not_yaml(void **state)
{
	char *got;

	says("", "f.yaml:1:1: empty: expected a configuration (version: 1 …)\n");
	says("- a\n", "f.yaml:1:1: […]: expected a configuration: a mapping with key version\n");
	got = complaints("f.yaml", "version: [1\n");
	assert_memory_equal(got, "f.yaml:2:1: not YAML: ", 22);
	free(got);
	got = complaints("f.yaml", "version: 1\nversion: 1\n");
	assert_non_null(strstr(got, "f.yaml:2:1: version: given twice, first in line 1\n"));
	free(got);
	// An alias that holds itself must end.
	got = complaints("f.yaml", "version: 1\nfunction: router\nports: &a {x: *a}\n");
	assert_non_null(strstr(got, "f.yaml:3:"));
	free(got);
	// Control characters do not reach the terminal.
	got = complaints("f.yaml", "version: \"\\e[2J\"\n");
	assert_null(strchr(got, 0x1b));
	free(got);
	says(HEAD PORTS "burst: \"\\x9b2J\"\n",
	     "f.yaml:6:8: \\xc2\\x9b2J: expected a number from 1 to 64\n");
	got = complaints("f.yaml", HEAD PORTS "routes: [{file: \"\\e[2J\"}]\n");
	assert_null(strchr(got, 0x1b));
	free(got);
	// A value is cut between characters: 30 of two bytes are what is shown of it.
	got = complaints("f.yaml", HEAD PORTS "burst: xéééééééééééééééééééééééééééééééééééé\n");
	assert_non_null(strstr(got, "é…: expected a number"));
	free(got);
	says(HEAD PORTS "---\n" HEAD PORTS,
	     "f.yaml:6:1: a second document: expected one in a file\n");
}

// What libyaml itself would take minutes over.
static void costly_yaml(void **state)
{
	enum { BIG = 1 << 20 };
	char *text = malloc(BIG + 1), *got;
	size_t i, n = 0;

	assert_non_null(text);
	memset(text, '[', BIG);
	text[BIG] = 0;
	got = complaints("f.yaml", text);
	assert_string_equal(got, "f.yaml:1:17: nested too deeply: expected at most 16 levels\n");
	free(got);
	text[n++] = '[';
	for (i = 0; n < BIG - 16; i++)
		n += (size_t)snprintf(text + n, BIG - n, "&a%zu 1,", i);
	snprintf(text + n, BIG - n, "]");
	got = complaints("f.yaml", text);
	assert_non_null(strstr(got, ": expected at most 1000 anchors\n"));
	free(got);
	free(text);
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

static void route_file(void **state)
{
	char name[] = "/tmp/weir-test-XXXXXX", text[512], want[512], *got;
	const char *table = "# a comment\r\n\r\n10.0.0.0/8 via 192.0.2.9\r\n10.1.0.0/16 192.0.2.8 # x\n"
			    "10.0.0.300/32 192.0.2.9\n10.2.0.0/16 via\n10.3.0.0/16 192.0.2.9 metric 3\n"
			    "10.1.0.0/16 10.9.9.9\n";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, table, strlen(table)), (ssize_t)strlen(table));
	snprintf(text, sizeof(text), HEAD PORTS "routes: [{file: %s}]\n", name);
	got = complaints("f.yaml", text);
	snprintf(want, sizeof(want),
		 "%s:5:1: 10.0.0.300/32: expected a prefix like 198.51.100.0/24\n"
		 "%s:6:13: via: expected an IPv4 address like 192.0.2.254\n"
		 "%s:7:30: 3: expected PREFIX via ADDRESS and nothing else\n"
		 "%s:8:13: 10.9.9.9: expected an address on the network of a port\n",
		 name, name, name, name);
	// The last line is wrong twice over.
	assert_memory_equal(got, want, strlen(want));
	assert_non_null(strstr(got, "10.1.0.0: this prefix /16 is there already"));
	free(got);
	close(fd);
	unlink(name);
	got = complaints("f.yaml", HEAD PORTS "routes: [{file: nowhere.txt}]\n");
	assert_string_equal(got, "f.yaml:6:17: nowhere.txt: No such file or directory: expected a file of routes\n");
	free(got);
}

static void exact_parsers(void **state)
{
	uint32_t a;
	uint8_t plen, mac[6];

	assert_true(parse_ip4("255.255.255.255", &a));
	assert_int_equal(a, 0xffffffff);
	assert_false(parse_ip4("1.2.3", &a));
	assert_false(parse_ip4("1.2.3.4 ", &a));
	assert_false(parse_ip4("01.2.3.4", &a));
	assert_true(parse_prefix4("1.2.3.4/32", &a, &plen));
	assert_int_equal(plen, 32);
	assert_false(parse_prefix4("1.2.3.4/", &a, &plen));
	assert_false(parse_prefix4("1.2.3.4/+8", &a, &plen));
	assert_false(parse_prefix4("1.2.3.4/08", &a, &plen));
	assert_false(parse_prefix4("1.2.3.4/000", &a, &plen));
	assert_false(parse_prefix4("1.2.3.4", &a, &plen));
	assert_true(parse_mac("02:aB:00:00:00:0f", mac));
	assert_memory_equal(mac, "\x02\xab\0\0\0\x0f", 6);
	assert_false(parse_mac("02:ab:00:00:00:0f:", mac));
	assert_false(parse_mac("2:ab:00:00:00:0f", mac));
	assert_false(parse_mac("02-ab-00-00-00-0f", mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle),
		cmocka_unit_test(example), cmocka_unit_test(offloads),  cmocka_unit_test(all_errors_at_once),
		cmocka_unit_test(device_strings),
		cmocka_unit_test(routes),   cmocka_unit_test(ports),
		cmocka_unit_test(patches),  cmocka_unit_test(not_yaml),
		cmocka_unit_test(costly_yaml),
		cmocka_unit_test(devices),
		cmocka_unit_test(lcores), cmocka_unit_test(route_file), cmocka_unit_test(exact_parsers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
