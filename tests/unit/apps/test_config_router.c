// SPDX-License-Identifier: BSD-3-Clause
// test_config_router.c - a router's configuration: its addresses, routes and neighbors
#include "config_test.h"

#include <unistd.h>

#define NO_HOST "expected a host's address, not a network, broadcast or reserved one\n"

static void routes(void **state)
{
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.1/8, via: 192.0.2.254}\n",
	     "f.yaml:7:10: 10.0.0.1/8: expected a prefix without host bits\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/33, via: 192.0.2.254}\n",
	     "f.yaml:7:10: 10.0.0.0/33: expected a prefix like 198.51.100.0/24 or 2001:db8::/32\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 10.0.0.1}\n",
	     "f.yaml:7:27: 10.0.0.1: expected an address on the network of a port, or one that another "
	     "route leads to\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.1}\n",
	     "f.yaml:7:27: 192.0.2.1: expected an address that is not this router's own\n");
	// RFC 1812, 4.2.3.1: broadcast addresses of the port's network, and the all-zero form.
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.255}\n",
	     "f.yaml:7:27: 192.0.2.255: " NO_HOST);
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.0}\n",
	     "f.yaml:7:27: 192.0.2.0: " NO_HOST);
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.1/32, via: 192.0.2.9}\n",
	     "f.yaml:7:10: 192.0.2.1: expected another prefix: this is the router's own address\n");
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.255/32, via: 192.0.2.9}\n",
	     "f.yaml:7:10: 192.0.2.255: expected another prefix: this is a broadcast address of a "
	     "port's network\n");
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.7/32, via: 192.0.2.9}\n", "");
	says(HEAD PORTS "routes:\n  - {to: 192.0.2.0/24, via: 192.0.2.9}\n",
	     "f.yaml:7:10: 192.0.2.0: expected another prefix: this is the network of a port\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.9}\n"
			"  - {to: 10.0.0.0/8, via: 192.0.2.8}\n",
	     "f.yaml:8:10: 10.0.0.0: this prefix /8 is there already, in f.yaml line 7: expected it "
	     "once\n");
	says(HEAD PORTS "routes:\n  - {to: \"2001:db8::/32\", via: 192.0.2.9}\n",
	     "f.yaml:7:32: 192.0.2.9: expected a next hop of the prefix's own family\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8}\n",
	     "f.yaml:7:5: {…}: expected a route {to: PREFIX, via: ADDRESS}, {to: PREFIX, type: "
	     "blackhole} or {file: NAME}\n");
	says(HEAD PORTS "routes: 3\n",
	     "f.yaml:6:9: 3: expected a list of routes like {to: PREFIX, via: ADDRESS}\n");
}

static void ports(void **state)
{
	says(HEAD "ports: {}\n", "f.yaml:3:8: {…}: expected at least one port\n");
	says(HEAD "ports:\n  wan: {device: \"virtio:0\"}\n",
	     "f.yaml:4:3: wan: expected addresses: [ADDRESS/LENGTH], or an interface made of it (a VLAN, "
	     "a group, a bridge)\n");
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
	     "f.yaml:7:12: dmz: expected the name of a port or interface: wan, lan\n");
}

static void route_file(void **state)
{
	char name[] = "/tmp/weir-test-XXXXXX", text[512], want[1024], *got;
	const char *table = "# a comment\r\n\r\n10.0.0.0/8 via 192.0.2.9\r\n10.1.0.0/16 192.0.2.8 # x\n"
			    "10.0.0.300/32 192.0.2.9\n10.2.0.0/16 via\n10.3.0.0/16 192.0.2.9 metric 3\n"
			    "10.1.0.0/16 172.16.9.9\n";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, table, strlen(table)), (ssize_t)strlen(table));
	snprintf(text, sizeof(text), HEAD PORTS "routes: [{file: %s}]\n", name);
	got = complaints("f.yaml", text);
	snprintf(want, sizeof(want),
		 "%s:5:1: 10.0.0.300/32: expected a prefix like 198.51.100.0/24 or 2001:db8::/32\n"
		 "%s:6:13: via: expected an IPv4 address like 192.0.2.254\n"
		 "%s:7:30: 3: expected PREFIX via ADDRESS and nothing else\n"
		 "%s:8:1: 10.1.0.0: this prefix /16 is there already, in %s line 4: expected it once\n"
		 "%s:8:13: 172.16.9.9: expected an address on the network of a port, or one that "
		 "another route leads to\n",
		 name, name, name, name, name, name);
	// The last line is wrong twice over.
	assert_string_equal(got, want);
	free(got);
	close(fd);
	unlink(name);
	got = complaints("f.yaml", HEAD PORTS "routes: [{file: nowhere.txt}]\n");
	assert_string_equal(got, "f.yaml:6:17: nowhere.txt: No such file or directory: expected a file of routes\n");
	free(got);
}

#define V6 "  v6: {device: \"null\", addresses: [\"2001:db8::1/64\", \"fe80::1/64\"]}\n"

static void routes6(void **state)
{
	says(HEAD PORTS V6 "routes:\n  - {to: \"::/0\", via: \"2001:db8::2\"}\n"
			   "  - {to: \"2001:db8:1::/48\", via: \"fe80::2\", interface: v6}\n",
	     "");
	says(HEAD PORTS V6 "routes:\n  - {to: \"2001:db8:1::/48\", via: \"fe80::2\"}\n",
	     "f.yaml:8:34: fe80::2: expected `interface` with a link-local next hop\n");
	says(HEAD PORTS V6 "routes:\n  - {to: \"2001:db8:1::1/48\", via: \"2001:db8::2\"}\n",
	     "f.yaml:8:10: 2001:db8:1::1/48: expected a prefix without host bits\n");
	says(HEAD PORTS V6 "routes:\n  - {to: \"ff02::/16\", via: \"2001:db8::2\"}\n",
	     "f.yaml:8:10: ff02::/16: expected a prefix that is routed: not multicast, not link-local\n");
	says(HEAD PORTS V6 "routes:\n  - {to: \"2001:db8::/64\", via: \"2001:db8::2\"}\n",
	     "f.yaml:8:10: 2001:db8::: expected another prefix: this is the network of a port\n");
	says(HEAD PORTS "  v6: {device: \"null\", addresses: [\"ff02::1/64\"]}\n",
	     "f.yaml:6:36: ff02::1/64: expected a host's address, not a network, broadcast, multicast, "
	     "loopback or reserved one\n");
	says(HEAD PORTS "  v6: {device: \"null\", addresses: [\"fe80::1/10\"]}\n",
	     "f.yaml:6:36: fe80::1/10: expected length 64 of a link-local address\n");
}

static void many_ways(void **state)
{
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: [192.0.2.9, {address: 198.51.100.9, weight: 3}]}\n"
			"  - {to: 10.1.0.0/16, via: 10.2.0.9}\n  - {to: 10.3.0.0/16, type: prohibit}\n",
	     "");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: [192.0.2.9, {address: 198.51.100.9, weight: 0}]}\n",
	     "f.yaml:7:71: 0: expected a number from 1 to 255\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: []}\n",
	     "f.yaml:7:27: […]: expected at least one next hop\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.9, interface: lan}\n",
	     "f.yaml:7:27: 192.0.2.9: expected an address on the network of that interface\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, type: hole}\n",
	     "f.yaml:7:28: hole: expected blackhole, unreachable or prohibit\n");
	// Each by the other.
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/16, via: 10.1.0.1}\n  - {to: 10.1.0.0/16, via: 10.0.0.1}\n",
	     "f.yaml:7:28: 10.1.0.1: expected an address on the network of a port, or one that another "
	     "route leads to\n"
	     "f.yaml:8:28: 10.0.0.1: expected an address on the network of a port, or one that another "
	     "route leads to\n");
}

static void vrfs(void **state)
{
	says(HEAD "vrfs: [red]\n" PORTS "  r: {device: \"null\", vrf: red, addresses: [192.0.2.1/24]}\n"
		  "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.9, vrf: red}\n"
		  "  - {to: 10.0.0.0/8, via: 198.51.100.9}\n",
	     "");
	says(HEAD "vrfs: [red]\n" PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.9, vrf: red}\n",
	     "f.yaml:8:27: 192.0.2.9: expected an address on the network of a port, or one that another "
	     "route leads to\n");
	says(HEAD PORTS "routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.9, vrf: red}\n",
	     "f.yaml:7:43: red: expected \"default\" or a name of the list vrfs\n");
	says(HEAD "vrfs: [default]\n" PORTS,
	     "f.yaml:3:8: default: expected a name of 1 to 15 characters, not \"default\"\n");
}

#define BARE "ports:\n  a: {device: \"null\"}\n  b: {device: \"null\"}\n  c: {device: \"null\"}\n"

static void made_of_ports(void **state)
{
	says(HEAD BARE "interfaces:\n  a.5: {port: a, vlan: 5, addresses: [192.0.2.1/24]}\n"
		       "  a.6: {port: a, vlan: [6, 7]}\n"
		       "  g: {group: [b]}\n  br: {bridge: [a.6, c, g], age: 60, addresses: [198.51.100.1/24]}\n",
	     "");
	says(HEAD BARE "interfaces:\n  br: {bridge: [a, b]}\n  br2: {bridge: [b, c]}\n",
	     "f.yaml:9:18: b: belongs to a group or bridge already\n");
	says(HEAD BARE "interfaces:\n  br: {bridge: [a, b]}\n  g: {group: [br, c], addresses: [10.0.0.1/8]}\n",
	     "f.yaml:9:15: br: expected a port\n");
	says(HEAD PORTS "interfaces:\n  v: {port: wan, vlan: 5}\n  w: {port: wan, vlan: 5, addresses: [10.0.0.1/8]}\n",
	     "f.yaml:7:3: v: expected addresses: [ADDRESS/LENGTH], or an interface made of it (a VLAN, a "
	     "group, a bridge)\n"
	     "f.yaml:8:24: 5: is v's already: expected another VLAN\n");
	says(HEAD PORTS "interfaces:\n  v: {port: wan, vlan: 4095, addresses: [10.0.0.1/8]}\n",
	     "f.yaml:7:24: 4095: expected a number from 1 to 4094\n");
	says(HEAD PORTS "interfaces:\n  v: {port: wan, addresses: [10.0.0.1/8]}\n",
	     "f.yaml:7:6: {…}: expected one of port: PORT with vlan: N, group: [PORT, …], or bridge: [PORT, …]\n");
	says(HEAD PORTS "interfaces:\n  v: {bridge: [wan]}\n",
	     "f.yaml:4:3: wan: expected no addresses: it belongs to a group or bridge, which may have some\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes),
		cmocka_unit_test(ports),
		cmocka_unit_test(route_file),
		cmocka_unit_test(routes6),
		cmocka_unit_test(many_ways),
		cmocka_unit_test(vrfs),
		cmocka_unit_test(made_of_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
