// SPDX-License-Identifier: BSD-3-Clause
// bench_run.c - all tests of a plan, one after the other, for every mix and frame size
#include <errno.h>

#include "apps/tool/bench_test.h"

static void record(void *arg, const struct bench_trial *t)
{
	struct bench_run *r = arg;

	bench_book_trial(&r->book, t);
}

static bool wanted(const struct bench_run *r, enum bench_kind k)
{
	return r->plan->kinds & 1u << k;
}

static const char *method(const struct bench_run *r, enum bench_kind k)
{
	if (k == BENCH_THROUGHPUT)
		return bench_methods[r->plan->method];
	// A burst's length is no load: MLRsearch does not search it.
	return k == BENCH_BACK_TO_BACK ? bench_methods[r->plan->method == BENCH_TST009 ? BENCH_TST009 : BENCH_BINARY] : NULL;
}

static json_t *begin(struct bench_run *r, enum bench_kind k, const struct bench_case *c)
{
	return bench_book_test(&r->book, bench_kinds[k], method(r, k), c->size, r->rig->ip(r->b.arg));
}

// An incomplete test is no reason to stop.
static int settle(struct bench_run *r, int rc, const struct err *err)
{
	bench_book_write(&r->book);
	if (rc != -EAGAIN)
		return rc;
	r->incomplete++;
	bench_say(&r->b, "incomplete: %s", err->text);
	return 0;
}

// PDV's figures come from the trials of latency.
static int latency_and_pdv(struct bench_run *r, struct bench_case *c, struct err *err)
{
	json_t *pdv = begin(r, BENCH_PDV, c), *latency, *pdv_test = r->book.test;
	int rc;

	json_object_set_new(pdv_test, "trials_of", json_string("latency"));
	latency = begin(r, BENCH_LATENCY, c);
	rc = bench_latency(c, latency, pdv, err);
	json_object_set_new(latency, "complete", json_boolean(!rc));
	json_object_set_new(pdv, "complete", json_boolean(!rc));
	if (rc)
		json_object_set_new(latency, "why", json_string(err->text));
	return settle(r, rc, err);
}

static int one(struct bench_run *r, struct bench_case *c, enum bench_kind k, struct err *err)
{
	if (k == BENCH_LATENCY && wanted(r, BENCH_PDV))
		return latency_and_pdv(r, c, err);
	return settle(r, bench_test(c, k, begin(r, k, c), err), err);
}

// The maximum load is found out within the first test.
static int first(struct bench_run *r, struct bench_case *c, enum bench_kind k, struct err *err)
{
	json_t *result = begin(r, k, c);
	int rc = bench_case_max(c, err);

	if (!rc)
		return settle(r, bench_test(c, k, result, err), err);
	json_object_set_new(result, "complete", json_false());
	json_object_set_new(result, "why", json_string(err->text));
	return settle(r, rc, err);
}

static int one_size(struct bench_run *r, uint16_t size, struct err *err)
{
	struct bench_case c = {.b = &r->b,
			       .rig = r->rig,
			       .plan = r->plan,
			       .size = size,
			       .line_pps = r->rig->line_pps(r->b.arg, size)};
	// All others build on the throughput.
	bool alone = r->plan->kinds == 1u << BENCH_FRAME_LOSS;
	int rc = first(r, &c, alone ? BENCH_FRAME_LOSS : BENCH_THROUGHPUT, err);

	if (rc || alone || !c.max_pps)
		return rc;
	for (int k = BENCH_THROUGHPUT + 1; !rc && k < BENCH_KINDS; k++) {
		if (!wanted(r, k) || (k == BENCH_PDV && wanted(r, BENCH_LATENCY)))
			continue;
		if (k == BENCH_RESET && size != r->plan->size[0]) // 26.6: the minimum frame size
			continue;
		rc = one(r, &c, k, err);
	}
	return rc;
}

int bench_run(struct bench_run *r, struct err *err)
{
	const struct bench_plan *p = r->plan;
	unsigned mixes = p->mixes ? p->mixes : 1;
	int rc = 0;

	r->b.limits = p->limits;
	r->b.tries = p->tries;
	r->b.record = record;
	r->b.record_arg = r;
	json_object_set_new(r->book.root, "tests", json_array());
	for (unsigned m = 0; !rc && m < mixes; m++) {
		if (p->mixes)
			rc = r->rig->mix(r->b.arg, p->mix[m], err);
		for (unsigned i = 0; !rc && i < p->sizes; i++)
			rc = one_size(r, p->size[i], err);
	}
	return rc;
}
