// SPDX-License-Identifier: BSD-3-Clause
// fuzz_verdict.c - any frames taken apart, compared and matched
//
// The input: two bytes of choices, then frames: a byte (bit 0: sent, else of the golden; bit 1: of both; bits 2 and
// 3: one byte of the sent one changes), a byte of length, the frame.
// Fields cover every frame; frames without a difference have one hash, others not; packets and their pairs
// agree; all of one list alone is missing, or unexpected; a list matched with itself is as expected.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/verdict_match.h"

#define FRAMES_MAX 64
#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_verdict: not true: %s\n", #what);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct verdict_run run;
static struct list {
	struct vpackets p;
	struct vpacket packet[FRAMES_MAX];
	uint8_t bytes[FRAMES_MAX * 256];
} sent, want;

static void check_frame(const struct vframe *f)
{
	char text[200];
	uint32_t bit = 0;

	for (unsigned i = 0; i < f->n; i++) {
		CHECK(f->f[i].bit == bit && f->f[i].bits);
		bit += f->f[i].bits;
	}
	CHECK(bit == f->len * 8);
	vframe_text(f, text, sizeof(text));
	vframe_flow(f, 1);
	CHECK(vframe_likeness(f, f, &run.ignore) == 100);
}

static void add(struct list *l, const uint8_t *data, uint32_t len, uint64_t time)
{
	struct vpacket *k = &l->packet[l->p.n++];
	struct vframe f;

	memcpy(l->bytes + l->p.size, data, len);
	vframe_dissect(&f, l->bytes + l->p.size, len);
	check_frame(&f);
	*k = (struct vpacket){.time = time, .off = l->p.size, .len = len, .pair = VNONE, .gap = VNONE,
			      .exact = vframe_exact(&f, &run.ignore),
			      .identity = vframe_identity(&f, &run.ignore), .verdict = V_UNJUDGED};
	l->p.size += len;
}

static void check_pair(const struct vpacket *s, const struct vpacket *w)
{
	struct vframe a, b;
	struct vdiff d[3];
	unsigned n;

	vframe_dissect(&a, vpacket_bytes(&sent.p, s), s->len);
	vframe_dissect(&b, vpacket_bytes(&want.p, w), w->len);
	n = vframe_diff(&a, &b, &run.ignore, d, 3);
	CHECK((n == 0) == (s->exact == w->exact));
	CHECK(n == vframe_diff(&b, &a, &run.ignore, d, 3));
	for (unsigned i = 0; i < n && i < 3; i++)
		CHECK(strlen(d[i].text) < sizeof(d[i].text) && d[i].id < VF_IDS);
	CHECK(s->verdict == (n || s->late ? V_DIFFERENT : s->verdict));
}

static void check_lists(void)
{
	size_t pairs = 0;

	for (size_t i = 0; i < sent.p.n; i++) {
		const struct vpacket *s = &sent.packet[i];

		CHECK((s->pair == VNONE) == (s->verdict == V_UNEXPECTED) && s->verdict != V_UNJUDGED);
		if (s->pair == VNONE)
			continue;
		pairs++;
		CHECK(s->pair < want.p.n && want.packet[s->pair].pair == i);
		check_pair(s, &want.packet[s->pair]);
	}
	for (size_t i = 0; i < want.p.n; i++) {
		CHECK((want.packet[i].pair == VNONE) == (want.packet[i].verdict == V_MISSING));
		pairs -= want.packet[i].pair != VNONE;
	}
	CHECK(pairs == 0);
}

static void start(struct list *l)
{
	l->p = (struct vpackets){.list = l->packet, .bytes = l->bytes};
}

static bool read_frames(const uint8_t *data, size_t size)
{
	bool same = true;
	uint8_t other[256];

	for (uint64_t time = 0; size >= 2 && sent.p.n < FRAMES_MAX && want.p.n < FRAMES_MAX; time += 5) {
		uint8_t how = data[0];
		uint32_t len = data[1];

		data += 2;
		size -= 2;
		len = len < size ? len : (uint32_t)size;
		memcpy(other, data, len);
		if (len && how & 12)
			other[how % len] ^= how;
		same &= how & 2 && !(len && how & 12 && how);
		if (how & 3)
			add(&sent, other, len, time);
		if (!(how & 1) || how & 2)
			add(&want, data, len, time);
		data += len;
		size -= len;
	}
	return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool same;

	if (size < 2)
		return 0;
	memset(&run, 0, sizeof(run));
	run.timed = data[0] & 1;
	run.ignore_order = data[0] & 2;
	if (data[0] & 4)
		vignore_add(&run.ignore, vfield_name(data[1] % VF_IDS));
	start(&sent);
	start(&want);
	same = read_frames(data + 2, size - 2);
	verdict_match(&sent.p, &want.p, &run);
	check_lists();
	for (size_t i = 0; same && i < sent.p.n; i++)
		CHECK(sent.packet[i].verdict == V_EXPECTED);
	return 0;
}
