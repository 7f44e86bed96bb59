// SPDX-License-Identifier: BSD-3-Clause
// test_fpm_table.c - what Weir is told of what FRR 8.4.4 really sent: sets of paths, withdrawals,
// sessions
//
// Weir is a list of lines here. The expected ones are the configuration of
// tests/captures/record_fpm.py.
#include "fpm_test.h"

#include "apps/tool/fpm_table.h"

#define LINES 64u

struct weir {
	char line[LINES][256]; // "PREFIX ..." of each route it has
	unsigned n, told;      // how many changes it was told
};

static void tell(struct weir *w, const struct fpm_entry *e)
{
	char prefix[64];
	unsigned i = 0;

	fpm_text_prefix(prefix, sizeof(prefix), e->key.family, e->key.prefix, e->key.plen);
	strcat(prefix, " ");
	while (i < w->n && strncmp(w->line[i], prefix, strlen(prefix)))
		i++;
	w->told++;
	if (!e->want) {
		assert_true(i < w->n);
		memmove(w->line[i], w->line[w->n - 1], sizeof(w->line[i]));
		w->n--;
		return;
	}
	if (i == w->n)
		assert_true(++w->n <= LINES);
	snprintf(w->line[i], sizeof(w->line[i]), "%stable %u%s", prefix, e->key.table,
		 fpm_type(e->want->type));
	fpm_text_paths(w->line[i], sizeof(w->line[i]), e->want->path, e->want->paths);
}

static void drain(struct weir *w, struct fpm_table *t)
{
	struct fpm_entry *e;

	fpm_table_settle(t);
	while ((e = fpm_table_change(t))) {
		bool want = e->want;

		if (want ? !e->in_weir || e->sent != e->want : e->in_weir)
			tell(w, e);
		fpm_table_done(t, e, want, FPM_APPLIED);
	}
}

static bool has(const struct weir *w, const char *line)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!strcmp(w->line[i], line))
			return true;
	return false;
}

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
	(void)arg;
	fail_msg("type %u, family %u", type, family);
}

// Plays a capture into the table; Weir is told after every `every` frames.
static void play(struct weir *w, struct fpm_table *t, const char *name, unsigned every)
{
	const struct fpm_sink sink = {on_route, on_nexthop, on_other, t};
	size_t len, at = 0;
	uint8_t *data = fpm_capture(name, &len);
	struct err err;
	unsigned n = 0;
	int frame;

	while ((frame = fpm_frame(data + at, len - at, &err)) > 0) {
		assert_true(fpm_parse(data + at, (size_t)frame, &sink, &err) > 0);
		at += (size_t)frame;
		if (++n % every == 0)
			drain(w, t);
	}
	drain(w, t);
	free(data);
}

// What FRR's own table was when the recording ended.
static void expect_end(const struct weir *w, const struct fpm_table *t)
{
	static const char *const lines[] = {
		"0.0.0.0/0 table 254 via 192.0.2.11 dev 2",
		"10.98.0.0/16 table 254 unreachable",
		"10.99.0.0/16 table 254 blackhole",
		"100.64.2.0/24 table 254 via 192.0.2.11 dev 2",
		"100.64.3.0/24 table 254 via 192.0.2.11 dev 2",
		"203.0.113.0/24 table 254 via 192.0.2.11 dev 2",
		"::/0 table 254 via 2001:db8:2::12 dev 3",
		"2001:db8:9::/48 table 254 via 2001:db8:1::11 dev 2",
		"2001:db8:a::/48 table 254 via fe80::11 dev 3",
		"2001:db8:b::/48 table 254 via 2001:db8:1::11 dev 2 via 2001:db8:2::12 dev 3",
		"2001:db8:101::/48 table 254 via 2001:db8:1::11 dev 2",
	};
	const unsigned n = sizeof(lines) / sizeof(*lines);

	for (unsigned i = 0; i < n; i++)
		if (!has(w, lines[i]))
			fail_msg("missing: %s", lines[i]);
	assert_int_equal(w->n, n);
	assert_int_equal(t->count[FPM_APPLIED], n);
	assert_int_equal(t->count[FPM_KERNEL],
			 5); // two networks of IPv4, two and fe80::/64 of IPv6
	assert_int_equal(t->count[FPM_ON_LINK], 1);
	assert_int_equal(t->entries.count, n + 6);
}

static void test_captures(void **state)
{
	static const char *const names[] = {"fpm-plain.bin", "fpm-groups.bin"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned every = 1; every < 200; every *= 3) {
			struct weir *w = calloc(1, sizeof(*w));
			struct fpm_table t;

			fpm_table_init(&t);
			fpm_table_session(&t);
			play(w, &t, names[i], every);
			expect_end(w, &t);
			assert_int_equal(fpm_table_sweep(&t), 0);
			fpm_table_free(&t);
			free(w);
		}
	}
}

// FRR comes back and says the same in other words: Weir is told nothing, and nothing is swept.
static void test_same_again(void **state)
{
	struct weir *w = calloc(1, sizeof(*w));
	struct fpm_table t;
	unsigned told;

	(void)state;
	fpm_table_init(&t);
	fpm_table_session(&t);
	play(w, &t, "fpm-groups.bin", 1000);
	told = w->told;
	fpm_table_session(&t);
	assert_int_equal(fpm_table_stale(&t), t.entries.count);
	drain(w, &t);
	expect_end(w, &t);
	play(w, &t, "fpm-plain.bin", 1000);
	assert_int_equal(w->told, told);
	assert_int_equal(fpm_table_stale(&t), 0);
	assert_int_equal(fpm_table_sweep(&t), 0);
	drain(w, &t);
	expect_end(w, &t);
	fpm_table_free(&t);
	free(w);
}

static void say(struct fpm_table *t, bool add, uint8_t third, uint32_t nh_id, uint8_t gateway)
{
	struct fpm_route r = {.add = add,
			      .family = 4,
			      .plen = 24,
			      .type = RTN_UNICAST,
			      .protocol = RTPROT_BGP,
			      .table = RT_TABLE_MAIN,
			      .nh_id = nh_id,
			      .prefix = {10, 0, third}};

	if (gateway) {
		r.paths = 1;
		r.path[0] = (struct fpm_path){
			.family = 4, .weight = 1, .oif = 2, .via = {192, 0, 2, gateway}};
	}
	fpm_table_route(t, &r);
}

static void say_hop(struct fpm_table *t, bool add, uint32_t id, uint8_t gateway)
{
	struct fpm_nexthop nh = {.add = add, .id = id};

	nh.path =
		(struct fpm_path){.family = 4, .weight = 1, .oif = 2, .via = {192, 0, 2, gateway}};
	fpm_table_nexthop(t, &nh);
}

static void say_group(struct fpm_table *t, uint32_t id, uint32_t a, uint32_t b)
{
	struct fpm_nexthop nh = {
		.add = true, .id = id, .group = true, .members = 2, .member = {{a, 1}, {b, 3}}};

	fpm_table_nexthop(t, &nh);
}

// Mark and sweep: stale routes stay until the sweep, announced ones beyond it, and Weir is told no
// more than it must be.
static void test_sweep(void **state)
{
	struct weir w = {0};
	struct fpm_table t;

	(void)state;
	fpm_table_init(&t);
	fpm_table_session(&t);
	for (uint8_t i = 0; i < 10; i++)
		say(&t, true, i, 0, 9);
	drain(&w, &t);
	assert_int_equal(w.told, 10);
	fpm_table_session(&t);
	say(&t, true, 3, 0, 9);
	say(&t, true, 4, 0, 8);
	say(&t, true, 77, 0, 9);
	drain(&w, &t);
	assert_int_equal(w.n, 11);
	assert_int_equal(w.told, 12);
	assert_int_equal(fpm_table_sweep(&t), 8);
	assert_int_equal(fpm_table_sweep(&t), 0);
	drain(&w, &t);
	assert_int_equal(w.n, 3);
	assert_true(has(&w, "10.0.3.0/24 table 254 via 192.0.2.9 dev 2"));
	assert_true(has(&w, "10.0.4.0/24 table 254 via 192.0.2.8 dev 2"));
	assert_true(has(&w, "10.0.77.0/24 table 254 via 192.0.2.9 dev 2"));
	assert_int_equal(t.entries.count, 3);
	fpm_table_free(&t);
}

// A number that means something else from now on takes its routes along; a group follows its
// members.
static void test_nexthop_changes(void **state)
{
	struct weir w = {0};
	struct fpm_table t;

	(void)state;
	fpm_table_init(&t);
	fpm_table_session(&t);
	say(&t, true, 1, 50, 0);
	say(&t, true, 2, 60, 0);
	drain(&w, &t);
	assert_int_equal(w.n, 0);
	assert_int_equal(t.count[FPM_NEXTHOP], 2);
	say_group(&t, 60, 50, 51);
	say_hop(&t, true, 50, 1);
	drain(&w, &t);
	assert_true(has(&w, "10.0.1.0/24 table 254 via 192.0.2.1 dev 2"));
	assert_true(has(&w, "10.0.2.0/24 table 254 via 192.0.2.1 dev 2"));
	say_hop(&t, true, 51, 2);
	drain(&w, &t);
	assert_true(
		has(&w, "10.0.2.0/24 table 254 via 192.0.2.1 dev 2 via 192.0.2.2 dev 2 weight 3"));
	say_hop(&t, true, 50, 7);
	drain(&w, &t);
	assert_true(has(&w, "10.0.1.0/24 table 254 via 192.0.2.7 dev 2"));
	assert_true(
		has(&w, "10.0.2.0/24 table 254 via 192.0.2.7 dev 2 via 192.0.2.2 dev 2 weight 3"));
	say_hop(&t, false, 50, 0);
	drain(&w, &t);
	assert_int_equal(w.n, 1);
	assert_true(has(&w, "10.0.2.0/24 table 254 via 192.0.2.2 dev 2 weight 3"));
	// FRR starts anew and counts anew: 51 is another, and the old route keeps what it had.
	fpm_table_session(&t);
	say_hop(&t, true, 51, 9);
	drain(&w, &t);
	assert_true(has(&w, "10.0.2.0/24 table 254 via 192.0.2.2 dev 2 weight 3"));
	fpm_table_free(&t);
}

// Announced and withdrawn between two looks: Weir hears nothing, or only the last word.
static void test_in_between(void **state)
{
	struct weir w = {0};
	struct fpm_table t;

	(void)state;
	fpm_table_init(&t);
	fpm_table_session(&t);
	say(&t, true, 1, 0, 9);
	say(&t, false, 1, 0, 0);
	say(&t, false, 5, 0, 0);
	drain(&w, &t);
	assert_int_equal(w.told, 0);
	assert_int_equal(t.entries.count, 0);
	say(&t, true, 1, 0, 9);
	drain(&w, &t);
	say(&t, false, 1, 0, 0);
	say(&t, true, 1, 0, 9);
	drain(&w, &t);
	assert_int_equal(w.told, 1);
	fpm_table_free(&t);
}

static bool never(void *arg, struct fpm_hops *want)
{
	(void)arg;
	(void)want;
	return false;
}

static bool always(void *arg, struct fpm_hops *want)
{
	(void)arg;
	(void)want;
	return true;
}

// Weir has been started anew and shows what it has: what it lacks it is told, what nobody announced
// goes with the sweep.
static void test_weir_anew(void **state)
{
	struct fpm_key key = {
		.table = RT_TABLE_MAIN, .family = 4, .plen = 24, .prefix = {10, 0, 1}};
	struct weir w = {0};
	struct fpm_table t;

	(void)state;
	fpm_table_init(&t);
	fpm_table_session(&t);
	for (uint8_t i = 0; i < 3; i++)
		say(&t, true, i, 0, 9);
	drain(&w, &t);
	assert_int_equal(w.told, 3);
	fpm_table_weir_new(&t);
	fpm_table_found(&t, &key, always, NULL);
	key.prefix[2] = 2;
	fpm_table_found(&t, &key, never, NULL);
	key.prefix[2] = 200; // of an earlier weir fpm
	fpm_table_found(&t, &key, never, NULL);
	fpm_table_queue_all(&t);
	w.n = 2;
	strcpy(w.line[0], "10.0.1.0/24 table 254 via 192.0.2.9 dev 2");
	strcpy(w.line[1], "10.0.200.0/24 found");
	drain(&w, &t);
	assert_int_equal(w.told, 5); // 0 and 2
	assert_int_equal(w.n, 4);
	assert_int_equal(t.count[FPM_STALE], 1);
	assert_int_equal(fpm_table_sweep(&t), 1);
	drain(&w, &t);
	assert_int_equal(w.n, 3);
	assert_false(has(&w, "10.0.200.0/24 found"));
	fpm_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captures),   cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_sweep),	   cmocka_unit_test(test_nexthop_changes),
		cmocka_unit_test(test_in_between), cmocka_unit_test(test_weir_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
