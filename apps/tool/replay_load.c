// SPDX-License-Identifier: BSD-3-Clause
// replay_load.c - put a replay's packets into its configuration
#include "apps/tool/replay_load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

#define RECORDS_MAX ((size_t)900 << 20) // a blob holds 1 GiB

struct bytes {
	uint8_t *data;
	size_t len, room;
};

static bool add(struct bytes *b, const struct replay_packet *p)
{
	struct blob_record r = {.time = p->time, .len = p->len, .port = p->port};
	size_t padded = (p->len + 7u) / 8 * 8, need = sizeof(r) + padded;

	if (b->len + need > RECORDS_MAX)
		return false;
	if (b->len + need > b->room) {
		b->room = 2 * (b->len + need);
		b->data = xrealloc(b->data, b->room);
	}
	memcpy(b->data + b->len, &r, sizeof(r));
	memcpy(b->data + b->len + sizeof(r), p->data, p->len);
	memset(b->data + b->len + sizeof(r) + p->len, 0, padded - p->len);
	b->len += need;
	return true;
}

static int load(struct config *c, struct replay_mix *m, struct replay_tally *t, struct err *err)
{
	struct blob_play *play = &c->replay.play;
	struct bytes b = {0};
	struct replay_packet p;
	int rc = 0;

	while (!rc && replay_mix_next(m, &p))
		if (!add(&b, &p))
			rc = err_set(err, -EFBIG, "the captures' packets are over %zu MiB, too many to be preloaded: "
						  "expected mode: stream",
				     RECORDS_MAX >> 20);
	replay_mix_tally(m, t);
	if (!rc)
		rc = replay_mix_error(m, err);
	free(c->replay.records);
	c->replay.records = b.data;
	c->replay.records_len = b.len;
	play->packets = t->packets;
	play->first = 0;
	play->len = (uint32_t)b.len;
	return rc;
}

int replay_load(struct config *c, struct replay_tally *t, struct err *err)
{
	struct replay_mix *m;
	int rc;

	*t = (struct replay_tally){0};
	if (!c->replay.given || c->replay.stream)
		return 0;
	m = replay_mix_open(&c->replay, err);
	if (!m)
		return -EINVAL;
	rc = load(c, m, t, err);
	replay_mix_close(m);
	return rc;
}

static void tell(const char *who, uint64_t n, const char *what)
{
	if (n)
		fprintf(stderr, "%s: %" PRIu64 " packets %s\n", who, n, what);
}

void replay_tell(const char *who, const struct replay_tally *t)
{
	tell(who, t->other_link, "of interfaces that are no Ethernet: not sent");
	tell(who, t->nowhere, "are for no port: not sent");
	tell(who, t->skipped, "were cut when captured: not sent");
	tell(who, t->snapped - t->skipped, "were cut when captured: sent as they are, or padded by zeros");
	tell(who, t->backwards, "have stamps that go back: sent at once");
	tell(who, t->bad_times, "have stamps that cannot be");
	tell(who, t->cut_gaps, "come sooner than captured, by max_gap");
}

int replay_load_image(const char *who, struct config *c)
{
	struct replay_tally t;
	struct err err;
	int rc;

	if (c->replay.stream) {
		fprintf(stderr, "%s: mode: stream: is for weir replay alone: expected mode: preload\n", who);
		return -1;
	}
	rc = replay_load(c, &t, &err);
	if (rc) {
		fprintf(stderr, "%s: %s\n", who, err.text);
		return -1;
	}
	replay_tell(who, &t);
	return 0;
}
