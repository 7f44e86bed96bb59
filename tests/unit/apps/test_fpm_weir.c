// SPDX-License-Identifier: BSD-3-Clause
// test_fpm_weir.c - what goes over the control channel of what FRR really sent: interfaces found by
// their networks, routes that Weir has already, those of others left alone
//
// The control channel's client is played here: Weir has p1 (0) and p2 (1) as in
// tests/captures/record_fpm.py, and in VRF red (1) an interface q (2) with a network that p1 has
// too.
#include <errno.h>

#include "fpm_test.h"

#include "apps/tool/fpm_weir.h"

struct shown {
	struct ctl_route r;
	struct ctl_path p;
};

static struct shown shown[32];
static unsigned n_shown;
static char told[64][256];
static unsigned n_told;
static struct ctl_feed_totals totals;

int ctl_connect(struct ctl_client **c, const char *endpoint, struct err *err)
{
	(void)err;
	*c = (struct ctl_client *)(uintptr_t)endpoint;
	return 0;
}

void ctl_close(struct ctl_client *c)
{
	(void)c;
}

int ctl_index(struct ctl_client *c, enum ctl_kind kind, const char *name, struct err *err)
{
	static const char *const ifaces[] = {"p1", "p2", "q"}, *const vrfs[] = {"default", "red"};

	(void)c;
	for (int i = 0; i < (kind == CTL_KIND_IFACE ? 3 : 2); i++)
		if (!strcmp(name, kind == CTL_KIND_IFACE ? ifaces[i] : vrfs[i]))
			return i;
	return err_set(err, -ENOENT, "%s: no such name", name);
}

// Two routes an answer.
int ctl_call(struct ctl_client *c, uint16_t type, const void *payload, uint32_t len,
	     struct ctl_answer *a, struct err *err)
{
	static _Alignas(16) uint8_t answer[sizeof(struct ctl_shown) + 2 * sizeof(struct shown)];
	const struct ctl_show *ask = payload;
	struct ctl_shown head = {0};
	uint8_t *p = answer + sizeof(head);
	unsigned at = ask->cursor[0];

	(void)c;
	(void)err;
	assert_int_equal(type, CTL_ROUTES_SHOW);
	assert_int_equal(len, sizeof(*ask));
	for (; head.count < 2 && at < n_shown; at++, head.count++) {
		size_t size =
			sizeof(struct ctl_route) + shown[at].r.paths * sizeof(struct ctl_path);

		memcpy(p, &shown[at], size);
		p += size;
	}
	head.cursor[0] = (uint8_t)(at < n_shown ? at : 0);
	memcpy(answer, &head, sizeof(head));
	*a = (struct ctl_answer){.len = (uint32_t)(p - answer), .payload = answer};
	return 0;
}

int ctl_feed_begin(struct ctl_client *c, bool each,
		   void (*refused)(void *arg, int error, uint64_t operation), void *arg)
{
	(void)c;
	(void)refused;
	(void)arg;
	assert_true(each);
	return 0;
}

int ctl_feed_route(struct ctl_client *c, const struct ctl_route *r, const struct ctl_path *paths,
		   struct err *err)
{
	char *s = told[n_told++];

	(void)c;
	(void)err;
	assert_int_equal(r->owner, CTL_OWNER_FPM);
	strcpy(s, r->op == CTL_REPLACE ? "+ " : r->op == CTL_FORGET ? "- " : "? ");
	fpm_text_prefix(s + 2, 200, r->family, r->prefix, r->plen);
	sprintf(s + strlen(s), "%s%s", r->vrf ? " red" : "",
		(const char *[]){"", " blackhole", " unreachable", " prohibit"}[r->kind]);
	for (unsigned i = 0; i < r->paths; i++) {
		char addr[INET6_ADDRSTRLEN];

		inet_ntop(paths[i].family == 4 ? AF_INET : AF_INET6, paths[i].via, addr,
			  sizeof(addr));
		sprintf(s + strlen(s), " via %s iface %u weight %u", addr, paths[i].iface,
			paths[i].weight);
	}
	totals.operations++;
	return 0;
}

int ctl_feed_flush(struct ctl_client *c, bool wait, struct err *err)
{
	(void)c;
	(void)wait;
	(void)err;
	return 0;
}

const struct ctl_feed_totals *ctl_feed_totals(const struct ctl_client *c)
{
	(void)c;
	return &totals;
}

static void show(uint8_t origin, uint8_t owner, const char *prefix, uint8_t plen, uint16_t vrf,
		 const char *via, uint16_t iface)
{
	struct shown *s = &shown[n_shown++];
	bool v6 = strchr(prefix, ':');

	*s = (struct shown){.r = {.op = origin,
				  .family = v6 ? 6 : 4,
				  .plen = plen,
				  .vrf = vrf,
				  .paths = 1,
				  .owner = owner},
			    .p = {.iface = iface, .weight = 1, .family = v6 ? 6 : 4}};
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, prefix, s->r.prefix), 1);
	if (via)
		assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, via, s->p.via), 1);
}

static void show_networks(void)
{
	n_shown = n_told = 0;
	show(CTL_ORIGIN_CONNECTED, 0, "192.0.2.0", 24, 0, NULL, 0);
	show(CTL_ORIGIN_CONNECTED, 0, "198.51.100.0", 24, 0, NULL, 1);
	show(CTL_ORIGIN_LOCAL, 0, "192.0.2.1", 32, 0, NULL, 0);
	show(CTL_ORIGIN_CONNECTED, 0, "2001:db8:1::", 64, 0, NULL, 0);
	show(CTL_ORIGIN_CONNECTED, 0, "2001:db8:2::", 64, 0, NULL, 1);
	show(CTL_ORIGIN_CONNECTED, 0, "192.0.2.0", 24, 1, NULL, 2);
}

static bool was_told(const char *line)
{
	for (unsigned i = 0; i < n_told; i++)
		if (!strcmp(told[i], line))
			return true;
	return false;
}

#define TOLD(line)                                                                                 \
	do {                                                                                       \
		if (!was_told(line))                                                               \
			fail_msg("not told: %s", line);                                            \
	} while (0)

static void on_route(void *arg, const struct fpm_route *r)
{
	fpm_table_route(arg, r);
}

static void on_nexthop(void *arg, const struct fpm_nexthop *nh)
{
	fpm_table_nexthop(arg, nh);
}

static void play(struct fpm_table *t, const char *name)
{
	const struct fpm_sink sink = {on_route, on_nexthop, NULL, t};
	size_t len, at = 0;
	uint8_t *data = fpm_capture(name, &len);
	struct err err;
	int n;

	while ((n = fpm_frame(data + at, len - at, &err)) > 0) {
		assert_true(fpm_parse(data + at, (size_t)n, &sink, &err) > 0);
		at += (size_t)n;
	}
	free(data);
}

static void start(struct fpm_weir *w, struct fpm_table *t)
{
	*w = (struct fpm_weir){.endpoint = "played",
			       .vrf = {{100, "red"}},
			       .vrfs = 1,
			       .iface = {{3, "p2"}},
			       .ifaces = 1};
	totals = (struct ctl_feed_totals){0};
	fpm_table_init(t);
	t->table_known = fpm_weir_table_known;
	t->arg = w;
}

static void test_capture(void **state)
{
	struct fpm_table t;
	struct fpm_weir w;
	struct err err;

	(void)state;
	start(&w, &t);
	show_networks();
	fpm_table_session(&t);
	play(&t, "fpm-groups.bin");
	assert_int_equal(fpm_weir_connect(&w, &t, &err), 0);
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	assert_int_equal(n_told, 11);
	TOLD("+ 0.0.0.0/0 via 192.0.2.11 iface 0 weight 1");
	TOLD("+ 10.98.0.0/16 unreachable");
	TOLD("+ 10.99.0.0/16 blackhole");
	TOLD("+ 100.64.2.0/24 via 192.0.2.11 iface 0 weight 1");
	TOLD("+ ::/0 via 2001:db8:2::12 iface 1 weight 1");
	TOLD("+ 2001:db8:a::/48 via fe80::11 iface 1 weight 1"); // --interface 3=p2
	TOLD("+ 2001:db8:b::/48 via 2001:db8:1::11 iface 0 weight 1 via 2001:db8:2::12 iface 1 "
	     "weight 1");
	assert_int_equal(fpm_weir_totals(&w).operations, 11);
	fpm_weir_free(&w);
	fpm_table_free(&t);
}

// Weir has some of it already, of an earlier weir fpm; and routes of others.
static void test_taken_over(void **state)
{
	struct fpm_table t;
	struct fpm_weir w;
	struct err err;

	(void)state;
	start(&w, &t);
	show_networks();
	show(CTL_ORIGIN_ROUTE, CTL_OWNER_FPM, "100.64.2.0", 24, 0, "192.0.2.11", 0); // as it is
	show(CTL_ORIGIN_ROUTE, CTL_OWNER_FPM, "0.0.0.0", 0, 0, "198.51.100.12", 1);  // another way
	show(CTL_ORIGIN_ROUTE, CTL_OWNER_FPM, "10.1.0.0", 16, 0, "192.0.2.11", 0);   // withdrawn
	show(CTL_ORIGIN_ROUTE, CTL_OWNER_CONFIG, "10.2.0.0", 16, 0, "192.0.2.11", 0);
	show(CTL_ORIGIN_ROUTE, CTL_OWNER_CTL, "10.3.0.0", 16, 0, "192.0.2.11", 0);
	assert_int_equal(fpm_weir_connect(&w, &t, &err), 0);
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	assert_int_equal(n_told, 0); // FRR has said nothing yet
	fpm_table_session(&t);
	play(&t, "fpm-plain.bin");
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	TOLD("+ 0.0.0.0/0 via 192.0.2.11 iface 0 weight 1");
	assert_false(was_told("- 10.1.0.0/16"));
	assert_int_equal(fpm_table_sweep(&t), 1);
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	TOLD("- 10.1.0.0/16");
	assert_int_equal(n_told, 12);
	// Weir goes and comes back with nothing but one of them: it is told the others.
	fpm_weir_close(&w);
	show_networks();
	show(CTL_ORIGIN_ROUTE, CTL_OWNER_FPM, "100.64.2.0", 24, 0, "192.0.2.11", 0);
	assert_int_equal(fpm_weir_connect(&w, &t, &err), 0);
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	assert_int_equal(n_told, 10);
	assert_false(was_told("+ 100.64.2.0/24 via 192.0.2.11 iface 0 weight 1"));
	fpm_weir_free(&w);
	fpm_table_free(&t);
}

static void say(struct fpm_table *t, uint32_t table, uint8_t second, uint8_t gateway, uint32_t oif)
{
	struct fpm_route r = {.add = true,
			      .family = 4,
			      .plen = 16,
			      .type = RTN_UNICAST,
			      .protocol = RTPROT_BGP,
			      .table = table,
			      .prefix = {10, second}};

	r.paths = 1;
	r.path[0] = (struct fpm_path){
		.family = 4, .weight = 1, .oif = oif, .via = {192, 0, gateway, 9}};
	fpm_table_route(t, &r);
}

static void test_where(void **state)
{
	struct fpm_table t;
	struct fpm_weir w;
	struct err err;

	(void)state;
	start(&w, &t);
	show_networks();
	assert_int_equal(fpm_weir_connect(&w, &t, &err), 0);
	fpm_table_session(&t);
	say(&t, 254, 1, 2, 2);
	say(&t, 100, 1, 2, 2); // the same network in VRF red
	say(&t, 200, 1, 2, 2); // a table that no VRF stands for
	say(&t, 254, 2, 3, 2); // a gateway that Weir is not on
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	TOLD("+ 10.1.0.0/16 via 192.0.2.9 iface 0 weight 1");
	TOLD("+ 10.1.0.0/16 red via 192.0.2.9 iface 2 weight 1");
	assert_int_equal(n_told, 2);
	assert_int_equal(t.count[FPM_TABLE], 1);
	assert_int_equal(t.count[FPM_NO_IFACE], 1);
	assert_int_equal(t.count[FPM_APPLIED], 2);
	say(&t, 254, 1, 3, 2); // from a good gateway to that one: the route goes
	assert_int_equal(fpm_weir_flush(&w, &t, &err), 0);
	TOLD("- 10.1.0.0/16");
	assert_int_equal(t.count[FPM_NO_IFACE], 2);
	fpm_weir_free(&w);
	fpm_table_free(&t);
}

static void test_unknown_names(void **state)
{
	struct fpm_table t;
	struct fpm_weir w;
	struct err err;

	(void)state;
	start(&w, &t);
	w.vrf[0].name = "blue";
	show_networks();
	assert_int_equal(fpm_weir_connect(&w, &t, &err), -ENOENT);
	assert_non_null(strstr(err.text, "blue"));
	assert_null(w.c);
	fpm_weir_free(&w);
	fpm_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_unknown_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
