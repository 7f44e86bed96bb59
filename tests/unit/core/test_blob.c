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
	char strings[16];
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
	refused(&s, sizeof(s), "version 3");
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
	// The same 32 bytes read as what names ports, next hops and prefixes: every index is wrong.
	s = good();
	s.section[1] = (struct blob_section){BLOB_PATCHES, offsetof(struct small, port), 1, 4};
	sum(&s);
	refused(&s, sizeof(s), "patch 0");
	s.section[1] = (struct blob_section){BLOB_ADDRS, offsetof(struct small, port), 1, 20};
	sum(&s);
	refused(&s, sizeof(s), "address 0");
	s.section[1] = (struct blob_section){BLOB_NEXTHOPS, offsetof(struct small, port), 1, 8};
	sum(&s);
	refused(&s, sizeof(s), "next hop 0");
	s.section[1] = (struct blob_section){BLOB_NEIGHBORS, offsetof(struct small, port), 1, 12};
	sum(&s);
	refused(&s, sizeof(s), "neighbor 0");
	s.section[1] = (struct blob_section){BLOB_ROUTES4, offsetof(struct small, port), 1, 8};
	sum(&s);
	refused(&s, sizeof(s), "route 0");
}

// A route, its next hop and a neighbor that are sound; then each of their fields alone is wrong.
struct routed {
	struct blob_hdr hdr;
	struct blob_section section[6];
	struct blob_params params;
	struct blob_port port;
	struct blob_route4 route;
	struct blob_nexthop nexthop;
	struct blob_neighbor neighbor;
	uint32_t pad;
	char strings[8];
} __attribute__((aligned(8)));

static struct routed good_routes(void)
{
	const struct small s = good();
	struct routed r = {
		.hdr = s.hdr,
		.section = {{BLOB_PARAMS, offsetof(struct routed, params), 1, 32},
			    {BLOB_PORTS, offsetof(struct routed, port), 1, 32},
			    {BLOB_ROUTES4, offsetof(struct routed, route), 1, 8},
			    {BLOB_NEXTHOPS, offsetof(struct routed, nexthop), 1, 8},
			    {BLOB_NEIGHBORS, offsetof(struct routed, neighbor), 1, 12},
			    {BLOB_STRINGS, offsetof(struct routed, strings), 4, 1}},
		.params = s.params,
		.route = {.prefix = 0xc0000200, .plen = 24},
	};

	r.hdr.len = sizeof(r);
	r.hdr.sections = 6;
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
	assert_int_equal(rc, why ? -EBADMSG : 0);
	if (why && !strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void bad_routes(void **state)
{
	static const struct {
		uint32_t prefix;
		uint8_t plen;
		uint16_t nexthop, nexthop_port, neighbor_port;
		const char *why;
	} cases[] = {
		{0xc0000200, 24, 0, 0, 0, NULL},
		{0xc0000201, 32, 0, 0, 0, NULL},
		{0, 0, 0, 0, 0, NULL},
		{0xc0000201, 24, 0, 0, 0, "host bits"},
		{0xc0000280, 24, 0, 0, 0, "host bits"},
		{1, 0, 0, 0, 0, "host bits"},
		{0xc0000200, 33, 0, 0, 0, "route 0"},
		{0xc0000200, 24, 1, 0, 0, "route 0"},
		{0xc0000200, 24, 0, 1, 0, "next hop 0"},
		{0xc0000200, 24, 0, 0, 1, "neighbor 0"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct routed r = good_routes();

		r.route.prefix = cases[i].prefix;
		r.route.plen = cases[i].plen;
		r.route.nexthop = cases[i].nexthop;
		r.nexthop.port = cases[i].nexthop_port;
		r.neighbor.port = cases[i].neighbor_port;
		expect(&r, cases[i].why);
	}
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
		cmocka_unit_test(nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
