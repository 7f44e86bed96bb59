// SPDX-License-Identifier: BSD-3-Clause
// test_bench_test.c - the benchmarks on simulated devices: results, the file, comparison
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_device.h"

#include "apps/tool/bench_test.h"

#define LINE 1e6 // frames a second, whatever their size

static unsigned percent6;

static double line_pps(void *arg, uint16_t size)
{
	return LINE;
}

static const char *ip(void *arg)
{
	return percent6 == 100 ? "6" : percent6 ? "mix" : "4";
}

static int mix(void *arg, unsigned percent, struct err *err)
{
	percent6 = percent;
	return 0;
}

static const struct bench_rig rig = {.line_pps = line_pps, .ip = ip, .mix = mix};

struct world {
	struct device d;
	struct bench_plan plan;
	struct bench_run r;
};

static void world(struct world *w, const char *profile)
{
	*w = (struct world){.d = {.capacity = 500000, .line = LINE, .latency_ns = 7000, .seed = 9}};
	percent6 = 0;
	assert_true(bench_profile(&w->plan, profile));
	w->plan.size[0] = 64;
	w->plan.sizes = 1;
	w->plan.kinds &= ~(1u << BENCH_RECOVERY); // by no device here
	w->r = (struct bench_run){.b = {.trial = device_trial, .arg = &w->d}, .rig = &rig, .plan = &w->plan};
	w->r.book.root = json_pack("{s:s,s:i}", "format", "weir-bench", "version", 1);
}

static json_t *test_of(const struct world *w, const char *name)
{
	json_t *tests = json_object_get(w->r.book.root, "tests"), *t;
	size_t i;

	json_array_foreach(tests, i, t)
		if (!strcmp(json_string_value(json_object_get(t, "test")), name))
			return t;
	return NULL;
}

static json_t *result_of(const struct world *w, const char *name)
{
	return json_object_get(test_of(w, name), "result");
}

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	assert_true(json_is_number(v));
	return json_number_value(v);
}

static const char *string(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void quick_profile(void **state)
{
	struct world w;
	json_t *o;

	world(&w, "quick");
	w.d.buffer = 1000;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	assert_int_equal(w.r.incomplete, 0);
	// In a second the buffer takes 1,000 frames more than the device forwards.
	o = result_of(&w, "throughput");
	assert_true(number(o, "pps") <= 501000 && number(o, "pps") > 501000 - 0.02 * LINE);
	assert_true(number(o, "lower_pps") <= 501000 && number(o, "upper_pps") > 501000);
	assert_true(number(o, "l1_bps") == number(o, "pps") * 84 * 8);
	assert_true(number(o, "l2_bps") == number(o, "pps") * 64 * 8);
	assert_true(fabs(number(o, "line_share") - number(o, "pps") / LINE) < 1e-6);
	assert_string_equal(string(o, "limited_by"), "device");
	assert_int_equal(json_array_size(json_object_get(o, "repetitions")), 3);
	assert_string_equal(string(test_of(&w, "throughput"), "method"), "tst009");
	o = json_object_get(result_of(&w, "latency"), "latency_ns");
	assert_true(number(o, "p50") == 7000 && number(o, "min") == 7000);
	assert_int_equal(json_array_size(json_object_get(test_of(&w, "latency"), "trials")), 3);
	assert_string_equal(string(test_of(&w, "pdv"), "trials_of"), "latency");
	json_decref(w.r.book.root);
}

// n frames at the line's rate leave n (1 - C/L) in the buffer, so that RFC 9004's correction gives the buffer.
static void back_to_back(void **state)
{
	struct world w;
	json_t *o;

	world(&w, "quick");
	w.d.capacity = 750000;
	w.d.buffer = 3000;
	w.plan.kinds = 1u << BENCH_BACK_TO_BACK;
	w.plan.duration_s = 60; // or the buffer makes the throughput look higher
	w.plan.resolution = 0.001;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	o = result_of(&w, "back_to_back");
	assert_true(fabs(number(o, "frames") - 12000) <= 16);
	assert_true(fabs(number(o, "implied_buffer_s") - 0.012) < 20e-6);
	assert_true(fabs(number(o, "corrected_buffer_s") - 3000 / LINE) < 20e-6);
	assert_true(fabs(number(o, "corrected_frames") - 3000) < 20);
	assert_false(json_is_true(json_object_get(o, "at_limit")));
	assert_int_equal(json_array_size(json_object_get(o, "repetitions")), 5);
	json_decref(w.r.book.root);
	// The search's end: the value is a limit, and says so.
	world(&w, "quick");
	w.d.buffer = 1e6;
	w.plan.kinds = 1u << BENCH_BACK_TO_BACK;
	w.plan.duration_s = 60;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	o = result_of(&w, "back_to_back");
	assert_true(json_is_true(json_object_get(o, "at_limit")));
	assert_true(number(o, "max") == 0.5 * LINE);
	json_decref(w.r.book.root);
}

static void no_burst_is_too_long(void **state)
{
	struct world w;
	json_t *o;

	world(&w, "quick");
	w.d.capacity = 2 * LINE;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	o = result_of(&w, "throughput");
	assert_true(number(o, "pps") == LINE && number(o, "line_share") == 1);
	assert_true(json_is_null(json_object_get(o, "upper_pps")));
	assert_string_equal(string(o, "limited_by"), "line");
	assert_true(json_is_null(json_object_get(result_of(&w, "back_to_back"), "frames")));
	json_decref(w.r.book.root);
	// A generator slower than the line: what it reaches is the limit, and said to be.
	world(&w, "quick");
	w.d.capacity = 2 * LINE;
	w.d.generator = 400000;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	o = result_of(&w, "throughput");
	assert_true(number(o, "pps") == 360000);
	assert_string_equal(string(o, "limited_by"), "generator");
	json_decref(w.r.book.root);
	// --max is neither of them.
	world(&w, "quick");
	w.d.capacity = 2 * LINE;
	w.plan.max_pps = 50000;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	o = result_of(&w, "throughput");
	assert_true(number(o, "pps") == 50000);
	assert_string_equal(string(o, "limited_by"), "max");
	json_decref(w.r.book.root);
}

static void loss_curve(void **state)
{
	struct world w;
	json_t *points;

	world(&w, "rfc2544");
	w.d.capacity = 550000;
	w.plan.kinds = 1u << BENCH_FRAME_LOSS;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	points = json_object_get(result_of(&w, "frame_loss"), "points");
	// 100% to 60% lose; 50% and 40% do not, and end it.
	assert_int_equal(json_array_size(points), 7);
	for (size_t i = 0; i < 7; i++) {
		const json_t *p = json_array_get(points, i);
		double share = 1 - 0.1 * (double)i;

		assert_true(fabs(number(p, "line_share") - share) < 1e-6);
		assert_true(fabs(number(p, "loss_ratio") - fmax(0, 1 - 0.55 / share)) < 1e-6);
	}
	json_decref(w.r.book.root);
}

static void mlr_goals(void **state)
{
	struct world w;
	json_t *o, *goals;

	world(&w, "mlrsearch");
	w.d.noise = 0.1;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	o = result_of(&w, "throughput");
	goals = json_object_get(o, "goals");
	assert_int_equal(json_array_size(goals), 2);
	assert_true(number(o, "pps") <= 500000 && number(o, "pps") > 490000);
	assert_true(number(json_array_get(goals, 1), "loss_ratio") == 0.005);
	assert_true(number(json_array_get(goals, 1), "lower_pps") > 495000);
	json_decref(w.r.book.root);
}

// A host that disturbs every trial: no figure is made of that, and it says why.
static void incomplete(void **state)
{
	struct world w;
	json_t *o, *t;

	world(&w, "quick");
	w.d.gap = 1;
	assert_int_equal(bench_run(&w.r, &(struct err){0}), 0);
	assert_true(w.r.incomplete > 0);
	o = result_of(&w, "throughput");
	assert_true(json_is_false(json_object_get(o, "complete")));
	assert_non_null(strstr(string(o, "why"), "the host took"));
	assert_true(json_is_null(json_object_get(o, "pps")));
	t = json_array_get(json_object_get(test_of(&w, "throughput"), "trials"), 1);
	assert_true(json_is_false(json_object_get(t, "valid")));
	assert_non_null(string(t, "why_invalid"));
	json_decref(w.r.book.root);
	// Half of them: all is complete, invalid trials are kept beside the others.
	world(&w, "quick");
	w.d.gap = 0.5;
	w.plan.tries = 60;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	assert_int_equal(w.r.incomplete, 0);
	o = result_of(&w, "throughput");
	assert_true(number(o, "pps") <= 500000 && number(o, "pps") > 480000);
	assert_true(w.r.b.invalid > 0);
	json_decref(w.r.book.root);
}

static unsigned in_file(const char *path)
{
	json_t *o = json_load_file(path, 0, NULL), *tests = json_object_get(o, "tests"), *t;
	size_t i, n = 0;

	assert_non_null(o);
	json_array_foreach(tests, i, t)
		n += json_array_size(json_object_get(t, "trials"));
	json_decref(o);
	return (unsigned)n;
}

// The rig dies at its 10th trial: nine are in the file.
static void file_after_every_trial(void **state)
{
	char path[] = "/tmp/test_bench_XXXXXX";
	struct world w;
	struct err err;

	close(mkstemp(path));
	world(&w, "quick");
	w.r.book.path = path;
	w.d.fail_at = 10;
	assert_int_equal(bench_run(&w.r, &err), -5);
	assert_int_equal(in_file(path), 9);
	json_decref(w.r.book.root);
	unlink(path);
	world(&w, "quick");
	w.r.book.path = "/nonexistent/folder/x.json";
	assert_int_equal(bench_run(&w.r, NULL), 0);
	assert_true(w.r.book.failed);
	json_decref(w.r.book.root);
}

static void mixes(void **state)
{
	struct world w;
	json_t *tests;

	world(&w, "quick");
	w.plan.kinds = 1u << BENCH_THROUGHPUT;
	w.plan.mix[0] = 0;
	w.plan.mix[1] = 50;
	w.plan.mixes = 2;
	assert_int_equal(bench_run(&w.r, NULL), 0);
	tests = json_object_get(w.r.book.root, "tests");
	assert_int_equal(json_array_size(tests), 2);
	assert_string_equal(string(json_array_get(tests, 0), "ip"), "4");
	assert_string_equal(string(json_array_get(tests, 1), "ip"), "mix");
	json_decref(w.r.book.root);
}

static void profiles(void **state)
{
	static const char *const names[] = {"quick", "rfc2544", "rfc8219", "tst009", "mlrsearch"};
	struct bench_plan p;

	assert_false(bench_profile(&p, "slow"));
	for (unsigned i = 0; i < 5; i++) {
		assert_true(bench_profile(&p, names[i]));
		assert_string_equal(p.profile, names[i]);
		assert_true(strstr(bench_profiles, names[i]));
		assert_true(p.sizes && p.tries && p.kinds && bench_plan_seconds(&p) > 0);
	}
	bench_profile(&p, "rfc2544"); // section 24: trials of 60 s; 26.2: 120 s, 20 times; 26.4: 50 times
	assert_true(p.duration_s == 60 && p.latency_s == 120 && p.repeat[BENCH_LATENCY] == 20);
	assert_true(p.repeat[BENCH_BACK_TO_BACK] == 50 && p.settle_s == 2 && p.pause_s == 5);
}

// Overload until t = 0, then half of it: loss goes on for 30 ms; 5 frames are always under way.
static void recovery_by_samples(void **state)
{
	struct bench_sample s[101];
	uint64_t lost = 0;

	for (unsigned i = 0; i <= 100; i++) {
		lost += i && i <= 30 ? 10 : 0;
		s[i] = (struct bench_sample){i / 1000.0, i * 100, i * 100 - lost - (i ? 5 : 0)};
	}
	s[100].received += 5; // at the end all has come
	assert_true(fabs(bench_recovery_s(s, 101, 5) - 0.029) < 1e-9); // within 5 of 300 from sample 29 on
	for (unsigned i = 0; i <= 100; i++)
		s[i].received = s[i].sent;
	assert_true(bench_recovery_s(s, 101, 5) == 0);
	assert_true(bench_recovery_s(s, 0, 5) == 0);
}

static void gap_by_samples(void **state)
{
	struct bench_sample s[200];
	uint64_t received = 0;

	for (unsigned i = 0; i < 200; i++) {
		received += i < 50 || i > 120 ? 100 : 0;
		s[i] = (struct bench_sample){i / 1000.0, i * 100, received};
	}
	// The last came before sample 49, the first again before sample 121.
	assert_true(fabs(bench_gap_s(s, 200) - 0.072) < 1e-9);
	assert_true(bench_gap_s(s, 50) == 0);  // no gap
	assert_true(bench_gap_s(s, 100) == 0); // it did not end
	assert_true(bench_gap_s(s, 0) == 0);
}

static json_t *results(const char *test, const char *repetitions, const char *more)
{
	char text[1024];
	json_t *o;

	snprintf(text, sizeof(text),
		 "{\"format\":\"weir-bench\",\"version\":1,\"tests\":[{\"test\":\"%s\",\"frame_size\":64,\"ip\":\"4\","
		 "\"result\":{\"repetitions\":%s%s}}]}",
		 test, repetitions, more);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	return o;
}

static enum bench_verdict verdict(json_t *a, json_t *b, size_t at, size_t figures)
{
	struct bench_change *c;
	enum bench_verdict v;
	size_t n;

	c = bench_compare(a, b, &n, NULL);
	assert_non_null(c);
	assert_int_equal(n, figures);
	v = c[at].verdict;
	free(c);
	json_decref(a);
	json_decref(b);
	return v;
}

static void compares(void **state)
{
	const char *w = ",\"width_pps\":2";
	json_t *a, *b;
	struct err err;
	size_t n;

	// Five repetitions of deviation 1.58: the mean's 95% interval is +-1.96, of two means' difference +-2.78.
	assert_int_equal(verdict(results("throughput", "[98,99,100,101,102]", ""),
				 results("throughput", "[100,101,102,103,104]", ""), 0, 1), BENCH_WITHIN_NOISE);
	assert_int_equal(verdict(results("throughput", "[98,99,100,101,102]", ""),
				 results("throughput", "[101,102,103,104,105]", ""), 0, 1), BENCH_BETTER);
	assert_int_equal(verdict(results("throughput", "[98,99,100,101,102]", ""),
				 results("throughput", "[95,96,97,98,99]", ""), 0, 1), BENCH_WORSE);
	// What a search cannot tell apart is the same.
	assert_int_equal(verdict(results("throughput", "[100,100]", w), results("throughput", "[101,101]", w), 0, 1),
			 BENCH_SAME);
	// One repetition each: 5% of either are assumed to be noise.
	assert_int_equal(verdict(results("recovery", "[1.0]", ""), results("recovery", "[1.06]", ""), 0, 1),
			 BENCH_WITHIN_NOISE);
	assert_int_equal(verdict(results("recovery", "[1.0]", ""), results("recovery", "[1.2]", ""), 0, 1), BENCH_WORSE);
	assert_int_equal(verdict(results("recovery", "[1.2]", ""), results("recovery", "[1.0]", ""), 0, 1), BENCH_BETTER);
	assert_int_equal(verdict(results("latency", "[{\"latency_ns\":{\"p50\":10,\"p99_9\":30}}]", ""),
				 results("latency", "[{\"latency_ns\":{\"p50\":10,\"p99_9\":90}}]", ""), 1, 2), BENCH_WORSE);
	assert_int_equal(verdict(results("throughput", "[100]", ""), results("latency", "[]", ""), 0, 1), BENCH_MISSING);
	assert_int_equal(verdict(results("throughput", "[100]", ""), results("throughput", "[]", ""), 0, 1), BENCH_MISSING);
	// Loss at the loads both have tried.
	assert_int_equal(verdict(results("frame_loss", "[]", ",\"points\":[{\"line_share\":1,\"loss_ratio\":0.5},{\"line_share\":0.5,\"loss_ratio\":0}]"),
				 results("frame_loss", "[]", ",\"points\":[{\"line_share\":1,\"loss_ratio\":0.7}]"), 0, 1),
			 BENCH_WORSE);
	// A thousandth of the frames, and the samples' resolution, are no difference.
	assert_int_equal(verdict(results("frame_loss", "[]", ",\"points\":[{\"line_share\":1,\"loss_ratio\":0.001}]"),
				 results("frame_loss", "[]", ",\"points\":[{\"line_share\":1,\"loss_ratio\":0.0019}]"), 0, 1),
			 BENCH_SAME);
	assert_int_equal(verdict(results("recovery", "[0.001]", ""), results("recovery", "[0.0029]", ""), 0, 1), BENCH_SAME);
	a = json_pack("{s:s}", "format", "other");
	b = results("throughput", "[1]", "");
	assert_null(bench_compare(a, b, &n, &err));
	assert_non_null(strstr(err.text, "BEFORE"));
	assert_null(bench_compare(b, a, &n, &err));
	json_decref(a);
	json_decref(b);
}

// What it is about is said in our words: a file may have others, and a terminal obeys some.
static void compares_of_what(void **state)
{
	static const char *const ip[][2] = {{"4", "IPv4"}, {"6", "IPv6"}, {"mix", "IP mix"}, {"\033[2J", "IP?"}};
	char want[48];
	size_t n;

	for (unsigned i = 0; i < 4; i++) {
		json_t *a = results("throughput", "[1]", "");
		struct bench_change *c;

		json_object_set_new(json_array_get(json_object_get(a, "tests"), 0), "ip", json_string(ip[i][0]));
		c = bench_compare(a, a, &n, NULL);
		assert_int_equal(n, 1);
		snprintf(want, sizeof(want), "64 bytes, %s", ip[i][1]);
		assert_string_equal(c->what, want);
		free(c);
		json_decref(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quick_profile),
		cmocka_unit_test(back_to_back),
		cmocka_unit_test(no_burst_is_too_long),
		cmocka_unit_test(loss_curve),
		cmocka_unit_test(mlr_goals),
		cmocka_unit_test(incomplete),
		cmocka_unit_test(file_after_every_trial),
		cmocka_unit_test(mixes),
		cmocka_unit_test(profiles),
		cmocka_unit_test(recovery_by_samples),
		cmocka_unit_test(gap_by_samples),
		cmocka_unit_test(compares),
		cmocka_unit_test(compares_of_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
