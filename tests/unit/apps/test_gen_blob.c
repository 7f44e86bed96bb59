// SPDX-License-Identifier: BSD-3-Clause
// test_gen_blob.c - streams of a blob that a generator could not follow are refused by name
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/unit/apps/gen_world.h"

static struct gen_world w;

static void begin(void)
{
	static const uint16_t lens[] = {60, 1514};
	static const uint64_t list[3] = {7, 8, 9};
	struct blob_field *f;

	gw_init(&w);
	gw_udp4(&w, lens, 2, false);
	gw_field(&w, GW_DST4, 4, 3);
	f = gw_field(&w, GW_SPORT4, 2, 2);
	f->kind = BLOB_FIELD_LIST;
	f->count = 3;
	f->list = gw_bytes(&w, list, sizeof(list));
}

static void refused(const char *why)
{
	struct err err = {""};

	assert_int_equal(gw_open(&w, &err), -EBADMSG);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
	gw_free(&w);
}

#define REFUSED(change, why) (begin(), (change), refused(why))

static void good(void **state)
{
	struct err err = {""};

	begin();
	if (gw_open(&w, &err))
		fail_msg("%s", err.text);
	assert_int_equal(w.blob.n_streams, 1);
	gw_free(&w);
}

static void streams(void **state)
{
	REFUSED(w.streams[0].name = 99, "stream 0: name 99");
	REFUSED(w.streams[0].port = 2, "port 2");
	REFUSED(w.streams[0].flags |= 16, "flags 0x11");
	REFUSED(w.streams[0].head_len = 13, "a head of 13 bytes");
	REFUSED(w.streams[0].head_len = 257, "a head of 257 bytes");
	REFUSED(w.streams[0].sums = 5, "5 checksums");
	REFUSED(w.streams[0].sum_ip = 4, "0x4 of IPv4");
	REFUSED(w.streams[0].sig_sums = 4, "0x4 over the signature");
	REFUSED(w.streams[0].sum_at[0] = 25, "a checksum at byte 25");
	REFUSED(w.streams[0].sum_at[1] = 42, "a checksum at byte 42 of a head of 42");
	REFUSED(w.streams[0].rate_kind = BLOB_RATE_PPS, "rate 0 of kind 1");
	REFUSED(w.streams[0].rate_kind = BLOB_RATE_KINDS, "rate 0 of kind 5");
	REFUSED(w.streams[0].shape = BLOB_SHAPES, "shape 3");
	REFUSED(w.streams[0].burst = 0, "bursts of 0");
	REFUSED(w.streams[0].shape = BLOB_SHAPE_ONOFF, "it is on for no time");
	REFUSED((w.streams[0].flags |= BLOB_STREAM_RESOLVE), "a next hop of family 0");
	REFUSED(w.streams[0].variants = 0, "0 variants");
	REFUSED(w.streams[0].variants = 3, "3 variants from 0, there are 2");
	REFUSED(w.streams[0].variant = UINT32_MAX, "2 variants from 4294967295");
	REFUSED(w.streams[0].field = 1, "2 fields from 1, there are 2");
	REFUSED(w.streams[0].fields = 65, "65 fields");
	REFUSED(w.streams[0].body = w.n_bytes, "its body of 1472 bytes lies outside");
}

static void variants(void **state)
{
	REFUSED(w.variants[0].len = 41, "variant 0: 41 bytes");
	REFUSED(w.variants[1].len = 1515, "variant 1: 1515 bytes");
	REFUSED(w.variants[1].weight = 0, "of weight 0");
	REFUSED(w.variants[1].head = w.n_bytes - 41, "variant 1: its head lies outside");
	REFUSED(w.variants[0].len = 59, "59 bytes, too few for a signature behind byte 42");
	REFUSED((w.streams[0].sums = 0, w.streams[0].sum_ip = 0, w.streams[0].sig_sums = 0, w.fields[0].sums = 0,
		 w.fields[1].sums = 0, w.streams[0].head_len = 20, w.streams[0].fields = 0,
		 w.streams[0].body = 0, w.streams[0].body_len = 1500, w.variants[0].len = 31),
		"31 bytes, too few for a signature");
}

static void fields(void **state)
{
	REFUSED(w.fields[0].size = 3, "field 0: bits 0 to 32 of a word of 3 bytes");
	REFUSED(w.fields[0].bits = 0, "bits 0 to 0");
	REFUSED(w.fields[0].shift = 1, "bits 1 to 33");
	REFUSED(w.fields[0].offset = 39, "4 bytes from 39, in a head of 42");
	REFUSED(w.fields[0].sums = 4, "checksums 0x4");
	REFUSED(w.fields[0].minus = 1, "checksums 0x3, 0x1");
	REFUSED(w.fields[0].kind = BLOB_FIELD_KINDS, "kind 3");
	REFUSED(w.fields[0].every = 0, "every 0");
	REFUSED(w.fields[0].count = 0, "0 values");
	REFUSED(w.fields[1].count = 0, "0 values");
	REFUSED(w.fields[1].list += 4, "3 values from byte");
	REFUSED(w.fields[1].list += 8, "3 values from byte");
	REFUSED(w.fields[1].count = 1ull << 61, "values from byte");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(streams),
		cmocka_unit_test(variants),
		cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
