// SPDX-License-Identifier: BSD-3-Clause
// fuzz_fpm.c - any bytes as FRR's connection: read within their frames, and what Weir would be told
// adds up
//
// The stream is cut into pieces of memory of their own, a frame each, so that a byte read beyond is
// seen. After every frame Weir is told; in the end each route it has is one that the table says is
// there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/fpm_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_route(void *arg, const struct fpm_route *r)
{
	fpm_table_route(arg, r);
}

static void on_nexthop(void *arg, const struct fpm_nexthop *nh)
{
	fpm_table_nexthop(arg, nh);
}

static void on_other(void *arg, unsigned type, unsigned family)
{
	(void)type;
	(void)family;
	((struct fpm_table *)arg)->totals.others++;
}

static long drain(struct fpm_table *t)
{
	struct fpm_entry *e;
	long more = 0;

	fpm_table_settle(t);
	while ((e = fpm_table_change(t))) {
		bool want = e->want;

		more += want - e->in_weir;
		fpm_table_done(t, e, want, FPM_APPLIED);
	}
	return more;
}

static void check(const struct fpm_table *t, long in_weir)
{
	size_t sum = 0;

	for (unsigned why = 0; why < FPM_WHYS; why++)
		sum += t->count[why];
	if (sum != t->entries.count || (long)t->count[FPM_APPLIED] != in_weir || t->changes) {
		fprintf(stderr, "fuzz_fpm: %zu entries, %zu counted, %zu applied, %ld in Weir\n",
			t->entries.count, sum, t->count[FPM_APPLIED], in_weir);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fpm_table t;
	const struct fpm_sink sink = {on_route, on_nexthop, on_other, &t};
	unsigned frames = 0;
	struct err err;
	long in_weir = 0;
	int len;

	fpm_table_init(&t);
	fpm_table_session(&t);
	while ((len = fpm_frame(data, size, &err)) > 0) {
		uint8_t *frame = malloc((size_t)len);

		memcpy(frame, data, (size_t)len);
		fpm_parse(frame, (size_t)len, &sink, &err);
		free(frame);
		data += len;
		size -= (size_t)len;
		in_weir += drain(&t);
		check(&t, in_weir);
		if (++frames % 16 == 0) { // FRR goes and comes back
			fpm_table_session(&t);
			if (frames % 32 == 0)
				fpm_table_sweep(&t);
		}
	}
	fpm_table_session(&t);
	fpm_table_sweep(&t);
	in_weir += drain(&t);
	check(&t, in_weir);
	if (t.entries.count)
		abort();
	fpm_table_free(&t);
	if (t.hops.count)
		abort();
	return 0;
}
