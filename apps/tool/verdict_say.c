// SPDX-License-Identifier: BSD-3-Clause
// verdict_say.c - gather what is to be said of a packet
#include "apps/tool/verdict_say.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/tool/util.h"

const char *const verdict_names[VERDICTS] = {"expected", "moved",	 "different",
					     "missing",  "unexpected", "unjudged"};

static void say_late(const struct vpacket *s, const struct vpacket *w, char *text, size_t size)
{
	uint64_t ns = s->time > w->time ? s->time - w->time : w->time - s->time;

	snprintf(text, size, "%llu.%09llu s too %s", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC,
		 s->time > w->time ? "late" : "early");
}

static void say_pair(const struct verdict_run *r, const struct vport *p, const struct vpacket *s,
		     struct vsaid *say)
{
	const struct vpacket *w = &p->want.list[s->pair];
	struct vframe got, want;

	say->golden = s->pair + 1;
	if (say->verdict != V_DIFFERENT)
		return;
	vframe_dissect(&got, vpacket_bytes(&p->sent, s), s->len);
	vframe_dissect(&want, vpacket_bytes(&p->want, w), w->len);
	say->diffs = vframe_diff(&got, &want, &r->ignore, say->diff, VSAY_FIELDS);
	if (s->late)
		say_late(s, w, say->late, sizeof(say->late));
}

void verdict_say(const struct verdict_run *r, const struct vitem *item, struct vsaid *s)
{
	const struct vport *p = &r->port[item->port];
	const struct vpacket *k = vitem_packet(r, item);
	struct vframe f;

	memset(s, 0, sizeof(*s));
	s->verdict = k->verdict;
	s->port = p->name;
	s->time = k->time;
	s->record = k->record;
	vframe_dissect(&f, vpacket_bytes(item->sent ? &p->sent : &p->want, k), k->len);
	vframe_text(&f, s->frame, sizeof(s->frame));
	if (item->sent)
		s->sent = item->index + 1;
	else
		s->golden = item->index + 1;
	if (item->sent && k->pair != VNONE)
		say_pair(r, p, k, s);
	if (!s->record)
		return;
	s->from = vtrace_root(r->trace, s->record);
	vtrace_path(r->trace, s->record, s->path, sizeof(s->path));
	if (!item->sent)
		vtrace_end(r->trace, s->record, s->end, sizeof(s->end));
	if (s->from != s->record)
		snprintf(s->maker, sizeof(s->maker), "%s", vtrace_maker(r->trace, s->record));
}

void vtally_add(struct vtally *t, const char *name)
{
	size_t i = 0;

	while (i < t->n && strcmp(t->e[i].name, name))
		i++;
	if (i == t->n) {
		t->e = array_add(t->e, &t->n, &t->room, sizeof(*t->e));
		snprintf(t->e[i].name, sizeof(t->e[i].name), "%s", name);
	}
	t->e[i].n++;
}

void vtally_free(struct vtally *t)
{
	free(t->e);
	*t = (struct vtally){0};
}

const char *verdict_time(const struct verdict_run *r, uint64_t time, char text[40])
{
	const uint64_t day = 86400 * NSEC_PER_SEC;
	time_t seconds = (time_t)(time / NSEC_PER_SEC);
	bool dated = r->first / day != r->last / day || time / day != r->first / day;
	uint64_t ns = time % NSEC_PER_SEC;
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, 28, dated ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
	if (ns % 1000)
		snprintf(text + n, 40 - n, ".%09u", (unsigned)ns);
	else
		snprintf(text + n, 40 - n, ".%06u", (unsigned)(ns / 1000));
	return text;
}

static int by_time(const void *a, const void *b)
{
	const struct vitem *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->sent != y->sent)
		return x->sent ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool quiet(uint8_t verdict)
{
	return verdict == V_EXPECTED || verdict == V_UNJUDGED;
}

struct vitem *verdict_items(const struct verdict_run *r, bool all, size_t *n)
{
	struct vitem *list = NULL;
	size_t room = 0;

	*n = 0;
	for (unsigned p = 0; p < r->ports; p++) {
		const struct vpackets *both[] = {&r->port[p].sent, &r->port[p].want};

		for (size_t i = 0; i < both[0]->n + both[1]->n; i++) {
			bool sent = i < both[0]->n;
			size_t at = sent ? i : i - both[0]->n;
			const struct vpacket *k = &both[!sent]->list[at];

			if (sent ? !all && quiet(k->verdict) : k->verdict != V_MISSING)
				continue;
			list = array_add(list, n, &room, sizeof(*list));
			list[*n - 1] = (struct vitem){k->time, (uint32_t)at, (uint16_t)p, sent};
		}
	}
	if (*n)
		qsort(list, *n, sizeof(*list), by_time);
	return list;
}

bool verdict_compared(const struct verdict_run *r)
{
	bool any = false;

	for (unsigned i = 0; i < r->ports; i++)
		any |= r->port[i].golden && !r->port[i].fresh;
	return any;
}

bool verdict_good(const struct verdict_run *r)
{
	uint64_t bad = 0;

	for (unsigned p = 0; p < r->ports; p++)
		for (unsigned v = 0; v < VERDICTS; v++)
			bad += quiet((uint8_t)v) ? 0 : r->port[p].count[v];
	return !bad;
}
