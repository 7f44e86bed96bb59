// SPDX-License-Identifier: BSD-3-Clause
// replay_stream.c - read, split and rewrite captures on a thread of its own, into a bounded ring of mbufs
//
// The ring is as long as the pool has buffers for it: the thread waits while it is full. Its only system calls that
// the lcore could notice are none: what they share is the ring and the pool.
#include "apps/tool/replay_stream.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/replay/frame.h"
#include "apps/replay/replay.h"
#include "apps/tool/util.h"

#define RING	  65536u
#define READER_ID (LCORE_MAX - 1) // no lcore has it: the pool serves it without a cache
#define WAIT_US	  50
#define BATCH	  32u

struct replay_stream {
	struct replay_feed feed; // first
	const struct blob_play *play;
	struct replay_mix *mix;
	struct mempool *pool;
	pthread_t thread;
	bool running;
	int cpu;
	_Atomic bool stop;
	struct mbuf *spare[BATCH];
	unsigned spares;
	struct mbuf *batch[BATCH]; // for the ring: one by one, two processors would pass its line to and fro
	unsigned gathered;
	bool live; // from a pipe: nothing waits
	uint64_t loop, base; // base: time 0 of this loop
	struct replay_tally tally;
	struct err err;
	int error;
};

static void pause_a_little(void)
{
	const struct timespec ts = {0, WAIT_US * 1000};

	nanosleep(&ts, NULL);
}

static bool stopped(const struct replay_stream *s)
{
	return atomic_load_explicit(&s->stop, memory_order_relaxed);
}

static void keep_off(int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || pthread_getaffinity_np(pthread_self(), sizeof(set), &set))
		return;
	CPU_ZERO(&set);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (i != cpu)
			CPU_SET(i, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set); // there may be no other
}

// Hands over what was gathered. False: it is to stop.
static bool flush(struct replay_stream *s)
{
	unsigned done = 0;

	while (done < s->gathered) {
		done += ring_spsc_enqueue_burst(s->feed.ring, (void **)s->batch + done, s->gathered - done);
		if (done == s->gathered)
			break;
		if (stopped(s)) {
			mbuf_free_bulk(s->batch + done, s->gathered - done);
			break;
		}
		pause_a_little();
	}
	s->gathered = 0;
	return !stopped(s);
}

// Waits for buffers, which come back when packets have been sent. NULL: it is to stop.
static struct mbuf *new_mbuf(struct replay_stream *s, const struct replay_packet *p)
{
	uint32_t room = mempool_room(s->pool);
	struct mbuf *m;

	while (p->len > room) {
		m = mbuf_from_bytes(s->pool, p->data, p->len);
		if (m || !flush(s))
			return m;
		pause_a_little();
	}
	while (!s->spares) {
		if (!mempool_get_bulk(s->pool, s->spare, BATCH))
			s->spares = BATCH;
		else if (!flush(s))
			return NULL;
		else
			pause_a_little();
	}
	m = s->spare[--s->spares];
	mbuf_reset(m);
	memcpy(m->data, p->data, p->len);
	m->len = (uint16_t)p->len;
	m->pkt_len = p->len;
	return m;
}

static bool pass_on(struct replay_stream *s, const struct replay_packet *p)
{
	struct mbuf *m = new_mbuf(s, p);

	if (!m)
		return false;
	m->origin = mbuf_origin(p->port);
	m->scratch64[0] = s->base + p->time;
	if (s->play->flags & BLOB_PLAY_UNIQUE && s->loop)
		frame_move_addrs(m->data, m->len, s->play->step * s->loop);
	s->batch[s->gathered++] = m;
	return s->gathered < (s->live ? 1 : BATCH) || flush(s);
}

static void add_tally(struct replay_stream *s)
{
	struct replay_tally t;

	replay_mix_tally(s->mix, &t);
	s->tally.read += t.read;
	s->tally.packets += t.packets;
	s->tally.bytes += t.bytes;
	s->tally.nowhere += t.nowhere;
	s->tally.other_link += t.other_link;
	s->tally.snapped += t.snapped;
	s->tally.skipped += t.skipped;
	s->tally.backwards += t.backwards;
	s->tally.bad_times += t.bad_times;
	s->tally.cut_gaps += t.cut_gaps;
	s->tally.longest = t.longest > s->tally.longest ? t.longest : s->tally.longest;
	s->base += t.span_ns + s->play->loop_gap_ns;
	s->tally.span_ns = s->base;
}

// One pass over all captures; false: that was the last.
static bool play_once(struct replay_stream *s)
{
	struct replay_packet p;
	uint64_t before = s->tally.packets;
	bool good = true;

	while (good && !stopped(s) && replay_mix_next(s->mix, &p))
		good = pass_on(s, &p);
	good &= flush(s);
	add_tally(s);
	if (!good || stopped(s))
		return false;
	s->error = replay_mix_error(s->mix, &s->err);
	s->loop++;
	atomic_fetch_add(&s->feed.loops, 1);
	if (s->error || (s->play->loops && s->loop == s->play->loops) || s->tally.packets == before)
		return false;
	s->error = replay_mix_rewind(s->mix, &s->err);
	return !s->error;
}

static void *reader(void *arg)
{
	struct replay_stream *s = arg;

	lcore_self = READER_ID;
	keep_off(s->cpu);
	while (play_once(s))
		;
	mempool_put_bulk(s->pool, s->spare, s->spares);
	s->spares = 0;
	atomic_store_explicit(&s->feed.ended, true, memory_order_release);
	return NULL;
}

static int start(struct replay_feed *f, struct mempool *pool, struct err *err)
{
	struct replay_stream *s = (struct replay_stream *)f;
	int rc;

	s->pool = pool;
	f->ring = aligned_alloc(CACHE_LINE, ring_bytes(RING));
	if (!f->ring || ring_init(f->ring, RING))
		return err_set(err, -ENOMEM, "no memory for a ring of %u packets", RING);
	rc = pthread_create(&s->thread, NULL, reader, s);
	if (rc)
		return err_set(err, -rc, "the captures' reader does not start: %s", strerror(rc));
	s->running = true;
	return 0;
}

static void stop(struct replay_feed *f)
{
	struct replay_stream *s = (struct replay_stream *)f;

	atomic_store(&s->stop, true);
	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
}

struct replay_stream *replay_stream_new(const struct config *c, int cpu, struct err *err)
{
	struct replay_stream *s = xrealloc(NULL, sizeof(*s));

	*s = (struct replay_stream){.feed = {.start = start, .stop = stop}, .play = &c->replay.play, .cpu = cpu};
	s->mix = replay_mix_open(&c->replay, err);
	if (!s->mix) {
		free(s);
		return NULL;
	}
	s->live = replay_mix_live(s->mix);
	replay_feed = &s->feed;
	return s;
}

void replay_stream_stop(struct replay_stream *s, struct replay_tally *t)
{
	stop(&s->feed);
	*t = s->tally;
}

int replay_stream_end(struct replay_stream *s, struct err *err)
{
	int rc = s->error;

	if (rc)
		*err = s->err;
	replay_feed = NULL;
	replay_mix_close(s->mix);
	free(s->feed.ring);
	free(s);
	return rc;
}
