// SPDX-License-Identifier: BSD-3-Clause
// control_txn.c - transactions: who has one, how long, what its commit costs, and taking it back
//
// A commit, or the taking back of one, is a job of five phases: every lcore begins to measure its turns and
// writes down its books; they have all done so; the function works, slice by slice; the lcores tell again;
// they have all done so. It goes on whether its client is still there or not.
#include <errno.h>
#include <string.h>

#include "apps/control_priv.h"
#include "core/plat.h"

static uint64_t seconds(uint64_t n)
{
	return plat_tsc_hz() * n;
}

static void watch(struct app_lcore *l, void *arg)
{
	loop_watch(&l->loop);
	app_tell(l, arg);
}

static void job_begin(struct control *c, enum job job, struct client *owner)
{
	struct txn *t = &c->txn;

	t->state = CTL_TXN_BUSY;
	t->owner = owner;
	t->job = job;
	t->phase = PHASE_WATCH;
	t->done = false;
	t->result = 0;
	t->at = CTL_AT_FRAME;
	t->cost = (struct ctl_cost){.at = CTL_AT_FRAME};
	t->err.text[0] = 0;
}

static int work(struct control *c)
{
	struct app_lcore *l = control_lcore(c);
	struct txn *t = &c->txn;
	int rc;

	if (t->job == JOB_REVERT)
		return c->ops->revert(l, &t->cost);
	if (t->job == JOB_COMMIT) {
		rc = c->ops->commit(l, &t->cost, &t->err);
		t->at = t->cost.at;
		return rc;
	}
	rc = c->ops->each(l, &t->req, &t->cost, &t->err);
	t->req.again = true;
	t->at = t->req.at;
	return rc;
}

static void note_cost(struct control *c)
{
	struct txn *t = &c->txn;
	const struct clock *clock = &control_lcore(c)->loop.clock;
	struct graph_books now;
	uint64_t turn;

	app_books_told(c->app, &now, &turn);
	t->cost.dropped = now.dropped - t->before.dropped;
	t->cost.sent = now.tx - t->before.tx;
	t->cost.turn_ns = clock_tsc_to_ns(clock, turn);
}

// What holds after the job. A client that awaits its answer fetches it.
static void job_end(struct control *c, uint64_t tsc)
{
	struct txn *t = &c->txn;

	if (t->job == JOB_COMMIT && !t->result && t->confirm_s) {
		t->state = CTL_TXN_UNCONFIRMED;
		t->deadline = tsc + seconds(t->confirm_s);
	} else {
		if (t->job != JOB_EACH)
			c->ops->end(control_lcore(c));
		t->state = CTL_TXN_NONE;
	}
	t->job = JOB_NONE;
	t->done = true;
}

// One phase, or one slice of the work. Calls that find no place are made again at the next housekeeping.
static void job_step(struct control *c, uint64_t tsc)
{
	struct txn *t = &c->txn;
	uint64_t turn;

	switch (t->phase) {
	case PHASE_WATCH:
		if (app_call(c->app, watch, NULL, &t->ticket))
			t->phase = PHASE_WATCHED;
		break;
	case PHASE_WATCHED:
		if (!app_called(c->app, t->ticket))
			break;
		app_books_told(c->app, &t->before, &turn);
		t->phase = PHASE_WORK;
		t->began = tsc_read();
		break;
	case PHASE_WORK:
		t->result = work(c);
		if (t->result == -EINPROGRESS)
			break;
		t->cost.duration_ns =
			clock_tsc_to_ns(&control_lcore(c)->loop.clock, tsc_read() - t->began);
		t->phase = PHASE_TELL; // not before the turn in which the last slice was is over
		break;
	case PHASE_TELL:
		if (app_call(c->app, app_tell, NULL, &t->ticket))
			t->phase = PHASE_TOLD;
		break;
	case PHASE_TOLD:
		if (!app_called(c->app, t->ticket))
			break;
		note_cost(c);
		job_end(c, tsc);
		break;
	}
}

static void drop_open(struct control *c)
{
	c->ops->end(control_lcore(c));
	c->txn.state = CTL_TXN_NONE;
	c->txn.owner = NULL;
}

bool control_txn_poll(struct control *c, uint64_t tsc)
{
	struct txn *t = &c->txn;

	if (t->state == CTL_TXN_NONE)
		return false;
	if (t->state == CTL_TXN_OPEN && tsc > t->deadline) {
		t->owner->lost_txn = true;
		drop_open(c);
	} else if (t->state == CTL_TXN_UNCONFIRMED && tsc > t->deadline && !t->owner) {
		job_begin(c, JOB_REVERT, NULL);
	}
	if (t->job == JOB_NONE)
		return false;
	job_step(c, tsc);
	return true;
}

void control_txn_leave(struct client *cl)
{
	struct control *c = cl->control;

	if (!c || c->txn.owner != cl)
		return;
	if (c->txn.state == CTL_TXN_OPEN)
		drop_open(c);
	c->txn.owner = NULL;
	cl->lost_txn = false;
}

static bool owns(const struct client *cl)
{
	return cl->control->txn.owner == cl && cl->control->txn.state == CTL_TXN_OPEN;
}

static int gone(struct err *err)
{
	return err_set(err, -ETIMEDOUT, "the transaction was dropped: nothing came for %u s; begin again",
		       CONTROL_OPEN_S);
}

static int unconfirmed(const struct control *c, struct err *err)
{
	uint64_t left = c->txn.deadline > c->now ? c->txn.deadline - c->now : 0;

	return err_set(err, -EBUSY,
		       "a change awaits its confirmation for %llu s more: confirm it, or roll it back, first",
		       (unsigned long long)(left / plat_tsc_hz()));
}

// The owner fetches what its job came to.
static int fetch(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	struct txn *t = &cl->control->txn;

	if (!t->done)
		return -EINPROGRESS;
	t->done = false;
	t->owner = NULL;
	cl->step = STEP_NEW;
	req->at = t->at;
	if (t->result) {
		*err = t->err;
		return t->result;
	}
	control_put(out, &t->cost, sizeof(t->cost));
	return 0;
}

// For who has none: -EINPROGRESS while somebody else has one.
static int my_turn(const struct client *cl)
{
	const struct txn *t = &cl->control->txn;

	return t->state == CTL_TXN_NONE && !t->owner ? 0 : -EINPROGRESS;
}

int control_begin(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct ctl_begin *b = req->payload;
	struct control *c = cl->control;
	int rc = control_payload(req, sizeof(*b), "begin", err);

	if (rc)
		return rc;
	if (!c->ops)
		return err_set(err, -ENOTSUP, "function %s has no tables to change", c->app->function->name);
	if (b->confirm_s > CTL_CONFIRM_MAX)
		return err_set(err, -EINVAL, "%u seconds to confirm: expected 0 to %u", b->confirm_s,
			       CTL_CONFIRM_MAX);
	if (owns(cl))
		return err_set(err, -EBUSY, "a transaction is open already: commit it, or roll it back");
	if (c->txn.state == CTL_TXN_UNCONFIRMED)
		return unconfirmed(c, err);
	rc = my_turn(cl);
	if (!rc)
		rc = c->ops->begin(control_lcore(c), err);
	if (rc)
		return rc;
	cl->lost_txn = false;
	cl->staged = 0;
	c->txn = (struct txn){
		.state = CTL_TXN_OPEN,
		.owner = cl,
		.confirm_s = b->confirm_s,
		.deadline = c->now + seconds(CONTROL_OPEN_S),
	};
	return 0;
}

static int check_ops(const struct control_req *req, struct err *err)
{
	const struct ctl_ops *ops = req->payload;

	if (req->len < sizeof(*ops))
		return err_set(err, -EINVAL, "%u bytes of operations: expected a header of %zu", req->len,
			       sizeof(*ops));
	if (ops->flags & ~CTL_OPS_EACH)
		return err_set(err, -EINVAL, "operations with flags %#x: only %#x is known", ops->flags,
			       CTL_OPS_EACH);
	return 0;
}

// Into the open transaction.
static int stage(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct ctl_ops *ops = req->payload;
	struct control *c = cl->control;
	struct ctl_cost cost = {0};
	int rc;

	if (ops->flags & CTL_OPS_EACH)
		return err_set(err, -EINVAL, "each for itself, within a transaction: expected one or the other");
	rc = c->ops->stage(control_lcore(c), req, &cl->staged, err);
	c->txn.deadline = c->now + seconds(CONTROL_OPEN_S);
	if (rc)
		return rc;
	cost.applied = cl->staged;
	control_put(out, &cost, sizeof(cost));
	return 0;
}

static void release(struct client *cl)
{
	cl->control->txn.state = CTL_TXN_NONE;
	cl->control->txn.owner = NULL;
	cl->step = STEP_NEW;
}

static int framed_begin(struct client *cl, struct control_req *req, bool each, struct err *err)
{
	struct control *c = cl->control;
	int rc = my_turn(cl);

	if (rc)
		return rc;
	req->again = false;
	c->txn = (struct txn){.state = CTL_TXN_BUSY, .owner = cl, .req = *req};
	if (each) {
		cl->step = STEP_WAIT;
		job_begin(c, JOB_EACH, cl);
		return -EINPROGRESS;
	}
	rc = c->ops->begin(control_lcore(c), err);
	if (rc)
		release(cl);
	else
		cl->step = STEP_STAGE;
	return rc;
}

// A frame that is a transaction of its own.
static int framed(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct ctl_ops *ops = req->payload;
	struct control *c = cl->control;
	uint32_t staged = 0;
	int rc = 0;

	if (cl->step == STEP_NEW)
		rc = framed_begin(cl, req, ops->flags & CTL_OPS_EACH, err);
	if (rc)
		return rc;
	if (cl->step == STEP_WAIT)
		return fetch(cl, req, out, err);
	rc = c->ops->stage(control_lcore(c), req, &staged, err);
	if (rc == -EINPROGRESS)
		return rc;
	if (rc) {
		c->ops->end(control_lcore(c));
		release(cl);
		return rc;
	}
	cl->step = STEP_WAIT;
	job_begin(c, JOB_COMMIT, cl);
	return -EINPROGRESS;
}

int control_operations(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	int rc = check_ops(req, err);

	if (rc)
		return rc;
	if (cl->lost_txn)
		return gone(err);
	return owns(cl) ? stage(cl, req, out, err) : framed(cl, req, out, err);
}

int control_commit(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	int rc = control_payload(req, 0, "commit", err);

	if (rc)
		return rc;
	if (cl->lost_txn)
		return gone(err);
	if (cl->step == STEP_WAIT) {
		rc = fetch(cl, req, out, err);
		cl->lost_txn = rc && rc != -EINPROGRESS;
		return rc;
	}
	if (!owns(cl))
		return err_set(err, -ENOENT, "there is no transaction of this client to commit: begin one");
	cl->step = STEP_WAIT;
	job_begin(cl->control, JOB_COMMIT, cl);
	return -EINPROGRESS;
}

// Of what awaits its confirmation: 0, or why there is none.
static int awaits(const struct client *cl, struct err *err)
{
	const struct txn *t = &cl->control->txn;

	if (t->state == CTL_TXN_UNCONFIRMED && !t->owner)
		return 0;
	if (t->state == CTL_TXN_BUSY || t->state == CTL_TXN_UNCONFIRMED)
		return -EINPROGRESS;
	return err_set(err, -ENOENT, "no change awaits its confirmation: none was made with a time to confirm, or "
		       "its time is over and it was taken back");
}

int control_confirm(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	int rc = control_payload(req, 0, "confirm", err);

	if (!rc && owns(cl))
		return err_set(err, -EINVAL, "the transaction is still open: commit it first");
	if (!rc)
		rc = awaits(cl, err);
	if (!rc)
		drop_open(cl->control);
	return rc;
}

int control_rollback(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	struct ctl_cost none = {0};
	int rc = control_payload(req, 0, "rollback", err);

	if (rc)
		return rc;
	if (cl->step == STEP_WAIT)
		return fetch(cl, req, out, err);
	if (cl->lost_txn)
		return gone(err);
	if (owns(cl)) {
		drop_open(cl->control);
		control_put(out, &none, sizeof(none));
		return 0;
	}
	rc = awaits(cl, err);
	if (rc)
		return rc;
	cl->step = STEP_WAIT;
	job_begin(cl->control, JOB_REVERT, cl);
	return -EINPROGRESS;
}
