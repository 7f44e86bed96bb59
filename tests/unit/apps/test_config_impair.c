// SPDX-License-Identifier: BSD-3-Clause
// test_config_impair.c - impairments from YAML to the data plane, and what a changed blob is refused for
#include "tests/unit/apps/config_test.h"

#include <errno.h>
#include <stdlib.h>

static const char text[] = "version: 1\nfunction: impair\nports:\n"
			   "  a: {device: \"null\"}\n  b: {device: \"null\"}\nimpairments:\n"
			   "- {from: a, to: b, delay: 1.5ms, loss: 0.25%, corrupt_every: 1000, reorder_every: 7, gap: 3}\n"
			   "- {from: b, to: a, duplicate: 100%, seed: 9, packets: 100}\n";

static void *compiled(size_t *len)
{
	struct diags diags = {0};
	struct config c;
	void *blob;

	assert_true(config_parse(&c, "f.yaml", text, sizeof(text) - 1, false, &diags));
	blob = config_blob(&c, len);
	config_free(&c);
	diag_free(&diags);
	return blob;
}

static void values(void **state)
{
	struct blob_impair want[] = {
		{.delay_ns = 1500000, .seed = 1, .loss = 2500, .corrupt = 1000, .reorder = 7, .gap = 3,
		 .flags = BLOB_IMPAIR_CORRUPT_EXACT | BLOB_IMPAIR_REORDER_EXACT},
		{.seed = 9, .duplicate = 1000000, .gap = 1, .packets = 100},
	};
	struct blob b;
	struct err err;
	size_t len;
	void *data = compiled(&len);

	assert_int_equal(blob_open(&b, data, len, &err), 0);
	assert_int_equal(b.n_patches, 2);
	assert_int_equal(b.patches[1].from, 1);
	assert_int_equal(b.patches[1].to, 0);
	assert_int_equal(b.n_impairs, 2);
	assert_memory_equal(b.impairs, want, sizeof(want));
	free(data);
}

// The first impairment with one thing changed, checksum and all.
static void refused(void (*change)(struct blob_impair *p))
{
	struct blob_hdr *hdr;
	struct blob b;
	struct err err = {""};
	size_t len;
	void *data = compiled(&len);

	assert_int_equal(blob_open(&b, data, len, &err), 0);
	change((struct blob_impair *)(uintptr_t)b.impairs);
	hdr = data;
	hdr->crc = 0;
	hdr->crc = crc32c(0, data, len);
	assert_int_equal(blob_open(&b, data, len, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "impairment 0: "));
	free(data);
}

static void long_delay(struct blob_impair *p)
{
	p->delay_ns = BLOB_IMPAIR_DELAY_MAX + 1;
}

static void much_loss(struct blob_impair *p)
{
	p->loss = 1000001;
}

static void no_gap(struct blob_impair *p)
{
	p->gap = 0;
}

static void wide_gap(struct blob_impair *p)
{
	p->gap = BLOB_IMPAIR_GAP_MAX + 1;
}

static void unknown_flag(struct blob_impair *p)
{
	p->flags |= 16;
}

static void many_packets(struct blob_impair *p)
{
	p->packets = BLOB_IMPAIR_PACKETS_MAX + 1;
}

static void changed(void **state)
{
	refused(long_delay);
	refused(much_loss);
	refused(no_gap);
	refused(wide_gap);
	refused(unknown_flag);
	refused(many_packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
