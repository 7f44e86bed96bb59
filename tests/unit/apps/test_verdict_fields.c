// SPDX-License-Identifier: BSD-3-Clause
// test_verdict_fields.c - frames taken apart: names, values, what differs, what is ignored
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "apps/tool/verdict_fields.h"
#include "tests/unit/apps/verdict_frames.h"

static const struct vignore none;

// Every bit of a frame is part of one field, and they stand in order.
static void check_partition(const struct vframe *f)
{
	uint32_t bit = 0;

	for (unsigned i = 0; i < f->n; i++) {
		assert_int_equal(f->f[i].bit, bit);
		assert_true(f->f[i].bits > 0);
		bit += f->f[i].bits;
	}
	assert_int_equal(bit, f->len * 8);
}

static void check_diff(const uint8_t *got, uint32_t n, const uint8_t *want, uint32_t m, const struct vignore *g,
		       const char *expected)
{
	struct vframe a, b;
	struct vdiff d[8];
	char text[1024] = "";
	unsigned diffs;

	vframe_dissect(&a, got, n);
	vframe_dissect(&b, want, m);
	check_partition(&a);
	check_partition(&b);
	diffs = vframe_diff(&a, &b, g, d, 8);
	for (unsigned i = 0; i < diffs && i < 8; i++) {
		strcat(text, d[i].text);
		strcat(text, "; ");
	}
	assert_string_equal(text, expected);
	assert_int_equal(vframe_exact(&a, g) == vframe_exact(&b, g), diffs == 0);
}

// One field changed at a time; checksums (as scapy has them) that follow say nothing, wrong ones do.
static void test_diff(void **state)
{
	uint8_t a[FRAME_LEN], b[FRAME_LEN];

	frame_make(a, 1, 63, 7);
	frame_make(b, 1, 63, 7);
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none, "");
	frame_make(b, 1, 62, 7);
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none, "ip.ttl 63, expected 62; ");
	frame_make(b, 2, 63, 7);
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none, "ip.id 0x0001, expected 0x0002; ");
	frame_make(b, 1, 63, 8);
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none,
		   "payload 18 of 18 bytes differ, the first at 0: 0x07, expected 0x08; ");
	frame_make(b, 1, 63, 7);
	b[5] = 9;
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none, "eth.dst 02:00:00:00:00:01, expected 02:00:00:00:00:09; ");
	b[5] = 1;
	a[22] = 62; // and nobody made a new checksum
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none,
		   "ip.ttl 62, expected 63; ip.checksum 0x27bc (wrong), expected 0x27bc; ");
	a[22] = 63;
	a[41] ^= 1;
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none, "udp.checksum 0xa0c1 (wrong), expected 0xa0c0; ");
	a[40] = a[41] = 0; // RFC 768: none
	check_diff(a, FRAME_LEN, b, FRAME_LEN, &none, "udp.checksum 0x0000, expected 0xa0c0; ");
}

// Ports swapped and a VLAN tag more.
static void test_layers(void **state)
{
	uint8_t a[FRAME_LEN], b[FRAME_LEN + 4];
	struct vignore g = {0};

	frame_make(a, 1, 63, 7);
	memcpy(b, a, 12);
	memcpy(b + 12, (const uint8_t[]){0x81, 0, 0x60, 5}, 4);
	memcpy(b + 16, a + 12, FRAME_LEN - 12);
	check_diff(b, sizeof(b), a, sizeof(a), &none,
		   "eth.type 0x8100, expected 0x0800; vlan.priority 3, expected none; vlan.dei 0, expected none; "
		   "vlan.id 5, expected none; vlan.etype 0x0800, expected none; ");
	assert_true(vignore_add(&g, "vlan"));
	check_diff(b, sizeof(b), a, sizeof(a), &g, "eth.type 0x8100, expected 0x0800; ");
	assert_true(vignore_add(&g, "eth.type"));
	check_diff(b, sizeof(b), a, sizeof(a), &g, "");
}

static void test_ignore_names(void **state)
{
	struct vignore g = {0};

	assert_true(vignore_add(&g, "ip.id"));
	assert_int_equal(g.mask[VF_IP_ID], ~0u);
	assert_int_equal(g.mask[VF_IP_TTL], 0);
	assert_true(vignore_add(&g, "ip.ttl#2"));
	assert_int_equal(g.mask[VF_IP_TTL], 2);
	assert_true(vignore_add(&g, "ip.flags"));
	assert_int_equal(g.mask[VF_IP_DF], ~0u);
	assert_int_equal(g.mask[VF_IP6_HLIM], 0);
	assert_false(vignore_add(&g, "ip.tt"));
	assert_false(vignore_add(&g, ""));
	assert_false(vignore_add(&g, "ip.ttl#0"));
	assert_false(vignore_add(&g, "ip.ttl#33"));
	assert_false(vignore_add(&g, "ip.ttl#x"));
	for (unsigned id = 0; id < VF_IDS; id++)
		assert_true(vfield_name(id) && vignore_add(&g, vfield_name(id)));
}

// A packet is known again when its TTL, MAC addresses and padding are others; not when its ports are.
static void test_identity(void **state)
{
	uint8_t a[FRAME_LEN], b[FRAME_LEN];
	struct vframe x, y;

	frame_make(a, 1, 63, 7);
	frame_make(b, 1, 12, 7);
	b[0] = 4;
	vframe_dissect(&x, a, FRAME_LEN);
	vframe_dissect(&y, b, FRAME_LEN);
	assert_true(vframe_identity(&x, &none) == vframe_identity(&y, &none));
	assert_true(vframe_exact(&x, &none) != vframe_exact(&y, &none));
	assert_int_equal(vframe_likeness(&x, &y, &none), 100);
	b[37]++;
	vframe_dissect(&y, b, FRAME_LEN);
	assert_true(vframe_identity(&x, &none) != vframe_identity(&y, &none));
	assert_in_range(vframe_likeness(&x, &y, &none), 80, 99);
	memset(b, 0xff, sizeof(b));
	vframe_dissect(&y, b, FRAME_LEN);
	assert_int_equal(vframe_likeness(&x, &y, &none), 0);
}

// An ICMP error has the flow of what it quotes.
static void test_quote(void **state)
{
	uint8_t a[FRAME_LEN], e[14 + 20 + 8 + 28] = {0};
	struct vframe x, y;
	char text[200];

	frame_make(a, 77, 1, 7);
	memcpy(e, a, 34);
	e[17] = sizeof(e) - 14;
	e[23] = 1;
	e[26 + 3] = 9;	// from 10.0.0.9
	e[30 + 3] = 1;	// to 10.0.0.1
	e[34] = 11;	// time exceeded
	memcpy(e + 42, a + 14, 28);
	vframe_dissect(&x, a, FRAME_LEN);
	vframe_dissect(&y, e, sizeof(e));
	check_partition(&y);
	assert_true(vframe_flow(&x, 0) && vframe_flow(&x, 0) == vframe_flow(&y, 1));
	assert_true(vframe_flow(&x, 0) != vframe_flow(&y, 0));
	assert_true(vframe_flow(&x, 1) == 0);
	assert_string_equal(vframe_text(&y, text, sizeof(text)), "icmp time-exceeded 10.0.0.9 > 10.0.0.1, 70 bytes");
	assert_string_equal(vframe_text(&x, text, sizeof(text)), "udp 10.0.0.1:1000 > 10.0.0.2:2000, 60 bytes");
}

// Cut anywhere, and with any byte changed, the fields cover the frame.
static void test_any(void **state)
{
	uint8_t a[FRAME_LEN], b[FRAME_LEN];
	struct vframe f;

	srand(1);
	frame_make(a, 1, 63, 7);
	for (unsigned n = 0; n <= FRAME_LEN; n++) {
		vframe_dissect(&f, a, n);
		check_partition(&f);
	}
	for (unsigned i = 0; i < 20000; i++) {
		memcpy(b, a, sizeof(b));
		for (unsigned k = 0; k < 3; k++)
			b[12 + (unsigned)rand() % 40] = (uint8_t)rand();
		vframe_dissect(&f, b, FRAME_LEN);
		check_partition(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),	 cmocka_unit_test(test_layers),
		cmocka_unit_test(test_ignore_names), cmocka_unit_test(test_identity),
		cmocka_unit_test(test_quote),	 cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
