// SPDX-License-Identifier: BSD-3-Clause
// test_pktgen_text.c - numbers of weir pktgen as people read them, and the file that its options stand for
#include "config_test.h"

#include "apps/tool/pktgen.h"
#include "apps/tool/pktgen_words.h"

static void test_numbers(void **state)
{
	char b[TEXT_MAX];

	assert_string_equal(text_count(b, 0), "0");
	assert_string_equal(text_count(b, 999), "999");
	assert_string_equal(text_count(b, 1000), "1,000");
	assert_string_equal(text_count(b, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(text_fit(b, 1234567, 9), "1,234,567");
	assert_string_equal(text_fit(b, 1234567, 8), "1.23M");
	assert_string_equal(text_short(b, 0), "0");
	assert_string_equal(text_short(b, 12.5), "12.5");
	assert_string_equal(text_short(b, 999), "999");
	assert_string_equal(text_short(b, 999.6), "1.00k");
	assert_string_equal(text_short(b, 14880952), "14.9M");
	assert_string_equal(text_us(b, 999), "1.00");
	assert_string_equal(text_us(b, 12345), "12.3");
	assert_string_equal(text_us(b, 99999000), "99999");
	assert_string_equal(text_us(b, 123456000), "123ms");
	assert_string_equal(text_time(b, 640), "640 ns");
	assert_string_equal(text_time(b, 999999), "1.00 ms");
	assert_string_equal(text_time(b, 61000000000), "61.0 s");
}

// Something is never shown as nothing, and not all never as all.
static void test_percent(void **state)
{
	char b[TEXT_MAX];

	assert_string_equal(text_percent(b, 0), "0");
	assert_string_equal(text_percent(b, 1), "100");
	assert_string_equal(text_percent(b, 1e-9), "1e-07");
	assert_string_equal(text_percent(b, 0.00001), "0.0010");
	assert_string_equal(text_percent(b, 0.1234), "12.34");
	assert_string_equal(text_percent(b, 1 - 1e-12), "99.99");
}

// The configuration that words make, read; fails when it is wrong.
static void load(struct config *c, const struct words *w)
{
	struct diags d = {0};
	struct err e;
	char *text = words_yaml(w, &e);

	if (!text)
		fail_msg("%s", e.text);
	if (!config_parse(c, "words", text, strlen(text), false, &d)) {
		diag_print(&d, stderr);
		fail_msg("%s", text);
	}
	diag_free(&d);
	free(text);
}

static void test_words(void **state)
{
	struct words w = {.port = {"a=loop:x", "b=loop:x"}, .ports = 2, .dst = "198.18.1.1-198.18.1.254", .rate = "l2:1G",
			  .length = "68,128", .vlan = "7", .shape = "10ms:5ms", .burst = "4", .both = true,
			  .line = {"b=10G"}, .lines = 1};
	struct config c;
	struct blob b;
	struct err e;
	size_t len;
	void *blob;

	load(&c, &w);
	blob = config_blob(&c, &len);
	assert_int_equal(blob_open(&b, blob, len, &e), 0);
	assert_int_equal(b.n_streams, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct blob_stream *s = &b.streams[i];
		// To the other port's address.
		const uint8_t to[6] = {0x02, 0x57, 0x65, 0x69, 0x72, (uint8_t)(2 - i)};

		assert_int_equal(s->port, i);
		assert_memory_equal(b.bytes + b.variants[s->variant].head, to, 6);
		assert_memory_equal(b.bytes + b.variants[s->variant].head + 12, "\x81\x00\x00\x07\x08\x00", 6);
		assert_true(s->rate_kind == BLOB_RATE_L2 && s->rate == 1000000000);
		assert_true(s->burst == 4 && s->shape == BLOB_SHAPE_ONOFF && s->on_us == 10000 && s->off_us == 5000);
		assert_true(s->variants == 2 && b.variants[s->variant].len == 64 && b.variants[s->variant + 1].len == 124);
		assert_true(s->fields == 1 && b.fields[s->field].count == 254);
		assert_false(s->flags & BLOB_STREAM_RESOLVE);
	}
	assert_int_equal(b.ports[1].line_mbps, 10000);
	free(blob);
	config_free(&c);
}

static void test_words_of_a_station(void **state)
{
	struct words w = {.port = {"a=loop:x"}, .ports = 1, .address = {"a=192.0.2.1/24", "a=2001:db8::1/64"}, .addresses = 2,
			  .via = {"2001:db8::9"}, .vias = 1, .dst = "2001:db8:5::1-2001:db8:5::9", .rate = "1kpps"};
	struct config c;
	struct blob b;
	struct err e;
	size_t len;
	void *blob;

	load(&c, &w);
	blob = config_blob(&c, &len);
	assert_int_equal(blob_open(&b, blob, len, &e), 0);
	assert_true(b.streams[0].flags & BLOB_STREAM_RESOLVE && b.streams[0].via_family == 6 && b.streams[0].via[15] == 9);
	assert_int_equal(b.n_addrs, 2);
	free(blob);
	config_free(&c);
}

// What is no YAML stays what it is: text in quotes.
static void test_words_are_quoted(void **state)
{
	struct words w = {.port = {"a\"=null:\\ #:\n{["}, .ports = 1, .dst_mac = "'\"\n- x"};
	struct diags d = {0};
	struct config c;
	struct err e;
	char *text = words_yaml(&w, &e);

	assert_non_null(strstr(text, "\"a\\\"\": {device: \"null:\\\\ #:\\x0a{[\""));
	assert_false(config_parse(&c, "words", text, strlen(text), false, &d));
	config_free(&c);
	diag_free(&d);
	free(text);
}

static void test_words_refused(void **state)
{
	struct words none = {.rate = "top"}, alone = {.port = {"a=null:"}, .ports = 1}, twice = alone, other = alone;
	struct err e;

	assert_null(words_yaml(&none, &e));
	assert_null(words_yaml(&alone, &e));
	assert_non_null(strstr(e.text, "--dst-mac"));
	twice.port[twice.ports++] = "a=null:";
	assert_null(words_yaml(&twice, &e));
	assert_non_null(strstr(e.text, "already"));
	other.mac[other.macs++] = "b=02:00:00:00:00:01";
	assert_null(words_yaml(&other, &e));
	assert_non_null(strstr(e.text, "--mac b="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	  cmocka_unit_test(test_percent),
		cmocka_unit_test(test_words),	  cmocka_unit_test(test_words_of_a_station),
		cmocka_unit_test(test_words_are_quoted), cmocka_unit_test(test_words_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
