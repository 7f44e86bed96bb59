// SPDX-License-Identifier: BSD-3-Clause
// test_pktgen.c - trials of function pktgen between two loop ports: begun, stopped, repeated, refused
#include "app_test.h"

#include <errno.h>

#include "apps/pktgen/pktgen.h"

#define BACK_TO_BACK                                                       \
	"version: 1\nfunction: pktgen\n%s"                                 \
	"ports: {a: {device: 'loop:t'}, b: {device: 'loop:t'}}\n"          \
	"streams:\n"                                                       \
	"  one: {port: a, layers: [eth: {dst: 02:00:00:00:00:09}, ipv4, udp], rate: 10kpps, count: 200}\n" \
	"  two: {port: b, layers: [eth: {dst: 02:00:00:00:00:09}, ipv4, udp], rate: 20kpps, count: 100, length: 512}\n"

static struct app app;

// What happens to it: called a hundred times a second while the app runs.
struct script {
	int (*tick)(struct app *app);
	unsigned trials;
};
static struct script script;

static int begin(const struct pktgen_order *order)
{
	struct err e;

	return pktgen_begin(&app, order, &e);
}

static uint64_t received(uint32_t stream, struct pktgen_stream *s)
{
	struct hdr_pool *pool = hdr_pool_create(2 * HDR_PARTS);

	memset(s, 0, sizeof(*s));
	hdr_init(&s->got.latency, pool);
	hdr_init(&s->got.ipdv, pool);
	pktgen_result(&app, stream, s);
	hdr_pool_destroy(pool); // the counts stay
	return s->got.packets;
}

static void run(const char *text)
{
	void *blob;

	test_start(&app, text, &blob);
	pktgen_autostart(&app, false);
	app.tick = script.tick;
	app_run(&app);
	test_stop(&app, blob);
}

// The first as the streams say; the second with another rate for one, and silence of the other.
static int two_trials(struct app *a)
{
	static const uint64_t rate[2] = {5000 * 1000, 0};
	struct pktgen_order order = {.drain_ns = NSEC_PER_SEC, .count = script.trials ? 40 : 0,
				     .rate = script.trials ? rate : NULL, .learn = script.trials ? 3 : 0};
	struct pktgen_stream s;

	if (pktgen_phase(a) == PKTGEN_IDLE || (pktgen_phase(a) == PKTGEN_DONE && script.trials == 1)) {
		assert_int_equal(begin(&order), 0);
		assert_int_equal(begin(&order), -EBUSY);
		script.trials++;
		return 0;
	}
	if (pktgen_phase(a) != PKTGEN_DONE)
		return 0;
	assert_int_equal(pktgen_error(a, NULL), 0);
	assert_int_equal(received(0, &s), 40);
	assert_int_equal(s.sent.packets, 40);
	assert_int_equal(s.got.latency.count, 40);
	assert_int_equal(received(1, &s), 0);
	assert_int_equal(s.sent.packets, 0);
	assert_int_equal(received(UINT32_MAX, &s), 40);
	// 40 packets of 5000 a second: the last 7.8 ms after the first.
	assert_true(pktgen_sending_ns(a) >= 7800000 && pktgen_elapsed_ns(a) >= pktgen_sending_ns(a));
	return 1;
}

static int first_trial(struct app *a)
{
	struct pktgen_stream s;
	struct hdr_pool *pool;
	uint16_t len[3];
	uint64_t n[3];

	if (!script.trials || pktgen_phase(a) != PKTGEN_DONE)
		return two_trials(a);
	assert_int_equal(received(0, &s), 200);
	assert_int_equal(s.sent.bytes, 200 * 60);
	assert_int_equal(received(1, &s), 100);
	assert_int_equal(s.got.bytes, 100 * 508);
	assert_int_equal(received(UINT32_MAX, &s), 300);
	assert_int_equal(s.got.duplicate + s.got.reordered + s.got.late + s.got.corrupt, 0);
	assert_int_equal(pktgen_sizes(a), 3); // and the others
	pool = hdr_pool_create(3 * HDR_PARTS);
	for (uint32_t i = 0; i < 3; i++) {
		struct hdr h;

		hdr_init(&h, pool);
		pktgen_size(a, i, &len[i], &h);
		n[i] = h.count;
	}
	hdr_pool_destroy(pool);
	assert_true(len[0] == 60 && len[1] == 508 && len[2] == 0);
	assert_true(n[0] == 200 && n[1] == 100 && n[2] == 0);
	script.tick = app.tick = two_trials;
	return two_trials(a);
}

static void test_trials(void **state)
{
	char text[1024];

	script = (struct script){.tick = first_trial};
	snprintf(text, sizeof(text), BACK_TO_BACK, "");
	run(text);
	assert_int_equal(script.trials, 2);
}

static void test_trials_of_two_lcores(void **state)
{
	char text[1024];

	test_needs_cpus(2);
	script = (struct script){.tick = first_trial};
	snprintf(text, sizeof(text), BACK_TO_BACK, "lcores: 2\n");
	run(text);
	assert_int_equal(script.trials, 2);
}

static int stopped(struct app *a)
{
	struct pktgen_order order = {.drain_ns = NSEC_PER_SEC / 10};
	struct pktgen_stream s;

	switch (pktgen_phase(a)) {
	case PKTGEN_IDLE:
		assert_int_equal(begin(&order), 0);
		break;
	case PKTGEN_SENDING:
		if (received(0, &s))
			pktgen_stop(a);
		break;
	case PKTGEN_DONE:
		assert_true(received(0, &s) > 0 && received(0, &s) == s.sent.packets);
		return 1;
	default:
		break;
	}
	return 0;
}

static void test_stop_early(void **state)
{
	script = (struct script){.tick = stopped};
	run("version: 1\nfunction: pktgen\n"
	    "ports: {a: {device: 'loop:t'}, b: {device: 'loop:t'}}\n"
	    "streams:\n"
	    "  endless: {port: a, layers: [eth: {dst: 02:00:00:00:00:09}, ipv4, udp], rate: 1kpps}\n");
}

static int unanswered(struct app *a)
{
	struct pktgen_order order = {.resolve_ns = NSEC_PER_SEC / 20};
	struct pktgen_hop hop;
	struct err e;

	if (pktgen_phase(a) == PKTGEN_IDLE)
		assert_int_equal(begin(&order), 0);
	if (pktgen_phase(a) != PKTGEN_DONE)
		return 0;
	assert_int_equal(pktgen_error(a, &e), -EHOSTUNREACH);
	assert_non_null(strstr(e.text, "next hop 192.0.2.9 does not answer ARP"));
	assert_int_equal(pktgen_hops(a), 2); // of three streams
	pktgen_hop(a, 1, &hop);
	assert_true(hop.family == 6 && !hop.known && hop.port == 0);
	assert_int_equal(pktgen_sending_ns(a), 0);
	return 1;
}

static void test_next_hop_that_does_not_answer(void **state)
{
	script = (struct script){.tick = unanswered};
	run("version: 1\nfunction: pktgen\n"
	    "ports: {a: {device: 'null:', addresses: [192.0.2.1/24, '2001:db8::1/64']}}\n"
	    "streams:\n"
	    "  x: {to: 192.0.2.9, rate: 1pps}\n"
	    "  y: {to: 198.51.100.1, via: 192.0.2.9, rate: 1pps}\n"
	    "  z: {to: '2001:db8::9', rate: 1pps}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trials),
		cmocka_unit_test(test_trials_of_two_lcores),
		cmocka_unit_test(test_stop_early),
		cmocka_unit_test(test_next_hop_that_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
