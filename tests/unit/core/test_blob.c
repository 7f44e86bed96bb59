// SPDX-License-Identifier: BSD-3-Clause
// test_blob.c - a hostile configuration blob is refused by name, never read wrongly
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/blob.h"

// A small blob by hand: header, three sections, their contents.
struct small {
	struct blob_hdr hdr;
	struct blob_section section[3];
	struct blob_params params;
	struct blob_port port;
	char strings[16] __attribute__((aligned(8)));
} __attribute__((aligned(8)));

static void sum(struct small *s)
{
	s->hdr.crc = 0;
	s->hdr.crc = crc32c(0, s, s->hdr.len);
}

static struct small good(void)
{
	struct small s = {
		.hdr = {.magic = BLOB_MAGIC, .version = BLOB_VERSION, .len = sizeof(s),
			.sections = 3, .function = "router"},
		.section = {
			{BLOB_PARAMS, offsetof(struct small, params), 1, sizeof(s.params)},
			{BLOB_PORTS, offsetof(struct small, port), 1, sizeof(s.port)},
			{BLOB_STRINGS, offsetof(struct small, strings), 16, 1},
		},
		.params = {.lcores = 1},
		.port = {.name = 1, .driver = 5, .args = 0},
		.strings = "\0wan\0virtio",
	};

	sum(&s);
	return s;
}

static void refused(const struct small *s, size_t len, const char *why)
{
	struct blob b;
	struct err err;

	assert_int_equal(blob_open(&b, s, len, &err), -EBADMSG);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

// RFC 3720 B.4: 32 bytes of zeros, ones, and 0 to 31. The RFC lists the CRC's bytes in wire order.
static void crc_vectors(void **state)
{
	uint8_t buf[32];
	int i;

	memset(buf, 0, sizeof(buf));
	assert_int_equal(crc32c(0, buf, 32), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(crc32c(0, buf, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		buf[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, buf, 32), 0x46dd794e);
	assert_int_equal(crc32c(crc32c(0, buf, 13), buf + 13, 19), 0x46dd794e);
}

static void good_blob(void **state)
{
	struct small s = good();
	struct blob b;
	struct err err;

	assert_int_equal(blob_open(&b, &s, sizeof(s), &err), 0);
	assert_int_equal(b.n_ports, 1);
	assert_string_equal(blob_str(&b, b.ports[0].name), "wan");
	assert_string_equal(blob_str(&b, b.ports[0].driver), "virtio");
	assert_int_equal(b.params->lcores, 1);
	assert_int_equal(b.n_routes4, 0);
	// Padding behind, as an initrd may have.
	assert_int_equal(blob_open(&b, &s, sizeof(s) + 100, &err), 0);
}

static void every_changed_byte(void **state)
{
	struct small s;
	struct blob b;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(s); i++) {
		s = good();
		((uint8_t *)&s)[i] ^= 0x20;
		assert_int_equal(blob_open(&b, &s, sizeof(s), &err), -EBADMSG);
	}
	s = good();
	s.strings[2] ^= 1;
	refused(&s, sizeof(s), "checksum");
}

static void every_length(void **state)
{
	struct small s = good();
	uint8_t *copy;
	struct blob b;
	struct err err;
	size_t len;

	// On the heap, exactly as long as said: the sanitizers see a byte too far.
	for (len = 0; len < sizeof(s); len++) {
		copy = malloc(len + 1);
		memcpy(copy, &s, len);
		assert_int_equal(blob_open(&b, copy, len, &err), -EBADMSG);
		free(copy);
	}
}

static void bad_headers(void **state)
{
	struct small s = good();

	s.hdr.magic[0] = 'X';
	refused(&s, sizeof(s), BLOB_MAGIC);
	s = good();
	s.hdr.version = BLOB_VERSION + 1;
	sum(&s);
	refused(&s, sizeof(s), "version 5, this image reads 4");
	s = good();
	s.hdr.sections = 1000;
	sum(&s);
	refused(&s, sizeof(s), "1000 sections");
	s = good();
	memset(s.hdr.function, 'x', sizeof(s.hdr.function));
	sum(&s);
	refused(&s, sizeof(s), "does not end");
}

static void bad_sections(void **state)
{
	struct small s = good();

	s.section[1].type = 99;
	sum(&s);
	refused(&s, sizeof(s), "type 99");
	s = good();
	s.section[1].size = 31;
	sum(&s);
	refused(&s, sizeof(s), "measures 31");
	s = good();
	s.section[1].count = 65;
	sum(&s);
	refused(&s, sizeof(s), "at most 64");
	s = good();
	s.section[1].offset = 0xfffffff8;
	sum(&s);
	refused(&s, sizeof(s), "lie outside");
	s = good();
	s.section[2].count = 100;
	sum(&s);
	refused(&s, sizeof(s), "lie outside");
	s = good();
	s.section[1].offset += 4;
	sum(&s);
	refused(&s, sizeof(s), "lie outside");
	s = good();
	s.section[1] = s.section[0];
	sum(&s);
	refused(&s, sizeof(s), "two sections");
	s = good();
	s.hdr.sections = 2;
	sum(&s);
	refused(&s, sizeof(s), "strings section is missing");
	s = good();
	s.strings[15] = 'x';
	sum(&s);
	refused(&s, sizeof(s), "does not end");
}

static void bad_references(void **state)
{
	struct small s = good();

	s.port.driver = 16;
	sum(&s);
	refused(&s, sizeof(s), "port 0");
	// The same 32 bytes read as what names ports, interfaces and hops: every index is wrong.
	s = good();
	s.section[1] = (struct blob_section){BLOB_PATCHES, offsetof(struct small, port), 1, 4};
	sum(&s);
	refused(&s, sizeof(s), "patch 0");
	s.section[1] = (struct blob_section){BLOB_ADDRS, offsetof(struct small, port), 1, 20};
	sum(&s);
	refused(&s, sizeof(s), "address 0");
	s.section[1] = (struct blob_section){BLOB_PATHS, offsetof(struct small, port), 1, 20};
	sum(&s);
	refused(&s, sizeof(s), "path 0");
	s.section[1] = (struct blob_section){BLOB_HOPS, offsetof(struct small, port), 1, 8};
	sum(&s);
	refused(&s, sizeof(s), "hop 0");
	s.section[1] = (struct blob_section){BLOB_NEIGHBORS, offsetof(struct small, port), 1, 28};
	sum(&s);
	refused(&s, sizeof(s), "neighbor 0");
	s.section[1] = (struct blob_section){BLOB_ROUTES4, offsetof(struct small, port), 1, 8};
	sum(&s);
	refused(&s, sizeof(s), "IPv4 route 0");
	s.section[1] = (struct blob_section){BLOB_ROUTES6, offsetof(struct small, port), 1, 20};
	sum(&s);
	refused(&s, sizeof(s), "IPv6 route 0");
}

// Interfaces, routes, a hop with its path and a neighbor that are sound; then each of their fields alone
// is wrong.
struct routed {
	struct blob_hdr hdr;
	struct blob_section section[11];
	struct blob_params params;
	struct blob_port port;
	struct blob_route4 route4 __attribute__((aligned(8)));
	struct blob_hop hop;
	struct blob_iface iface[3]; // the port, VLAN 5 of it, a bridge of that
	struct blob_neighbor neighbor __attribute__((aligned(8)));
	struct blob_route6 route6 __attribute__((aligned(8)));
	struct blob_path path __attribute__((aligned(8)));
	struct blob_addr addr __attribute__((aligned(8)));
	uint16_t member __attribute__((aligned(8)));
	char strings[8] __attribute__((aligned(8)));
} __attribute__((aligned(8)));

#define PART(type, field, n, size) {type, offsetof(struct routed, field), n, size}

static struct routed good_routes(void)
{
	const struct small s = good();
	struct routed r = {
		.hdr = s.hdr,
		.section = {PART(BLOB_PARAMS, params, 1, 64), PART(BLOB_PORTS, port, 1, 36),
			    PART(BLOB_ROUTES4, route4, 1, 8), PART(BLOB_HOPS, hop, 1, 8),
			    PART(BLOB_IFACES, iface, 3, 40), PART(BLOB_NEIGHBORS, neighbor, 1, 28),
			    PART(BLOB_ROUTES6, route6, 1, 20), PART(BLOB_PATHS, path, 1, 20),
			    PART(BLOB_ADDRS, addr, 1, 20), PART(BLOB_MEMBERS, member, 1, 2),
			    PART(BLOB_STRINGS, strings, 4, 1)},
		.params = s.params,
		.iface = {{.kind = BLOB_IFACE_PORT},
			  {.kind = BLOB_IFACE_VLAN, .vid = {5}},
			  {.kind = BLOB_IFACE_BRIDGE, .members = 1}},
		.addr = {.family = 4, .plen = 24},
		.path = {.family = 4, .weight = 1},
		.hop = {.paths = 1},
		.route4 = {.prefix = 0xc0000200, .plen = 24},
		.neighbor = {.family = 6, .iface = 2},
		.member = 1,
	};

	r.hdr.len = sizeof(r);
	r.hdr.sections = 11;
	// No route6 while the path is of IPv4.
	r.section[6].count = 0;
	return r;
}

static void expect(struct routed *r, const char *why)
{
	struct blob b;
	struct err err;
	int rc;

	r->hdr.crc = 0;
	r->hdr.crc = crc32c(0, r, r->hdr.len);
	rc = blob_open(&b, r, sizeof(*r), &err);
	if (why && !rc)
		fail_msg("taken, though %s", why);
	if (!why && rc)
		fail_msg("%s", err.text);
	if (why && !strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

// One assignment to a sound blob, and what is said then.
#define WITH(assignment, why)                                                                      \
	do {                                                                                       \
		struct routed r = good_routes();                                                   \
		assignment;                                                                        \
		expect(&r, why);                                                                   \
	} while (0)

static void bad_routes(void **state)
{
	WITH(, NULL);
	WITH(r.route4 = ((struct blob_route4){0xc0000201, 32, 0, 0}), NULL);
	WITH(r.route4 = ((struct blob_route4){0, 0, 0, 0}), NULL);
	WITH(r.route4.prefix = 0xc0000201, "host bits");
	WITH(r.route4.prefix = 0xc0000280, "host bits");
	WITH(r.route4 = ((struct blob_route4){1, 0, 0, 0}), "host bits");
	WITH(r.route4.plen = 33, "IPv4 route 0");
	WITH(r.route4.hop = 1, "IPv4 route 0");
	WITH(r.route4.vrf = 1, "IPv4 route 0");
	WITH(r.path.iface = 3, "path 0");
	WITH(r.path.iface = BLOB_IFACE_ANY, NULL);
	WITH(r.path.family = 5, "path 0");
	WITH(r.path.weight = 0, "path 0");
	WITH(r.path.family = 6, "IPv4 route 0"); // which leads to an IPv6 neighbor then
	WITH(r.hop.kind = BLOB_HOP_KINDS, "hop 0");
	WITH(r.hop.paths = 0, "hop 0");
	WITH(r.hop.paths = 2, "hop 0");
	WITH(r.hop.paths = 17, "hop 0");
	WITH(r.hop.first = 1, "hop 0");
	WITH(r.hop.kind = BLOB_HOP_BLACKHOLE, "hop 0");
	WITH((r.hop.kind = BLOB_HOP_BLACKHOLE, r.hop.paths = 0), NULL);
	WITH(r.neighbor.iface = 3, "neighbor 0");
	WITH(r.neighbor.family = 0, "neighbor 0");
	WITH(r.addr.iface = 3, "address 0");
	WITH(r.addr.plen = 33, "address 0");
	WITH(r.params.reass_flags = 2, "reassembly");
}

static void bad_routes6(void **state)
{
#define SIX (r.section[2].count = 0, r.section[6].count = 1, r.path.family = 6)
	WITH(SIX, NULL);
	WITH((SIX, r.path.family = 4), "IPv6 route 0");
	WITH((SIX, r.route6.plen = 129), "IPv6 route 0");
	WITH((SIX, r.route6.plen = 128, r.route6.prefix[15] = 1), NULL);
	WITH((SIX, r.route6.plen = 127, r.route6.prefix[15] = 1), "host bits");
	WITH((SIX, r.route6.prefix[0] = 0x20), "host bits");
	WITH((SIX, r.route6.plen = 3, r.route6.prefix[0] = 0x20), NULL);
}

static void bad_interfaces(void **state)
{
	WITH(r.iface[0].kind = BLOB_IFACE_VLAN, "interface 0");
	WITH(r.iface[1].kind = BLOB_IFACE_PORT, "interface 1");
	WITH(r.iface[1].kind = BLOB_IFACE_KINDS, "interface 1");
	WITH(r.iface[1].parent = 1, "interface 1");
	WITH(r.iface[1].vid[0] = 0, "interface 1");
	WITH(r.iface[1].vid[0] = 4095, "interface 1");
	WITH(r.iface[1].vid[1] = 4095, "interface 1");
	WITH(r.iface[1].members = 1, "interface 1");
	WITH(r.iface[1].vrf = 1, "interface 1");
	WITH(r.iface[1].urpf = BLOB_URPF_KINDS, "interface 1");
	WITH(r.iface[1].flags = 0x80, "interface 1");
	WITH(r.iface[1].name = 4, "interface 1");
	WITH(r.iface[2].members = 2, "interface 2");
	WITH(r.iface[2].first = 1, "interface 2");
	WITH(r.member = 2, "interface 2");
	WITH(r.section[4].count = 0, "address 0");
}

static void nothing_there(void **state)
{
	struct blob b;
	struct err err;

	assert_int_equal(blob_open(&b, NULL, 0, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "there is none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_vectors),	      cmocka_unit_test(good_blob),
		cmocka_unit_test(every_changed_byte), cmocka_unit_test(every_length),
		cmocka_unit_test(bad_headers),	      cmocka_unit_test(bad_sections),
		cmocka_unit_test(bad_references),     cmocka_unit_test(bad_routes),
		cmocka_unit_test(bad_routes6),	      cmocka_unit_test(bad_interfaces),
		cmocka_unit_test(nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
