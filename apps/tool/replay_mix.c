// SPDX-License-Identifier: BSD-3-Clause
// replay_mix.c - merge captures by their stamps, split and rewrite their packets
#include "apps/tool/replay_mix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/replay_rewrite.h"
#include "apps/tool/replay_split.h"
#include "apps/tool/util.h"
#include "pmd/pcap/reader.h"

#define BUFFER (CAPTURE_LEN_MAX + REPLAY_GROWS + 65536u)

struct input {
	struct capture_reader r;
	const struct replay_capture *conf;
	uint64_t key; // by which it is merged: its stamp, but never going back
	bool begun;
};

struct replay_mix {
	const struct replay_conf *conf;
	struct replay_hosts *hosts;
	struct input *in;
	size_t n;
	struct input *taken; // whose record the caller has
	uint64_t first, last, cut; // stamps, and what max_gap took away
	bool begun, rewrites;
	struct replay_tally tally;
	uint8_t *buf;
};

// A record is there: where does it stand among the others?
static void arrived(struct replay_mix *m, struct input *i)
{
	if (!i->r.data)
		return;
	if (i->begun && i->r.time < i->key)
		m->tally.backwards++;
	else
		i->key = i->r.time;
	i->begun = true;
}

static int open_input(struct replay_mix *m, struct input *i, const struct replay_capture *c, struct err *err)
{
	int rc = capture_open_mixed(&i->r, c->file, err);

	i->conf = c;
	i->begun = false;
	i->key = 0;
	if (!rc)
		arrived(m, i);
	return rc;
}

static int open_all(struct replay_mix *m, struct err *err)
{
	int rc = 0;

	m->tally = (struct replay_tally){0};
	m->taken = NULL;
	m->begun = false;
	m->first = m->last = m->cut = 0;
	for (m->n = 0; !rc && m->n < m->conf->n_captures; m->n++)
		rc = open_input(m, &m->in[m->n], &m->conf->captures[m->n], err);
	m->n -= rc != 0;
	return rc;
}

static void close_all(struct replay_mix *m)
{
	for (size_t i = 0; i < m->n; i++)
		capture_close(&m->in[i].r);
	m->n = 0;
}

struct replay_mix *replay_mix_open(const struct replay_conf *c, struct err *err)
{
	struct replay_mix *m = xrealloc(NULL, sizeof(*m));
	int rc;

	*m = (struct replay_mix){.conf = c, .rewrites = replay_rewrites(c)};
	m->in = xrealloc(NULL, c->n_captures * sizeof(*m->in) + 1);
	memset(m->in, 0, c->n_captures * sizeof(*m->in));
	m->buf = xrealloc(NULL, BUFFER);
	rc = replay_hosts_learn(c, &m->hosts, err);
	if (!rc)
		rc = open_all(m, err);
	if (!rc)
		return m;
	replay_mix_close(m);
	return NULL;
}

void replay_mix_close(struct replay_mix *m)
{
	if (!m)
		return;
	close_all(m);
	replay_hosts_free(m->hosts);
	free(m->in);
	free(m->buf);
	free(m);
}

bool replay_mix_live(const struct replay_mix *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!S_ISREG(m->in[i].r.st.st_mode))
			return true;
	return false;
}

int replay_mix_rewind(struct replay_mix *m, struct err *err)
{
	for (size_t i = 0; i < m->n; i++)
		if (!S_ISREG(m->in[i].r.st.st_mode))
			return err_set(err, -ESPIPE, "%s: is no file that can be read again: expected loops: 1",
				       m->in[i].conf->file);
	close_all(m);
	return open_all(m, err);
}

static struct input *earliest(struct replay_mix *m)
{
	struct input *best = NULL;

	for (size_t i = 0; i < m->n; i++) {
		struct input *in = &m->in[i];

		if (in->r.error)
			return NULL;
		if (in->r.data && (!best || in->key < best->key))
			best = in;
	}
	return best;
}

// Its time on the timeline that is played.
static uint64_t timeline(struct replay_mix *m, uint64_t key)
{
	uint64_t gap;

	if (!m->begun)
		m->first = m->last = key;
	m->begun = true;
	if (key < m->last) // of another file than the last: those are merged by what came first
		key = m->last;
	gap = key - m->last;
	if (m->conf->max_gap_ns && gap > m->conf->max_gap_ns) {
		m->cut += gap - m->conf->max_gap_ns;
		m->tally.cut_gaps++;
	}
	m->last = key;
	return key - m->first - m->cut;
}

static void rewrite(struct replay_mix *m, const struct capture_reader *r, struct replay_packet *p)
{
	uint32_t wire = r->len < CAPTURE_LEN_MAX ? r->len : CAPTURE_LEN_MAX;

	memcpy(m->buf, p->data, p->len);
	p->data = m->buf;
	p->len = replay_rewrite(m->conf, p->port, m->buf, p->len, wire);
	if (p->len > BLOB_RECORD_MAX)
		p->len = BLOB_RECORD_MAX;
}

// Whether the record is sent.
static bool take(struct replay_mix *m, const struct input *i, struct replay_packet *p)
{
	const struct capture_reader *r = &i->r;
	struct replay_tally *t = &m->tally;

	t->read++;
	t->snapped += r->caplen < r->len;
	if (m->conf->snapped == REPLAY_SNAPPED_SKIP && r->caplen < r->len) {
		t->skipped++;
		return false;
	}
	p->port = replay_split(i->conf, m->hosts, r);
	if (p->port == REPLAY_NOWHERE) {
		t->nowhere++;
		return false;
	}
	p->time = timeline(m, i->key);
	p->data = r->data;
	p->len = r->caplen;
	if (m->rewrites)
		rewrite(m, r, p);
	t->packets++;
	t->bytes += p->len;
	t->span_ns = p->time;
	if (p->len > t->longest)
		t->longest = p->len;
	return true;
}

bool replay_mix_next(struct replay_mix *m, struct replay_packet *p)
{
	for (;;) {
		if (m->taken) {
			capture_next(&m->taken->r);
			arrived(m, m->taken);
		}
		m->taken = earliest(m);
		if (!m->taken)
			return false;
		if (take(m, m->taken, p))
			return true;
	}
}

int replay_mix_error(const struct replay_mix *m, struct err *err)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->in[i].r.error)
			return err_set(err, m->in[i].r.error, "%s", m->in[i].r.err.text);
	return 0;
}

void replay_mix_tally(const struct replay_mix *m, struct replay_tally *t)
{
	*t = m->tally;
	for (size_t i = 0; i < m->n; i++) {
		t->other_link += m->in[i].r.other_link;
		t->bad_times += m->in[i].r.bad_times;
	}
}
