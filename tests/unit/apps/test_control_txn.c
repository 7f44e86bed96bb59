// SPDX-License-Identifier: BSD-3-Clause
// test_control_txn.c - transactions: whole or not at all, one at a time, and taken back unless confirmed
#include "tests/unit/apps/control_world.h"

#include <errno.h>

static int start(void **state)
{
	world_start();
	return 0;
}

static int stop(void **state)
{
	world_stop();
	return 0;
}

static void end(struct wire *w)
{
	w->ended = true;
	world_poll(3);
	wire_free(w);
}

static uint32_t begin(struct wire *w, uint32_t confirm)
{
	struct ctl_begin b = {.confirm_s = confirm};

	return wire_send(w, CTL_BEGIN, &b, sizeof(b));
}

static void logged(const char *want)
{
	assert_string_equal(toy.log, want);
	toy.log[0] = 0;
}

static enum ctl_txn state_of(struct wire *w)
{
	const struct ctl_hello *h = wire_answer(w, wire_send(w, CTL_HELLO, NULL, 0), CTL_HELLO);

	return h->txn;
}

static void test_commit(void **state)
{
	struct wire *w = wire_open(false);
	const struct ctl_cost *cost;

	toy.slices = 3;
	wire_answer(w, begin(w, 0), CTL_BEGIN);
	cost = wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	assert_int_equal(cost->applied, 1);
	cost = wire_answer(w, wire_op(w, 2, 20, 0), CTL_ROUTES);
	assert_int_equal(cost->applied, 2);
	assert_int_equal(toy.slot[1], 0);
	cost = wire_answer(w, wire_send(w, CTL_COMMIT, NULL, 0), CTL_COMMIT);
	assert_int_equal(cost->applied, 2);
	assert_int_equal(cost->lost, 0);
	assert_true(cost->duration_ns > 0);
	assert_int_equal(toy.slot[1], 10);
	assert_int_equal(toy.slot[2], 20);
	logged("begin stage stage commit end ");
	wire_error(w, wire_send(w, CTL_COMMIT, NULL, 0), ENOENT);
	end(w);
}

// A frame without BEGIN.
static void test_frame(void **state)
{
	struct wire *w = wire_open(false);
	const struct ctl_cost *cost = wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);

	assert_int_equal(cost->applied, 1);
	assert_int_equal(toy.slot[1], 10);
	logged("begin stage commit end ");
	assert_string_equal(wire_error(w, wire_op(w, 1, 255, 0), EEXIST), "255 will not do");
	logged("begin stage end ");
	assert_int_equal(state_of(w), CTL_TXN_NONE);
	end(w);
}

static void test_each(void **state)
{
	struct {
		struct ctl_ops ops;
		struct ctl_route route[3];
	} f = {{.flags = CTL_OPS_EACH, .count = 3},
	       {{.prefix = {1}, .plen = 11}, {.prefix = {2}, .plen = 255}, {.prefix = {3}, .plen = 13}}};
	struct wire *w = wire_open(false);
	const struct ctl_cost *cost = wire_answer(w, wire_send(w, CTL_ROUTES, &f, sizeof(f)), CTL_ROUTES);

	assert_int_equal(cost->applied, 2);
	assert_int_equal(cost->refused, 1);
	assert_int_equal(cost->error, EEXIST);
	assert_int_equal(cost->at, 1);
	assert_int_equal(toy.slot[3], 13);
	logged("each ");
	wire_answer(w, begin(w, 0), CTL_BEGIN);
	wire_error(w, wire_op(w, 1, 1, CTL_OPS_EACH), EINVAL);
	wire_error(w, wire_op(w, 1, 1, 2), EINVAL); // a flag that is none
	end(w);
}

static void test_refused(void **state)
{
	struct wire *w = wire_open(false);
	const struct ctl_hdr *h;
	const struct ctl_error *e;

	wire_answer(w, begin(w, 0), CTL_BEGIN);
	wire_error(w, begin(w, 0), EBUSY);
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	wire_error(w, wire_op(w, 2, 255, 0), EEXIST); // the rest stands
	toy.refuse_commit = true;
	wire_send(w, CTL_COMMIT, NULL, 0);
	world_poll(10);
	h = wire_next(w);
	e = (const struct ctl_error *)(const void *)(h + 1);
	assert_int_equal(h->type, CTL_ERROR);
	assert_int_equal(e->code, ENOSPC);
	assert_int_equal(e->txn, 1);
	assert_int_equal(e->at, 1);
	assert_int_equal(toy.slot[1], 0);
	logged("begin stage stage commit end ");
	wire_error(w, begin(w, CTL_CONFIRM_MAX + 1), EINVAL);
	end(w);
}

static void test_rollback(void **state)
{
	struct wire *w = wire_open(false);

	wire_answer(w, begin(w, 0), CTL_BEGIN);
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	wire_error(w, wire_send(w, CTL_CONFIRM, NULL, 0), EINVAL);
	wire_answer(w, wire_send(w, CTL_ROLLBACK, NULL, 0), CTL_ROLLBACK);
	wire_error(w, wire_send(w, CTL_ROLLBACK, NULL, 0), ENOENT);
	wire_error(w, wire_send(w, CTL_CONFIRM, NULL, 0), ENOENT);
	logged("begin stage end ");
	end(w);
}

// Its client goes: open, it is dropped; being applied, it is applied, and awaits its confirmation.
static void test_client_goes(void **state)
{
	struct wire *w = wire_open(false), *other = wire_open(false);

	wire_answer(w, begin(w, 0), CTL_BEGIN);
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	end(w);
	logged("begin stage end ");
	w = wire_open(false);
	toy.slices = 20;
	wire_answer(w, begin(w, 60), CTL_BEGIN);
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	wire_send(w, CTL_COMMIT, NULL, 0);
	world_poll(6);
	w->ended = true;
	world_poll(40);
	wire_free(w);
	assert_int_equal(toy.slot[1], 10);
	assert_int_equal(state_of(other), CTL_TXN_UNCONFIRMED);
	world_pass(70);
	world_poll(10);
	assert_int_equal(toy.slot[1], 0);
	logged("begin stage commit revert end ");
	end(other);
}

static void commit_unconfirmed(struct wire *w)
{
	wire_answer(w, begin(w, 30), CTL_BEGIN);
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	wire_answer(w, wire_send(w, CTL_COMMIT, NULL, 0), CTL_COMMIT);
	assert_int_equal(toy.slot[1], 10);
	toy.log[0] = 0;
}

static void test_confirm(void **state)
{
	struct wire *w = wire_open(false), *other = wire_open(false);

	commit_unconfirmed(w);
	assert_int_equal(state_of(w), CTL_TXN_UNCONFIRMED);
	assert_non_null(strstr(wire_error(other, begin(other, 0), EBUSY), "awaits its confirmation"));
	wire_answer(other, wire_send(other, CTL_CONFIRM, NULL, 0), CTL_CONFIRM);
	world_pass(100);
	world_poll(10);
	assert_int_equal(toy.slot[1], 10);
	logged("end ");
	end(w);
	end(other);
}

static void test_not_confirmed(void **state)
{
	struct wire *w = wire_open(false);

	commit_unconfirmed(w);
	world_pass(20);
	world_poll(3);
	assert_int_equal(toy.slot[1], 10);
	world_pass(15);
	world_poll(10);
	assert_int_equal(toy.slot[1], 0);
	logged("revert end ");
	assert_int_equal(state_of(w), CTL_TXN_NONE);
	commit_unconfirmed(w);
	wire_answer(w, wire_send(w, CTL_ROLLBACK, NULL, 0), CTL_ROLLBACK);
	assert_int_equal(toy.slot[1], 0);
	logged("revert end ");
	end(w);
}

// Others wait, and come to their turn, when it is committed, dropped, or was left alone for too long.
static void test_others_wait(void **state)
{
	struct wire *w = wire_open(false), *other = wire_open(false);
	uint32_t id;

	wire_answer(w, begin(w, 0), CTL_BEGIN);
	id = wire_op(other, 5, 50, 0);
	world_poll(20);
	assert_null(wire_next(other));
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	wire_answer(w, wire_send(w, CTL_COMMIT, NULL, 0), CTL_COMMIT);
	wire_answer(other, id, CTL_ROUTES);
	logged("begin stage commit end begin stage commit end ");

	wire_answer(w, begin(w, 0), CTL_BEGIN);
	id = begin(other, 0);
	world_poll(20);
	assert_null(wire_next(other));
	world_pass(31);
	wire_answer(other, id, CTL_BEGIN);
	assert_non_null(strstr(wire_error(w, wire_op(w, 1, 10, 0), ETIMEDOUT), "dropped"));
	wire_answer(other, wire_send(other, CTL_ROLLBACK, NULL, 0), CTL_ROLLBACK);
	wire_answer(w, wire_op(w, 1, 12, 0), CTL_ROUTES);
	end(w);
	end(other);
}

// HELLO begins anew: a console has a new user.
static void test_hello_ends_it(void **state)
{
	struct wire *w = wire_open(true);

	wire_answer(w, begin(w, 0), CTL_BEGIN);
	wire_answer(w, wire_op(w, 1, 10, 0), CTL_ROUTES);
	assert_int_equal(state_of(w), CTL_TXN_NONE);
	logged("begin stage end ");
	wire_error(w, wire_send(w, CTL_COMMIT, NULL, 0), ENOENT);
	end(w);
}

// A request that takes several housekeepings holds up its own stream alone, and survives its client.
static void test_slow_request(void **state)
{
	struct wire *w = wire_open(false), *other = wire_open(false);
	uint32_t id;

	toy.left = 30;
	id = wire_send(w, CTL_ROUTES_SHOW, NULL, 0);
	world_poll(3);
	assert_int_equal(state_of(other), CTL_TXN_NONE);
	wire_answer(w, id, CTL_ROUTES_SHOW);
	toy.left = 30;
	wire_send(w, CTL_ROUTES_SHOW, NULL, 0);
	world_poll(3);
	w->ended = true;
	world_poll(40);
	wire_free(w);
	end(other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		T(test_commit),	      T(test_frame),	   T(test_each),	T(test_refused),
		T(test_rollback),     T(test_client_goes), T(test_confirm),	T(test_not_confirmed),
		T(test_others_wait),  T(test_slow_request), T(test_hello_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
