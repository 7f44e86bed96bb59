// SPDX-License-Identifier: BSD-3-Clause
// blob_plays.c - check what function replay sends: every record and where it ends
#include <errno.h>

#include "core/blob.h"

#define BAD(err, ...) err_set(err, -EBADMSG, "configuration blob: " __VA_ARGS__)

static int check_record(const struct blob *b, const struct blob_play *p, const struct blob_record *r,
			uint64_t i, uint64_t before, uint32_t left, struct err *err)
{
	if (r->len > BLOB_RECORD_MAX || (r->len + 7u) / 8 * 8 > left)
		return BAD(err, "packet %llu of a play: %u bytes, %u are left", (unsigned long long)i, r->len,
			   left);
	if (r->port >= b->n_ports || !(p->ports >> r->port & 1))
		return BAD(err, "packet %llu of a play: by port %u of %u", (unsigned long long)i, r->port,
			   b->n_ports);
	if (r->time < before || r->time > INT64_MAX)
		return BAD(err, "packet %llu of a play: its time goes back", (unsigned long long)i);
	return 0;
}

static int check_records(const struct blob *b, const struct blob_play *p, struct err *err)
{
	const uint8_t *at = b->bytes + p->first;
	uint32_t left = p->len;
	uint64_t before = 0;
	int rc = 0;

	for (uint64_t i = 0; !rc && i < p->packets; i++) {
		const struct blob_record *r = (const struct blob_record *)(const void *)at;

		if (left < sizeof(*r))
			return BAD(err, "a play of %llu packets ends after %llu",
				   (unsigned long long)p->packets, (unsigned long long)i);
		left -= (uint32_t)sizeof(*r);
		rc = check_record(b, p, r, i, before, left, err);
		if (rc)
			break;
		before = r->time;
		at += sizeof(*r) + (r->len + 7u) / 8 * 8;
		left -= (r->len + 7u) / 8 * 8;
	}
	return rc;
}

int blob_check_plays(const struct blob *b, struct err *err)
{
	const struct blob_play *p = b->plays;

	if (!b->n_plays)
		return 0;
	if (p->speed >= BLOB_SPEEDS || p->flags & ~BLOB_PLAY_FLAGS || p->loop_gap_ns > INT64_MAX ||
	    p->start_ns > INT64_MAX)
		return BAD(err, "a play: speed %u, flags %#x", p->speed, p->flags);
	if (p->speed < BLOB_SPEED_TOP && !p->rate)
		return BAD(err, "a play: speed %u at rate 0", p->speed);
	if (!p->ports || (b->n_ports < 64 && p->ports >> b->n_ports))
		return BAD(err, "a play: ports %#llx of %u", (unsigned long long)p->ports, b->n_ports);
	if (p->first % 8 || p->first > b->n_bytes || p->len > b->n_bytes - p->first)
		return BAD(err, "a play: %u bytes from %u, there are %u", p->len, p->first, b->n_bytes);
	if (!p->packets)
		return 0;
	if (p->flags & BLOB_PLAY_STREAMED)
		return BAD(err, "a play that is streamed has packets");
	return check_records(b, p, err);
}
