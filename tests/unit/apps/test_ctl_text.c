// SPDX-License-Identifier: BSD-3-Clause
// test_ctl_text.c - routes and neighbors as people write them: what becomes of each word, and what is refused
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/ctl_client_priv.h"
#include "apps/tool/ctl_text.h"

// A client that has asked for names already.
static struct ctl_name names[] = {
	{.kind = CTL_KIND_PORT, .index = 0, .name = "p0"},  {.kind = CTL_KIND_IFACE, .index = 0, .name = "p0"},
	{.kind = CTL_KIND_IFACE, .index = 5, .name = "wan"}, {.kind = CTL_KIND_VRF, .index = 0, .name = "default"},
	{.kind = CTL_KIND_VRF, .index = 2, .name = "red"},
};
static struct ctl_client *client;

static int start(void **state)
{
	client = aligned_alloc(16, sizeof(*client));
	memset(client, 0, sizeof(*client));
	client->names = names;
	client->n_names = sizeof(names) / sizeof(names[0]);
	return 0;
}

static int stop(void **state)
{
	free(client);
	return 0;
}

static int route(const char *text, enum ctl_op op, struct text_route *r, struct err *err)
{
	char line[1000], *w[CTL_WORDS_MAX];
	struct words words;

	snprintf(line, sizeof(line), "%s", text);
	assert_int_equal(words_split(line, w, &words, err), 0);
	return text_route(client, &words, op, r, err);
}

static struct text_route good(const char *text, enum ctl_op op)
{
	struct text_route r;
	struct err err;

	if (route(text, op, &r, &err))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(r.route.op, op);
	assert_int_equal(r.route.owner, CTL_OWNER_CTL);
	return r;
}

static void bad(const char *text, enum ctl_op op, const char *says)
{
	struct text_route r;
	struct err err;

	if (!route(text, op, &r, &err))
		fail_msg("%s: taken", text);
	if (!strstr(err.text, says))
		fail_msg("%s\nis not in\n%s", says, err.text);
}

static void is(const uint8_t addr[16], int family, const char *text)
{
	uint8_t want[16] = {0};

	assert_int_equal(inet_pton(family == 6 ? AF_INET6 : AF_INET, text, want), 1);
	assert_memory_equal(addr, want, 16);
}

static void test_routes(void **state)
{
	struct text_route r = good("10.0.0.0/8 via 192.0.2.254", CTL_ADD);

	is(r.route.prefix, 4, "10.0.0.0");
	assert_int_equal(r.route.plen, 8);
	assert_int_equal(r.route.kind, CTL_VIA);
	assert_int_equal(r.route.paths, 1);
	assert_int_equal(r.route.vrf, 0);
	is(r.path[0].via, 4, "192.0.2.254");
	assert_int_equal(r.path[0].family, 4);
	assert_int_equal(r.path[0].iface, CTL_IFACE_ANY);
	assert_int_equal(r.path[0].weight, 1);

	r = good("2001:db8::/32 via fe80::1 dev wan vrf red", CTL_REPLACE);
	assert_int_equal(r.route.family, 6);
	assert_int_equal(r.route.plen, 32);
	assert_int_equal(r.route.vrf, 2);
	assert_int_equal(r.path[0].iface, 5);
	is(r.path[0].via, 6, "fe80::1");

	r = good("10.1.0.0/16 nexthop via 192.0.2.1 weight 3 nexthop via 192.0.2.2 interface wan", CTL_ADD);
	assert_int_equal(r.route.paths, 2);
	assert_int_equal(r.path[0].weight, 3);
	assert_int_equal(r.path[1].weight, 1);
	assert_int_equal(r.path[1].iface, 5);

	r = good("10.1.2.3 10.9.9.9 # a comment", CTL_ADD);
	assert_int_equal(r.route.plen, 32);
	is(r.path[0].via, 4, "10.9.9.9");

	r = good("10.1.0.0/16 interface wan", CTL_ADD);
	assert_int_equal(r.path[0].iface, 5);
	assert_int_equal(r.path[0].family, 4);
	is(r.path[0].via, 4, "0.0.0.0");
}

static void test_kinds(void **state)
{
	assert_int_equal(good("blackhole 10.0.0.0/8", CTL_ADD).route.kind, CTL_BLACKHOLE);
	assert_int_equal(good("10.0.0.0/8 unreachable", CTL_ADD).route.kind, CTL_UNREACHABLE);
	assert_int_equal(good("prohibit 2001:db8::/32 vrf red", CTL_ADD).route.kind, CTL_PROHIBIT);
	assert_int_equal(good("10.0.0.0/8 via 1.1.1.1", CTL_DEL).route.paths, 0);
	assert_int_equal(good("10.0.0.0/8", CTL_FORGET).route.paths, 0);
}

// Its family is that of what leads there.
static void test_default(void **state)
{
	assert_int_equal(good("default via 192.0.2.1", CTL_ADD).route.family, 4);
	assert_int_equal(good("default via fe80::1 interface wan", CTL_ADD).route.family, 6);
	assert_int_equal(good("default", CTL_DEL).route.family, 4);
	assert_int_equal(good("::/0", CTL_DEL).route.family, 6);
	// RFC 8950: an IPv4 prefix by an IPv6 next hop.
	assert_int_equal(good("0.0.0.0/0 via fe80::1 interface wan", CTL_ADD).path[0].family, 6);
}

static void test_wrong(void **state)
{
	char many[1000] = "10.0.0.0/8";

	bad("", CTL_ADD, "expected a prefix like 192.0.2.0/24 or 2001:db8::/32, or default at the end");
	bad("10.0.0.1/8 via 1.1.1.1", CTL_ADD, "10.0.0.1/8: expected no bits behind the prefix's length");
	bad("2001:db8::1/64 via fe80::1", CTL_ADD, "expected no bits behind");
	bad("10.0.0.0/33 via 1.1.1.1", CTL_ADD, "10.0.0.0/33: expected a length of 0 to 32");
	bad("::/129 via ::1", CTL_ADD, "expected a length of 0 to 128");
	bad("10.0.0.0/ via 1.1.1.1", CTL_ADD, "expected a length");
	bad("10.0.0.0/-1 via 1.1.1.1", CTL_ADD, "expected a length");
	bad("10.0.0.256/32 via 1.1.1.1", CTL_ADD, "10.0.0.256/32: expected a prefix");
	bad("10/8 via 1.1.1.1", CTL_ADD, "10/8: expected a prefix");
	bad("10.0.0.0/8", CTL_ADD, "expected via ADDRESS, interface NAME, or blackhole");
	bad("10.0.0.0/8 via", CTL_ADD, "expected the address of a next hop at the end");
	bad("10.0.0.0/8 via wan", CTL_ADD, "wan: expected the address");
	bad("10.0.0.0/8 via 1.1.1.1 weight 0", CTL_ADD, "0: expected a weight of 1 to 255");
	bad("10.0.0.0/8 via 1.1.1.1 interface lan", CTL_ADD, "lan: no interface is called so: there are p0, wan");
	bad("10.0.0.0/8 via 1.1.1.1 vrf blue", CTL_ADD, "blue: no VRF is called so: there are default, red");
	bad("10.0.0.0/8 via 1.1.1.1 metric 5", CTL_ADD, "metric: expected via, interface");
	bad("10.0.0.0/8 weight 3", CTL_ADD, "without via or interface");
	bad("10.0.0.0/8 nexthop", CTL_ADD, "expected via, interface");
	bad("blackhole 10.0.0.0/8 via 1.1.1.1", CTL_ADD, "goes nowhere, with a next hop");
	bad("2001:db8::/32 via 1.1.1.1", CTL_ADD, "expected an IPv6 one");
	for (unsigned i = 0; i < 17; i++)
		sprintf(many + strlen(many), " nexthop via 1.1.1.%u", i);
	bad(many, CTL_ADD, "more than 16 next hops");
}

static int neighbor(const char *text, enum ctl_op op, struct ctl_neighbor *n, struct err *err)
{
	char line[200], *w[CTL_WORDS_MAX];
	struct words words;

	snprintf(line, sizeof(line), "%s", text);
	words_split(line, w, &words, err);
	return text_neighbor(client, &words, op, n, err);
}

static void test_neighbors(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0xab, 0xcd, 1};
	static const char *const wrong[] = {
		"wan interface wan", "10.0.0.1 interface wan", "10.0.0.1 mac 02:00:00:00:00:01",
		"10.0.0.1 interface wan mac 01:00:5e:00:00:01", "10.0.0.1 interface wan mac 02:00:00:00:00",
		"10.0.0.1 interface wan mac 02:00:00:00:00:01x", "10.0.0.1 wan",
	};
	struct ctl_neighbor n;
	struct err err;

	assert_int_equal(neighbor("fe80::1 lladdr 02:00:00:ab:CD:01 dev wan", CTL_ADD, &n, &err), 0);
	assert_int_equal(n.family, 6);
	assert_int_equal(n.iface, 5);
	assert_memory_equal(n.mac, mac, 6);
	is(n.addr, 6, "fe80::1");
	assert_int_equal(neighbor("10.0.0.1 interface wan", CTL_DEL, &n, &err), 0);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (neighbor(wrong[i], CTL_ADD, &n, &err) != -EINVAL)
			fail_msg("%s: taken", wrong[i]);
}

static void test_shows(void **state)
{
	static const struct {
		const char *text;
		enum ctl_what what;
		int family, plen, vrf;
	} cases[] = {
		{"", CTL_WHAT_ALL, 0, 0, CTL_VRF_ANY},
		{"-6", CTL_WHAT_ALL, 6, 0, CTL_VRF_ANY},
		{"vrf red -4", CTL_WHAT_ALL, 4, 0, 2},
		{"10.0.0.0/8", CTL_WHAT_EXACT, 4, 8, CTL_VRF_ANY},
		{"within 2001:db8::/32", CTL_WHAT_WITHIN, 6, 32, CTL_VRF_ANY},
		{"match 10.1.2.3 vrf default", CTL_WHAT_MATCH, 4, 32, 0},
		{"default -6", CTL_WHAT_EXACT, 6, 0, CTL_VRF_ANY},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[100], *w[CTL_WORDS_MAX];
		struct words words;
		struct ctl_show s;
		struct err err;

		snprintf(line, sizeof(line), "%s", cases[i].text);
		words_split(line, w, &words, &err);
		if (text_show(client, &words, &s, &err))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(s.what, cases[i].what);
		assert_int_equal(s.family, cases[i].family);
		assert_int_equal(s.plen, cases[i].plen);
		assert_int_equal(s.vrf, cases[i].vrf);
	}
}

// What is printed can be read again, and is the same.
static void test_prints(void **state)
{
	static const char *const texts[] = {
		"10.0.0.0/8 via 192.0.2.254",
		"blackhole 10.9.0.0/16",
		"2001:db8::/32 via fe80::1 interface wan vrf red",
		"10.2.0.0/16 interface wan",
		"10.1.0.0/16\n\tnexthop via 192.0.2.1 weight 3\n\tnexthop via 192.0.2.2 interface wan weight 1",
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char flat[300], out[300], want[300], *p;
		struct text_route r;
		FILE *f = fmemopen(out, sizeof(out), "w");

		strcpy(flat, texts[i]);
		for (p = flat; *p; p++)
			*p = *p == '\n' ? ' ' : *p;
		r = good(flat, CTL_ADD);
		r.route.owner = CTL_OWNER_NONE;
		route_print(client, &r.route, r.path, false, f);
		fclose(f);
		snprintf(want, sizeof(want), "%s\n", texts[i]);
		assert_string_equal(out, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),	  cmocka_unit_test(test_kinds), cmocka_unit_test(test_default),
		cmocka_unit_test(test_neighbors), cmocka_unit_test(test_shows), cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_prints),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
