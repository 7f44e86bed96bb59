// SPDX-License-Identifier: BSD-3-Clause
// test_blob_plays.c - hostile plays and records are refused by name
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/blob.h"

#define BYTES 96u // three records of 9, 0 and 16 bytes

struct small {
	struct blob_hdr hdr;
	struct blob_section section[5];
	struct blob_params params;
	struct blob_port port[2];
	struct blob_play play;
	uint8_t bytes[BYTES] __attribute__((aligned(8)));
	char strings[16] __attribute__((aligned(8)));
} __attribute__((aligned(8)));

static struct blob_record *record(struct small *s, unsigned i)
{
	static const unsigned at[] = {0, 32, 48};

	return (struct blob_record *)(void *)(s->bytes + at[i]);
}

static struct small good(void)
{
	struct small s = {
		.hdr = {.magic = BLOB_MAGIC, .version = BLOB_VERSION, .len = sizeof(s), .sections = 5,
			.function = "replay"},
		.section = {{BLOB_PARAMS, offsetof(struct small, params), 1, sizeof(s.params)},
			    {BLOB_PORTS, offsetof(struct small, port), 2, sizeof(s.port[0])},
			    {BLOB_PLAYS, offsetof(struct small, play), 1, sizeof(s.play)},
			    {BLOB_BYTES, offsetof(struct small, bytes), BYTES, 1},
			    {BLOB_STRINGS, offsetof(struct small, strings), 16, 1}},
		.params = {.lcores = 1},
		.port = {{.name = 1}, {.name = 5}},
		.play = {.rate = 1000000, .packets = 3, .loops = 1, .len = 80, .ports = 3},
		.strings = "\0wan\0lan",
	};

	*record(&s, 0) = (struct blob_record){.time = 0, .len = 9, .port = 0};
	*record(&s, 1) = (struct blob_record){.time = 7, .len = 0, .port = 1};
	*record(&s, 2) = (struct blob_record){.time = 7, .len = 16, .port = 1};
	return s;
}

static int open_it(struct small *s, struct err *err)
{
	struct blob b;

	s->hdr.crc = 0;
	s->hdr.crc = crc32c(0, s, s->hdr.len);
	return blob_open(&b, s, sizeof(*s), err);
}

static void refused(struct small s, const char *why)
{
	struct err err;

	assert_int_equal(open_it(&s, &err), -EBADMSG);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_good(void **state)
{
	struct small s = good();
	struct err err;

	assert_int_equal(open_it(&s, &err), 0);
	s.play.packets = 0; // what is behind is nobody's
	s.play.len = 0;
	assert_int_equal(open_it(&s, &err), 0);
	s = good();
	s.play.packets = 2;
	assert_int_equal(open_it(&s, &err), 0);
}

#define REFUSED(change, why)                                                                                           \
	do {                                                                                                           \
		struct small s = good();                                                                               \
		change;                                                                                                \
		refused(s, why);                                                                                       \
	} while (0)

static void test_plays(void **state)
{
	REFUSED(s.play.speed = BLOB_SPEEDS, "speed");
	REFUSED(s.play.flags = 4, "flags");
	REFUSED(s.play.rate = 0, "rate 0");
	REFUSED(s.play.ports = 0, "ports");
	REFUSED(s.play.ports = 7, "ports");
	REFUSED(s.play.first = 4, "bytes from 4");
	REFUSED(s.play.first = BYTES + 8, "bytes from");
	REFUSED(s.play.first = UINT32_MAX - 7, "bytes from");
	REFUSED(s.play.len = BYTES + 1, "bytes from 0");
	REFUSED((s.play.first = 24, s.play.len = BYTES - 23), "bytes from 24");
	REFUSED(s.play.flags = BLOB_PLAY_STREAMED, "streamed has packets");
	REFUSED(s.play.loop_gap_ns = UINT64_MAX, "a play");
}

static void test_records(void **state)
{
	REFUSED(s.play.packets = 4, "ends after 3");
	REFUSED(s.play.packets = UINT64_MAX, "ends after 3");
	REFUSED(s.play.len = 79, "packet 2");
	REFUSED(s.play.len = 15, "ends after 0");
	REFUSED(record(&s, 2)->len = 17, "packet 2 of a play: 17 bytes, 16 are left");
	REFUSED(record(&s, 0)->len = UINT32_MAX, "packet 0");
	REFUSED(record(&s, 0)->len = BLOB_RECORD_MAX + 1, "packet 0");
	REFUSED(record(&s, 1)->port = 2, "by port 2");
	REFUSED(s.play.ports = 1, "packet 1 of a play: by port 1");
	REFUSED(record(&s, 2)->time = 6, "goes back");
	REFUSED(record(&s, 2)->time = UINT64_MAX, "goes back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_plays),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
