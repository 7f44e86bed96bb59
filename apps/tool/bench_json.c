// SPDX-License-Identifier: BSD-3-Clause
// bench_json.c - trials as JSON, and the file that has them all
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/bench_test.h"
#include "apps/tool/util.h"

void bench_set(json_t *o, const char *key, double v)
{
	json_object_set_new(o, key,
			    v == floor(v) && fabs(v) < 9e15 ? json_integer((json_int_t)v) : json_real(v));
}

static void set_count(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

json_t *bench_numbers_json(const double *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, v[i] == floor(v[i]) ? json_integer((json_int_t)v[i]) : json_real(v[i]));
	return a;
}

json_t *bench_dist_json(const struct bench_dist *d)
{
	json_t *o = json_object();

	set_count(o, "count", d->count);
	if (!d->count)
		return o;
	bench_set(o, "min", d->min);
	bench_set(o, "mean", round(d->mean * 10) / 10);
	bench_set(o, "max", d->max);
	bench_set(o, "deviation", round(d->deviation * 10) / 10);
	bench_set(o, "p50", d->p50);
	bench_set(o, "p90", d->p90);
	bench_set(o, "p99", d->p99);
	bench_set(o, "p99_9", d->p99_9);
	bench_set(o, "p99_99", d->p99_99);
	bench_set(o, "p99_999", d->p99_999);
	return o;
}

static void counts(json_t *o, const struct bench_trial *t)
{
	set_count(o, "intended", t->intended);
	set_count(o, "sent", t->sent);
	set_count(o, "received", t->received);
	set_count(o, "lost", t->lost);
	set_count(o, "refused", t->refused);
	bench_set(o, "loss_ratio", t->loss_ratio);
	set_count(o, "duplicate", t->duplicate);
	set_count(o, "reordered", t->reordered);
	set_count(o, "late", t->late);
	set_count(o, "corrupt", t->corrupt);
	set_count(o, "stragglers", t->stragglers);
	set_count(o, "foreign", t->foreign);
	bench_set(o, "forwarded_pps", t->sending_s > 0 ? round((double)t->received / t->sending_s) : 0);
}

static json_t *ways(const struct bench_trial *t)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < t->ways; i++) {
		const struct bench_way *w = &t->way[i];
		uint64_t lost = w->sent > w->received ? w->sent - w->received : 0;
		json_t *o = json_object();

		json_object_set_new(o, "port", json_string(w->port));
		set_count(o, "sent", w->sent);
		set_count(o, "received", w->received);
		set_count(o, "lost", lost);
		bench_set(o, "loss_ratio", w->sent ? (double)lost / (double)w->sent : 0);
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *noise(const struct bench_noise *n)
{
	json_t *o = json_object();

	set_count(o, "gaps", n->gaps);
	set_count(o, "lost_us", n->lost_us);
	set_count(o, "worst_us", n->worst_us);
	set_count(o, "steal_us", n->steal_us);
	set_count(o, "run_delay_us", n->run_delay_us);
	return o;
}

json_t *bench_trial_json(const struct bench_trial *t)
{
	json_t *o = json_object(), *pace = json_object(), *ccdf;

	if (t->order.top)
		json_object_set_new(o, "intended_pps", json_null());
	else
		bench_set(o, "intended_pps", t->order.pps);
	bench_set(o, "duration_s", t->order.count ? (double)t->order.count / t->order.pps : t->order.duration_s);
	bench_set(o, "sending_s", t->sending_s);
	counts(o, t);
	json_object_set_new(o, "directions", ways(t));
	if (t->valid) { // nobody shall use those of others, and they are most of a trial's length
		json_object_set_new(o, "latency_ns", bench_dist_json(&t->latency));
		json_object_set_new(o, "pdv_ns", bench_dist_json(&t->pdv));
		json_object_set_new(o, "ipdv_ns", bench_dist_json(&t->ipdv));
	}
	if (t->n_ccdf && t->valid) {
		ccdf = json_array();
		for (size_t i = 0; i < t->n_ccdf; i++)
			json_array_append_new(ccdf, json_pack("[I,f]", (json_int_t)t->ccdf[i].ns, t->ccdf[i].above));
		json_object_set_new(o, "ccdf", ccdf);
	}
	json_object_set_new(o, "noise", noise(&t->noise));
	set_count(pace, "late_ns_max", t->late_ns_max);
	set_count(pace, "blocked", t->blocked);
	set_count(pace, "nombuf", t->nombuf);
	json_object_set_new(o, "pace", pace);
	json_object_set_new(o, "valid", json_boolean(t->valid));
	json_object_set_new(o, "why_invalid", t->valid ? json_null() : json_string(t->why));
	json_object_set_new(o, "purpose", json_string(t->order.purpose ? t->order.purpose : "search"));
	return o;
}

json_t *bench_book_test(struct bench_book *k, const char *test, const char *method, uint16_t size, const char *ip)
{
	json_t *tests = json_object_get(k->root, "tests");

	k->test = json_object();
	json_object_set_new(k->test, "test", json_string(test));
	json_object_set_new(k->test, "method", method ? json_string(method) : json_null());
	json_object_set_new(k->test, "frame_size", json_integer(size));
	json_object_set_new(k->test, "ip", json_string(ip));
	json_object_set_new(k->test, "result", json_object());
	json_object_set_new(k->test, "trials", json_array());
	json_array_append_new(tests, k->test);
	return json_object_get(k->test, "result");
}

int bench_book_write(struct bench_book *k)
{
	char *text;
	int rc;

	if (!k->path)
		return 0;
	text = json_dumps(k->root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	if (!text)
		die_no_memory();
	rc = file_write(k->path, text, strlen(text), 0644, &k->err);
	free(text);
	k->failed |= rc != 0;
	return rc;
}

void bench_book_trial(struct bench_book *k, const struct bench_trial *t)
{
	json_array_append_new(json_object_get(k->test, "trials"), bench_trial_json(t));
	bench_book_write(k);
}
