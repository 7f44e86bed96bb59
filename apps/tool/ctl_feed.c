// SPDX-License-Identifier: BSD-3-Clause
// ctl_feed.c - many operations: gathered into frames, several under way at once
#include <errno.h>
#include <string.h>

#include "apps/tool/ctl_client_priv.h"

int ctl_feed_begin(struct ctl_client *c, bool each, void (*refused)(void *arg, int error, uint64_t operation),
		   void *arg)
{
	if (c->n_sent || c->feed_type)
		return -EBUSY;
	c->each = each;
	c->refused = refused;
	c->arg = arg;
	c->totals = (struct ctl_feed_totals){.failed = UINT64_MAX};
	return 0;
}

static void count(struct ctl_client *c, const struct ctl_cost *cost, uint64_t first)
{
	struct ctl_feed_totals *t = &c->totals;

	// In a transaction it says what is staged so far.
	if (cost->duration_ns)
		t->applied += cost->applied;
	else
		t->applied = cost->applied;
	t->refused += cost->refused;
	t->lost += cost->lost;
	if (cost->turn_ns > t->turn_ns)
		t->turn_ns = cost->turn_ns;
	if (cost->refused && c->refused)
		c->refused(c->arg, (int)cost->error, first + cost->at);
}

// The answer to the oldest frame. -EAGAIN: not there yet.
static int take_one(struct ctl_client *c, bool wait, struct err *err)
{
	struct ctl_sent oldest = c->sent[0];
	struct ctl_cost cost;
	struct ctl_answer a = {0};
	int rc = ctl_receive(c, oldest.id, wait, &a, err);

	if (rc == -EAGAIN && !wait)
		return rc;
	memmove(c->sent, c->sent + 1, --c->n_sent * sizeof(c->sent[0]));
	if (rc && a.error && c->totals.failed == UINT64_MAX)
		c->totals.failed = oldest.first + (a.at == CTL_AT_FRAME ? 0 : a.at);
	if (rc)
		return rc;
	if (a.len < sizeof(cost)) {
		c->broken = -EPROTO;
		return err_set(err, -EPROTO, "%s: an answer that is too short", c->name);
	}
	memcpy(&cost, a.payload, sizeof(cost));
	count(c, &cost, oldest.first);
	return 0;
}

int ctl_feed_settle(struct ctl_client *c, struct err *err)
{
	int rc = 0;

	while (!rc && c->n_sent)
		rc = take_one(c, true, err);
	return rc;
}

static int send_gathered(struct ctl_client *c, struct err *err)
{
	uint32_t id;
	int rc = 0;

	while (!rc && c->n_sent == CTL_WINDOW)
		rc = take_one(c, true, err);
	if (!rc)
		rc = ctl_send(c, c->feed_type, c->feed, c->feed_len, &id, err);
	c->feed_type = 0;
	if (rc)
		return rc;
	c->sent[c->n_sent++] = (struct ctl_sent){id, c->feed_first};
	c->totals.frames++;
	return 0;
}

static int gather(struct ctl_client *c, uint16_t type, const void *a, uint32_t a_len, const void *b,
		  uint32_t b_len, struct err *err)
{
	struct ctl_ops *ops = (struct ctl_ops *)(void *)c->feed;
	int rc = 0;

	if (c->feed_type &&
	    (c->feed_type != type || c->feed_len + a_len + b_len > CTL_PAYLOAD_MAX || ops->count == UINT16_MAX))
		rc = send_gathered(c, err);
	if (rc)
		return rc;
	if (!c->feed_type) {
		*ops = (struct ctl_ops){.flags = c->each ? CTL_OPS_EACH : 0};
		c->feed_type = type;
		c->feed_len = sizeof(*ops);
		c->feed_first = c->totals.operations;
	}
	memcpy(c->feed + c->feed_len, a, a_len);
	if (b_len)
		memcpy(c->feed + c->feed_len + a_len, b, b_len);
	c->feed_len += a_len + b_len;
	ops->count++;
	c->totals.operations++;
	return 0;
}

int ctl_feed_route(struct ctl_client *c, const struct ctl_route *r, const struct ctl_path *paths,
		   struct err *err)
{
	if (r->paths > CTL_PATHS_MAX)
		return err_set(err, -EINVAL, "a route with %u next hops: %u are possible", r->paths,
			       CTL_PATHS_MAX);
	return gather(c, CTL_ROUTES, r, sizeof(*r), paths, (uint32_t)(r->paths * sizeof(*paths)), err);
}

int ctl_feed_neighbor(struct ctl_client *c, const struct ctl_neighbor *n, struct err *err)
{
	return gather(c, CTL_NEIGHBORS, n, sizeof(*n), NULL, 0, err);
}

int ctl_feed_flush(struct ctl_client *c, bool wait, struct err *err)
{
	int rc = c->feed_type ? send_gathered(c, err) : 0;

	return !rc && wait ? ctl_feed_settle(c, err) : rc;
}

int ctl_feed_poll(struct ctl_client *c, struct err *err)
{
	int rc = 0;

	while (!rc && c->n_sent)
		rc = take_one(c, false, err);
	return rc == -EAGAIN ? 0 : rc;
}

const struct ctl_feed_totals *ctl_feed_totals(const struct ctl_client *c)
{
	return &c->totals;
}
