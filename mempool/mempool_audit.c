// SPDX-License-Identifier: BSD-3-Clause
// mempool_audit.c - audit builds: poison, owners, and the reports that stop the program
//
// A free buffer is filled with POISON but for the fields of the pool's invariant; taking it checks that
// nobody wrote there. `state` is exchanged atomically, so two lcores that free one buffer are caught too.
// Under AddressSanitizer the room of a free buffer is also off limits, which finds reads.
#include "mempool/mempool.h"

#ifdef WEIR_AUDIT

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#define ROOM_FORBID(m) ASAN_POISON_MEMORY_REGION((m)->buf, (m)->buf_len)
#define ROOM_ALLOW(m)  ASAN_UNPOISON_MEMORY_REGION((m)->buf, (m)->buf_len)
#else
#define ROOM_FORBID(m) ((void)(m))
#define ROOM_ALLOW(m)  ((void)(m))
#endif

#define POISON     0x6b
#define STATE_FREE 0x66726565u // "free"
#define STATE_OUT  0x6f757421u // "out!"
#define OWNERS_MAX 64

#define HOT_BYTES offsetof(struct mbuf, buf)

static const char *owner_name(const char *owner)
{
	return owner ? owner : "(no owner named)";
}

static void __attribute__((noreturn)) stop(const char *what, const struct mbuf *m, const char *before,
					   const char *now)
{
	fprintf(stderr, "mempool audit: %s: buffer %" PRIu32 " of pool %s; before: %s; now: %s\n", what,
		m->index, m->pool ? m->pool->name : "(none)", owner_name(before), owner_name(now));
	fflush(stderr);
	abort();
}

// The hot line of a free buffer: data as a pointer no one can follow, the invariant, else poison.
static void free_line(const struct mbuf *m, struct mbuf *line)
{
	memset(line, POISON, HOT_BYTES);
	line->next = NULL;
	line->pool = m->pool;
	line->refcnt = 1;
	line->nsegs = 1;
}

static void poison(struct mbuf *m)
{
	struct mbuf line;

	free_line(m, &line);
	memcpy(m, &line, HOT_BYTES);
	memset(m->buf, POISON, m->buf_len);
	ROOM_FORBID(m);
}

// Where a free buffer was written: offset from the mbuf, or -1.
static long written_at(const struct mbuf *m)
{
	struct mbuf line;

	free_line(m, &line);
	for (size_t i = 0; i < HOT_BYTES; i++)
		if (((const uint8_t *)m)[i] != ((const uint8_t *)&line)[i])
			return (long)i;
	for (uint32_t i = 0; i < m->buf_len; i++)
		if (m->buf[i] != POISON)
			return (long)(sizeof(struct mbuf) + i);
	return -1;
}

static bool belongs(const struct mempool *mp, const struct mbuf *m)
{
	size_t off = (size_t)((const uint8_t *)m - mp->base);

	return off % mp->stride == 0 && off / mp->stride < mp->count;
}

void mempool_audit_init(struct mbuf *m)
{
	m->owner = NULL;
	m->state = STATE_FREE;
	poison(m);
}

static void audit_get(struct mempool *mp, struct mbuf *m)
{
	char what[64];
	long at;

	if (__atomic_exchange_n(&m->state, STATE_OUT, __ATOMIC_ACQ_REL) != STATE_FREE)
		stop("a buffer in use came out of the pool", m, m->owner, mempool_owner);
	ROOM_ALLOW(m);
	at = written_at(m);
	if (at >= 0) {
		snprintf(what, sizeof(what), "write after free at byte %ld from the mbuf", at);
		stop(what, m, m->owner, mempool_owner);
	}
	m->owner = mempool_owner;
}

static void audit_put(struct mempool *mp, struct mbuf *m)
{
	uint32_t state;

	if (!belongs(mp, m)) {
		fprintf(stderr, "mempool audit: freed into the wrong pool, %s:\n", mp->name);
		stop("wrong pool", m, m->owner, mempool_owner);
	}
	state = __atomic_exchange_n(&m->state, STATE_FREE, __ATOMIC_ACQ_REL);
	if (state == STATE_FREE)
		stop("double free", m, m->owner, mempool_owner);
	if (state != STATE_OUT)
		stop("header overwritten", m, NULL, mempool_owner);
	if (m->pool != mp || m->next || m->nsegs != 1 || m->refcnt != 1)
		stop("freed while chained or shared, or header overwritten", m, m->owner, mempool_owner);
	m->owner = mempool_owner;
	poison(m);
}

void mempool_audit_get(struct mempool *mp, struct mbuf *const *pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		audit_get(mp, pkts[i]);
}

void mempool_audit_put(struct mempool *mp, struct mbuf *const *pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		audit_put(mp, pkts[i]);
}

void mempool_audit_own(struct mbuf *const *pkts, unsigned n, const char *owner)
{
	for (unsigned i = 0; i < n; i++) {
		for (struct mbuf *m = pkts[i]; m; m = m->next) {
			if (m->state != STATE_OUT)
				stop("a free buffer was handed on", m, m->owner, owner);
			m->owner = owner;
		}
	}
}

struct holder {
	const char *owner;
	uint32_t held;
};

// Counts for the owner of m; 0 when there are too many different ones.
static int holder_add(struct holder *holders, unsigned *n, const struct mbuf *m)
{
	const char *owner = owner_name(m->owner);
	unsigned i;

	for (i = 0; i < *n; i++)
		if (holders[i].owner == owner || strcmp(holders[i].owner, owner) == 0)
			break;
	if (i == OWNERS_MAX)
		return 0;
	if (i == *n)
		holders[(*n)++] = (struct holder){.owner = owner};
	holders[i].held++;
	return 1;
}

uint32_t mempool_report(const struct mempool *mp, FILE *out)
{
	struct holder holders[OWNERS_MAX];
	uint32_t gone = 0, others = 0;
	unsigned n = 0;

	for (uint32_t i = 0; i < mp->count; i++) {
		const struct mbuf *m = mempool_at(mp, i);

		if (m->state == STATE_FREE)
			continue;
		gone++;
		if (!holder_add(holders, &n, m))
			others++;
	}
	if (!out)
		return gone;
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "mempool %s: %s holds %u\n", mp->name, holders[i].owner, holders[i].held);
	if (others)
		fprintf(out, "mempool %s: others hold %u\n", mp->name, others);
	return gone;
}

#endif
